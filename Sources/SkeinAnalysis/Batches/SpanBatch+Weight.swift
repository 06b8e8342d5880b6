// SPDX-License-Identifier: Apache-2.0
import SkeinModel

extension SpanBatch {
    /// How many spans the one in `row` stands for, at most 2^32; what is no positive number counts nothing.
    func weight(at row: Int) -> Double {
        let weight = Self.value(weights, row, default: 1)
        return weight > 0 ? min(weight, 1_048_576) : 0
    }
}

extension UInt64 {
    /// Adds up to `UInt64.max`: durations are what clients say they are.
    mutating func add(clamping other: UInt64) {
        let (sum, overflow) = addingReportingOverflow(other)
        self = overflow ? .max : sum
    }
}
