// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// The parameters of Tempo calls. Failures speak with the voice of Tempo's own parser.
extension APICall {
    /// The trace that the path names: 1 to 32 hexadecimal digits, short ids padded on the left.
    func tempoTraceID() throws(APIError) -> TraceID {
        let text = pathValues[0]
        if let id = TraceID(hex: text), id.isValid { return id }
        let isHex = text.utf8.allSatisfy {
            UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || "abcdefABCDEF".utf8.contains($0)
        }
        let why =
            text.utf8.count > 32
            ? "trace IDs can't be larger than 128 bits"
            : isHex ? "trace IDs can't be all zero" : "trace IDs can only contain hex characters"
        throw .invalid("traceID", "\(why): \(Self.shown(text)); 1 to 32 hexadecimal digits are expected")
    }

    /// The value of a parameter; `nil` when it is absent or empty.
    func value(_ name: String) -> String? {
        guard let text = request.query(name), !text.isEmpty else { return nil }
        return text
    }

    /// A whole number of 32 bits as Go's `strconv.ParseUint` reads it; `nil` when absent.
    func uint32(_ name: String, hint: String = "") throws(APIError) -> UInt64? {
        guard let text = value(name) else { return nil }
        if text.utf8.first != UInt8(ascii: "+"), let number = UInt32(text) { return UInt64(number) }
        let isNumber = text.utf8.allSatisfy { (0x30...0x39).contains($0) }
        let why = isNumber ? "value out of range" : "invalid syntax"
        throw .invalid(name, "invalid \(name): strconv.ParseUint: parsing \(GoText.quote(text)): \(why)\(hint)")
    }

    /// The range of `start` and `end` in seconds since 1970, `end` included; all of time when both are absent or 0.
    func secondsRange() throws(APIError) -> TimeRange {
        let hint = "; seconds since 1970 are expected"
        return try TimeRange(
            startSeconds: try uint32("start", hint: hint) ?? 0,
            endSeconds: try uint32("end", hint: hint) ?? 0
        )
    }
}

extension TimeRange {
    /// From `startSeconds` to `endSeconds` since 1970, which is included; all of time when both are 0. Both have 32 bits.
    init(startSeconds start: UInt64, endSeconds end: UInt64) throws(APIError) {
        if start == 0, end == 0 {
            self = .all
            return
        }
        guard start < end else {
            throw .invalid(
                "start",
                "http parameter start must be before end. received start=\(start) end=\(end)"
            )
        }
        // 2^32 seconds are 2^62 nanoseconds.
        self.init(start: start * 1_000_000_000, end: end * 1_000_000_000 + 1)
    }
}
