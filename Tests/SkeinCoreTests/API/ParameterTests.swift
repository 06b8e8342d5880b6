// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import Testing

@testable import SkeinAPI

/// Times and durations as text.
struct ParameterTests {
    @Test func `RFC 3339 is read in all its forms`() {
        let table: [(String, UInt64?)] = [
            ("1970-01-01T00:00:00Z", 0), ("2026-11-22T10:00:00Z", APIUnderTest.now),
            ("2026-11-22t10:00:00.5z", APIUnderTest.now + 500_000_000),
            ("2026-11-22T10:00:00.123456789999Z", APIUnderTest.now + 123_456_789),
            ("2026-11-22T11:30:00+01:30", APIUnderTest.now), ("2026-11-22T11:30:00 01:30", APIUnderTest.now),
            ("2026-11-22T05:00:00-05:00", APIUnderTest.now), ("2024-02-29T00:00:00Z", 1_709_164_800_000_000_000),
            ("2000-03-01T00:00:00Z", 951_868_800_000_000_000), ("2016-12-31T23:59:60Z", 1_483_228_800_000_000_000),
            ("1969-12-31T23:59:59Z", 0), ("0000-01-01T00:00:00Z", 0), ("9999-12-31T23:59:59Z", .max),
            ("2554-07-21T23:34:33.709551615Z", .max), ("2554-07-21T23:34:33.709551614Z", .max - 1),
            ("2023-02-29T00:00:00Z", nil), ("2026-13-01T00:00:00Z", nil), ("2026-00-01T00:00:00Z", nil),
            ("2026-11-22T24:00:00Z", nil), ("2026-11-22T10:00:00", nil), ("2026-11-22T10:00:00.Z", nil),
            ("2026-11-22T10:00Z", nil), ("2026-11-22", nil), ("", nil), ("2026-11-22T10:00:00Zx", nil),
            ("2026-11-22T10:00:00+24:00", nil), ("26-11-22T10:00:00Z", nil), ("٢٠26-11-22T10:00:00Z", nil),
        ]
        for (text, nanos) in table { #expect(RFC3339.parse(text) == nanos, "\(text)") }
    }

    @Test func `a moment written is the moment read`() {
        var random = SeededRandom(seed: 7)
        for moment in [0, 1, APIUnderTest.now, .max] + (0..<2000).map({ _ in random.next() }) {
            #expect(RFC3339.parse(RFC3339.format(moment)) == moment, "\(moment)")
        }
        #expect(RFC3339.format(APIUnderTest.now + 5) == "2026-11-22T10:00:00.000000005Z")
    }

    @Test func `Go durations are read exactly`() throws {
        let table: [(String, Int64?)] = [
            ("0", 0), ("1ns", 1), ("1us", 1000), ("1µs", 1000), ("1μs", 1000), ("1ms", 1_000_000),
            ("1.2s", 1_200_000_000),
            ("1h2m3s", 3_723_000_000_000), ("-1.5h", -5_400_000_000_000), ("+5s", 5_000_000_000), (".5s", 500_000_000),
            ("5.s", 5_000_000_000), ("0.000000001s", 1), ("0.0000000001s", 0),
            ("1.00000000000000000000001s", 1_000_000_000),
            ("2562047h47m16.854775807s", .max), ("2562047h47m16.854775808s", nil), ("9223372036854775808ns", nil),
            ("99999999999999999999999s", nil), ("", nil), ("s", nil), (".s", nil), ("1", nil), ("1x", nil),
            ("1 s", nil),
            ("--1s", nil), ("1s2", nil), ("0.3333333333333333333h", 1_200_000_000_000 - 1), ("1e3s", nil), ("NaN", nil),
        ]
        for (text, nanos) in table { #expect((try? GoDuration.parse(text)) == nanos, "\(text)") }
    }
}
