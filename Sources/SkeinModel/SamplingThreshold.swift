// SPDX-License-Identifier: Apache-2.0

/// What consistent probability sampling says in a `tracestate`: `ot=th:` and 1 to 14 hex digits, of which trailing zeros are
/// cut (OpenTelemetry, "TraceState: Probability Sampling", "Sampling threshold value th").
package enum SamplingThreshold {
    /// How many spans one with this `tracestate` stands for: 2^56 / (2^56 - threshold), from 1 to 2^56. 1 when it does not
    /// say, or not in this form.
    package static func weight(ofTraceState text: UnsafeRawBufferPointer) -> Double {
        for member in text.split(separator: UInt8(ascii: ",")) {
            let member = member.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
            guard member.starts(with: "ot=".utf8) else { continue }
            for field in member.dropFirst(3).split(separator: UInt8(ascii: ";")) where field.starts(with: "th:".utf8) {
                return weight(ofDigits: field.dropFirst(3))
            }
            return 1
        }
        return 1
    }

    private static func weight(ofDigits digits: Slice<UnsafeRawBufferPointer>) -> Double {
        let digits = digits.reversed().drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }.reversed()
        guard (1...14).contains(digits.count) else { return 1 }
        var threshold: UInt64 = 0
        for digit in digits {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): threshold = threshold << 4 | UInt64(digit - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"):
                threshold = threshold << 4 | UInt64(digit - UInt8(ascii: "a") + 10)
            default: return 1
            }
        }
        threshold <<= 4 * UInt64(14 - digits.count)
        return 0x1p56 / Double((1 << 56) - threshold)
    }
}
