// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore

/// A place in a trace as clients carry it: opaque to them, 44 hexadecimal digits to us.
///
///     offset  bytes
///     0       1      version, 1
///     1       8      start of the last span shown, big-endian
///     9       8      its id
///     17      1      its kind
///     18      4      check: mixes the bytes above and the trace id, so that a cursor serves its own trace only
enum SpanCursorText {
    static func encode(_ cursor: SpanCursor, of trace: TraceID) -> String {
        let digits = [cursor.startUnixNanos, cursor.spanID.rawValue].map(Hex.string).joined()
        let kind = Hex.string(UInt64(cursor.kind.rawValue)).suffix(2)
        return "01\(digits)\(kind)\(Hex.string(UInt64(check(cursor, trace))).suffix(8))"
    }

    /// `nil` when the text is no cursor of this version and trace.
    static func decode(_ text: String, of trace: TraceID) -> SpanCursor? {
        let digits = Array(text.utf8)
        guard digits.count == 44, digits.starts(with: "01".utf8), let start = Hex.parse(digits[2..<18]),
            let id = Hex.parse(digits[18..<34]), let kind = Hex.parse(digits[34..<36]),
            let stated = Hex.parse(digits[36...]),
            let known = UInt8(exactly: kind.low).flatMap(Span.Kind.init(rawValue:))
        else { return nil }
        let cursor = SpanCursor(startUnixNanos: start.low, spanID: SpanID(id.low), kind: known)
        return stated.low == UInt64(check(cursor, trace)) ? cursor : nil
    }

    private static func check(_ cursor: SpanCursor, _ trace: TraceID) -> UInt32 {
        var check = CursorCheck()
        for word in [
            cursor.startUnixNanos, cursor.spanID.rawValue, UInt64(cursor.kind.rawValue), trace.high, trace.low,
        ] {
            withUnsafeBytes(of: word.bigEndian) { check.mix($0) }
        }
        return check.value
    }
}
