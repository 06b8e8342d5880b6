// SPDX-License-Identifier: Apache-2.0

extension UInt64 {
    /// The nanoseconds for people: `850 µs`, `12 ms`, `7.0 s`, `2 m 14 s`, `3 h 5 m`.
    var durationText: String {
        switch self {
        case ..<1_000_000: return "\(self / 1000) µs"
        case ..<999_500_000: return "\((self + 500_000) / 1_000_000) ms"
        case ..<59_950_000_000:
            let tenths = (self + 50_000_000) / 100_000_000
            return "\(tenths / 10).\(tenths % 10) s"
        default:
            let seconds = self / 1_000_000_000
            return seconds < 3600
                ? "\(seconds / 60) m \(seconds % 60) s" : "\(seconds / 3600) h \(seconds % 3600 / 60) m"
        }
    }
}

extension [UInt64] {
    /// Of sorted numbers the smallest with at least `percent` hundredths at or below it; `nil` for none.
    func percentile(_ percent: Int) -> UInt64? {
        guard !isEmpty else { return nil }
        let rank = (percent * count + 99) / 100
        return self[Swift.min(Swift.max(rank, 1), count) - 1]
    }
}
