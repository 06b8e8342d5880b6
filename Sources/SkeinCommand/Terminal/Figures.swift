// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Numbers as people read them.
enum Figures {
    /// Three digits and a unit: `870ns`, `1.24ms`, `12.5s`, `3m 20s`, `2h 5m`, `3d 4h`.
    static func duration(_ nanos: UInt64) -> String {
        switch nanos {
        case 0..<1_000: "\(nanos)ns"
        case 1_000..<1_000_000: "\(threeDigits(Double(nanos) / 1e3))µs"
        case 1_000_000..<1_000_000_000: "\(threeDigits(Double(nanos) / 1e6))ms"
        case 1_000_000_000..<60_000_000_000: "\(threeDigits(Double(nanos) / 1e9))s"
        case 60_000_000_000..<3_600_000_000_000:
            pair(nanos / 60_000_000_000, "m", nanos / 1_000_000_000 % 60, "s")
        case 3_600_000_000_000..<86_400_000_000_000:
            pair(nanos / 3_600_000_000_000, "h", nanos / 60_000_000_000 % 60, "m")
        default: pair(nanos / 86_400_000_000_000, "d", nanos / 3_600_000_000_000 % 24, "h")
        }
    }

    private static func pair(_ large: UInt64, _ unit: String, _ small: UInt64, _ smallUnit: String) -> String {
        small == 0 ? "\(large)\(unit)" : "\(large)\(unit) \(small)\(smallUnit)"
    }

    /// `1.23`, `12.3` or `123`, cut off rather than rounded up to the next unit, without zeros at the end.
    private static func threeDigits(_ value: Double) -> String {
        let places = value < 10 ? 100.0 : value < 100 ? 10.0 : 1.0
        let cut = (value * places + 1e-9).rounded(.down) / places
        return cut == cut.rounded() ? String(Int(cut)) : "\(cut)"
    }

    /// Digits in groups: `12,345`.
    static func count(_ value: Int) -> String {
        let digits = String(value.magnitude)
        var out = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { out += "," }
            out.append(digit)
        }
        return value < 0 ? "-" + out : out
    }

    /// `1 span`, `2 spans`.
    static func count(_ value: Int, _ noun: String) -> String { "\(count(value)) \(noun)\(value == 1 ? "" : "s")" }

    /// `870 B`, `1.2 KiB`, `12 GiB`.
    static func bytes(_ value: UInt64) -> String {
        var amount = Double(value)
        for unit in ["B", "KiB", "MiB", "GiB"] {
            if amount < 1024 { return "\(threeDigits(amount)) \(unit)" }
            amount /= 1024
        }
        return "\(threeDigits(amount)) TiB"
    }

    /// The same of a count.
    static func bytes(_ value: Int) -> String { bytes(UInt64(clamping: value)) }

    /// `2026-11-22 23:10:01.123` in UTC.
    static func time(_ unixNanos: UInt64) -> String {
        var seconds = time_t(unixNanos / 1_000_000_000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func padded(_ value: Int32, _ digits: Int = 2) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(0, digits - text.count)) + text
        }
        let date = "\(padded(parts.tm_year + 1900, 4))-\(padded(parts.tm_mon + 1))-\(padded(parts.tm_mday))"
        let clock = "\(padded(parts.tm_hour)):\(padded(parts.tm_min)):\(padded(parts.tm_sec))"
        return "\(date) \(clock).\(padded(Int32(unixNanos / 1_000_000 % 1000), 3))"
    }

    /// Nanoseconds of `90s`, `1h`, `7d` or `1h30m`; `nil` for anything else.
    static func nanos(_ text: String) -> UInt64? {
        let units: [String: UInt64] = [
            "ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000, "m": 60_000_000_000, "h": 3_600_000_000_000,
            "d": 86_400_000_000_000, "w": 604_800_000_000_000,
        ]
        var rest = text[...]
        var total: UInt64 = 0
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            let name = rest.prefix { $0.isASCII && $0.isLetter }
            rest = rest.dropFirst(name.count)
            guard let value = UInt64(digits), let unit = units[String(name)] else { return nil }
            let (part, isLong) = value.multipliedReportingOverflow(by: unit)
            let (sum, isLonger) = total.addingReportingOverflow(part)
            if isLong || isLonger { return nil }
            total = sum
        }
        return total
    }
}
