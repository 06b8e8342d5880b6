// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// The parameters of Jaeger calls. Failures speak with the voice of Jaeger's own parser.
extension APICall {
    /// A moment in microseconds, as nanoseconds; `nil` when absent. Before 1970 is 0, after 2554 `UInt64.max`.
    func microseconds(_ name: String) throws(APIError) -> UInt64? { try number(name, scale: 1000) }

    /// A moment or a length in milliseconds, as nanoseconds; `nil` when absent.
    func milliseconds(_ name: String) throws(APIError) -> UInt64? { try number(name, scale: 1_000_000) }

    private func number(_ name: String, scale: UInt64) throws(APIError) -> UInt64? {
        guard let text = request.query(name), !text.isEmpty else { return nil }
        let number = try Self.integer(text, name)
        let (nanos, overflow) = UInt64(clamping: number).multipliedReportingOverflow(by: scale)
        return overflow ? .max : nanos
    }

    /// A whole number as Go's `strconv.ParseInt` reads it.
    static func integer(_ text: String, _ name: String) throws(APIError) -> Int64 {
        if let number = Int64(text) { return number }
        let digits = text.utf8.drop { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") }
        let isNumber =
            !digits.isEmpty && text.utf8.count - digits.count < 2
            && digits.allSatisfy { (0x30...0x39).contains($0) }
        let why = isNumber ? "value out of range" : "invalid syntax"
        throw unreadable(name, "strconv.ParseInt: parsing \(GoText.quote(text)): \(why)")
    }

    /// A duration; `nil` when absent or zero, which Jaeger takes for absent.
    func goDuration(_ name: String) throws(APIError) -> UInt64? {
        guard let text = request.query(name), !text.isEmpty else { return nil }
        do throws(GoDuration.Failure) {
            let nanos = try GoDuration.parse(text)
            return nanos > 0 ? UInt64(nanos) : nil
        } catch {
            throw Self.unreadable(name, error.message)
        }
    }

    /// A flag as Go's `strconv.ParseBool` reads it; absent is `false`.
    func goBool(_ name: String) throws(APIError) -> Bool {
        guard let text = request.query(name), !text.isEmpty else { return false }
        guard let flag = Self.goBool(text) else {
            throw Self.unreadable(name, "strconv.ParseBool: parsing \(GoText.quote(text)): invalid syntax")
        }
        return flag
    }

    /// The flag that a text stands for; `nil` when it is none.
    static func goBool(_ text: String) -> Bool? {
        switch text {
        case "0", "f", "F", "false", "FALSE", "False": false
        case "1", "t", "T", "true", "TRUE", "True": true
        default: nil
        }
    }

    /// A trace id: 1 to 32 hexadecimal digits, or base64 of 8 or 16 bytes.
    static func jaegerTraceID(_ text: String) throws(APIError) -> TraceID {
        if let id = TraceID(hex: text), id.isValid { return id }
        if let id = TraceID(base64: text), id.isValid { return id }
        throw unreadable("traceID", "strconv.ParseUint: parsing \(GoText.quote(text)): invalid syntax")
    }

    static func unreadable(_ name: String, _ why: String) -> APIError {
        .invalid(name, "unable to parse param '\(name)': \(why)")
    }
}
