// SPDX-License-Identifier: Apache-2.0

extension Duration {
    /// In nanoseconds; 0 for what is negative, and at most some 584 years.
    package var nanos: UInt64 {
        // Sums of durations can have more seconds than their components can say.
        let (seconds, attoseconds) = min(max(self, .zero), .seconds(Int64.max)).components
        let (product, overflow) = UInt64(clamping: seconds).multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return .max }
        let (sum, carry) = product.addingReportingOverflow(UInt64(clamping: attoseconds / 1_000_000_000))
        return carry ? .max : sum
    }
}
