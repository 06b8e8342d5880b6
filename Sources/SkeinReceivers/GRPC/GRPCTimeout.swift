// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// The header `grpc-timeout` (gRPC over HTTP/2, `Requests`).
enum GRPCTimeout {
    /// `100m` is a tenth of a second. `nil` for what is not of the form.
    static func parse(_ text: String) -> TimeAmount? {
        let digits = text.utf8.dropLast()
        guard let unit = text.utf8.last, (1...8).contains(digits.count),
            digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let number = Int64(String(Substring(digits)))
        else { return nil }
        // What is longer than can be said becomes as long as can be said.
        return switch unit {
        case UInt8(ascii: "H"): .hours(number)
        case UInt8(ascii: "M"): .minutes(number)
        case UInt8(ascii: "S"): .seconds(number)
        case UInt8(ascii: "m"): .milliseconds(number)
        case UInt8(ascii: "u"): .microseconds(number)
        case UInt8(ascii: "n"): .nanoseconds(number)
        default: nil
        }
    }
}
