// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// A moment or a time span as the plain form has it.
enum PlainTime {
    /// Nanoseconds since 1970 of RFC 3339, or of a number in seconds, milliseconds, microseconds or nanoseconds: which of
    /// them is told by its size, since from 1973 to 2554 they do not meet. `nil` for anything else, and for
    /// numbers below zero.
    static func moment(_ json: inout JSONReader) throws(WireError) -> UInt64? {
        switch try json.peek() {
        case .number: return moment(try json.readNumber())
        case .string:
            let text = try json.readString()
            if let moment = RFC3339.parse(utf8: text) { return moment }
            guard let number = Double(UTF8Text.repaired(text)), number.isFinite else { return nil }
            return moment(Int64(UTF8Text.repaired(text)).map { .integer($0) } ?? .double(number))
        default:
            try json.skipValue()
            return nil
        }
    }

    private static func moment(_ number: JSONNumber) -> UInt64? {
        let scale: Double
        switch number.double {
        case 0..<1e11: scale = 1e9
        case 1e11..<1e14: scale = 1e6
        case 1e14..<1e17: scale = 1e3
        case 1e17...: scale = 1
        default: return nil
        }
        switch number {
        case .integer(let value):
            // The scales are whole, and so is the product wherever it fits.
            let (product, overflow) = UInt64(value).multipliedReportingOverflow(by: UInt64(scale))
            return overflow ? .max : product
        case .double(let value):
            // Whole and fraction apart, since together they have more digits than fit.
            guard let whole = UInt64(exactly: value.rounded(.down)) else { return .max }
            let (product, overflow) = whole.multipliedReportingOverflow(by: UInt64(scale))
            let fraction = UInt64(((value - value.rounded(.down)) * scale).rounded())
            let (sum, overflowToo) = product.addingReportingOverflow(fraction)
            return overflow || overflowToo ? .max : sum
        }
    }

    /// Nanoseconds of a number of milliseconds, which may have a fraction and may stand in quotes.
    static func duration(_ json: inout JSONReader) throws(WireError) -> Int64 {
        switch try json.readNumber() {
        case .integer(let millis):
            let (nanos, overflow) = millis.multipliedReportingOverflow(by: 1_000_000)
            return overflow ? (millis < 0 ? .min : .max) : nanos
        case .double(let millis): return JSONNumber.double(millis * 1e6).rounded
        }
    }
}
