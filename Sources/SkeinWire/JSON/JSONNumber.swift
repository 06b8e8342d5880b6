// SPDX-License-Identifier: Apache-2.0

/// A number as it was written.
enum JSONNumber {
    case integer(Int64)
    case double(Double)

    /// The nearest integer, at most that of 64 bits.
    var rounded: Int64 {
        switch self {
        case .integer(let value): value
        case .double(let value): Int64(exactly: value.rounded()) ?? (value < 0 ? .min : .max)
        }
    }

    var double: Double {
        switch self {
        case .integer(let value): Double(value)
        case .double(let value): value
        }
    }
}
