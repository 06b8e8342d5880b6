// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import Testing

@testable import SkeinEngine

@Suite struct RecordFileTests {
    static let types: Set<UInt32> = [LogSegment.batchType, LogSegment.endType]

    /// A file of two records, of which the first is damaged at its beginning: the payload and the length.
    static func damaged(_ payload: String, count: Int) -> [UInt8] {
        var out = LogSegment.header(1)
        let start = out.count
        RecordFile.append(type: LogSegment.batchType, to: &out) { out in
            for _ in 0..<count { out.append(utf8: payload) }
        }
        RecordFile.append(type: LogSegment.batchType, to: &out) { $0.append(utf8: "good") }
        var bytes = [UInt8](out.bytes)
        bytes[start + 12] ^= 0x40
        return bytes
    }

    /// How the file reads, and how many records are good.
    static func read(_ bytes: [UInt8], searching: Int = 256 << 20) -> (RecordFile.Outcome, Int) {
        var count = 0
        let outcome = bytes.withUnsafeBytes {
            RecordFile.forEachRecord($0, types: types, searchedByteCountMax: searching) { _ in
                count += 1
                return true
            }
        }
        return (outcome, count)
    }

    @Test(arguments: ["END ", "END \u{20}\0\0\0"])
    func `a record behind text that looks like records is found`(text: String) {
        let bytes = Self.damaged(text, count: 4_000)
        let (outcome, count) = Self.read(bytes)
        #expect(count == 1)
        #expect(outcome == .init(goodByteCount: bytes.count, firstBadOffset: RecordFile.headerByteCount))
    }

    @Test func `a search that is given up leaves the file damaged and not torn`() {
        let (outcome, count) = Self.read(Self.damaged("END \u{20}\0\0\0", count: 4_000), searching: 10_000)
        #expect(count == 0)
        #expect(outcome == .init(goodByteCount: RecordFile.headerByteCount, firstBadOffset: RecordFile.headerByteCount))
    }

    @Test func `a torn end costs no doubt`() {
        let bytes = Self.damaged("END ", count: 4_000).dropLast(20)
        #expect(Self.read(Array(bytes)).0 == .init(goodByteCount: RecordFile.headerByteCount, firstBadOffset: nil))
    }
}
