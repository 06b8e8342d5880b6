// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore

/// A search cursor as clients carry it: opaque to them, 58 hexadecimal digits to us.
///
///     offset  bytes
///     0       1      version, 1
///     1       8      start of the last trace shown, big-endian
///     9       16     its id
///     25      4      check: mixes the bytes above and the query text, so that a cursor serves its own query only
enum SearchCursorText {
    static func encode(_ cursor: SearchCursor, query: String) -> String {
        let check = check(cursor, query)
        let digits = [cursor.startUnixNanos, cursor.traceID.high, cursor.traceID.low].map(Hex.string).joined()
        return "01\(digits)\(Hex.string(UInt64(check)).suffix(8))"
    }

    /// `nil` when the text is no cursor of this version and query.
    static func decode(_ text: String, query: String) -> SearchCursor? {
        let digits = Array(text.utf8)
        guard digits.count == 58, digits.starts(with: "01".utf8), let start = Hex.parse(digits[2..<18]),
            let id = Hex.parse(digits[18..<50]), let stated = Hex.parse(digits[50...])
        else { return nil }
        let cursor = SearchCursor(startUnixNanos: start.low, traceID: TraceID(high: id.high, low: id.low))
        return stated.low == UInt64(check(cursor, query)) ? cursor : nil
    }

    private static func check(_ cursor: SearchCursor, _ query: String) -> UInt32 {
        var check = CursorCheck()
        for word in [cursor.startUnixNanos, cursor.traceID.high, cursor.traceID.low] {
            withUnsafeBytes(of: word.bigEndian) { check.mix($0) }
        }
        check.mix(query.utf8)
        return check.value
    }
}

/// Ties a cursor to the question it came from. FNV-1a, 64 bits folded to 32: its value is the same in every version and
/// on every machine, unlike `Hash`'s.
struct CursorCheck {
    private var state: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func mix(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { state = (state ^ UInt64(byte)) &* 0x100_0000_01b3 }
    }

    var value: UInt32 { UInt32(truncatingIfNeeded: state ^ state &>> 32) }
}
