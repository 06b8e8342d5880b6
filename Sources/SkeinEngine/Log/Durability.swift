// SPDX-License-Identifier: Apache-2.0

/// What an acknowledged append survives.
public enum Durability: Hashable, Sendable {
    /// Loss of power: the answer waits for the device.
    case always
    /// The end of the process at once; loss of power after this time at most.
    case interval(Duration)
    /// The end of the process; loss of power when the operating system has written its pages.
    case os

    /// Whether acknowledged spans wait for a sync.
    var isInterval: Bool {
        if case .interval = self { true } else { false }
    }
}

extension Duration {
    /// Whole nanoseconds, at least 0 and at most what fits.
    var nanos: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (whole, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carry) = whole.addingReportingOverflow(UInt64(attoseconds / 1_000_000_000))
        return overflow || carry ? .max : sum
    }
}
