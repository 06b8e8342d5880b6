// SPDX-License-Identifier: Apache-2.0

/// The `Date` header (RFC 9110 §5.6.7), written anew once a second.
struct HTTPDate {
    private var second: UInt64 = .max
    private var text = ""

    /// The date of `unixNanos`.
    mutating func text(unixNanos: UInt64) -> String {
        let now = unixNanos / 1_000_000_000
        if now != second {
            second = now
            text = Self.format(unixSeconds: now)
        }
        return text
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT`.
    static func format(unixSeconds: UInt64) -> String {
        let days = Int(unixSeconds / 86_400)
        let rest = Int(unixSeconds % 86_400)
        // Days since 0000-03-01, in eras of 400 years: leap days fall at the end of a shifted year.
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 2 : monthFromMarch - 10
        let year = yearOfEra + era * 400 + (month < 2 ? 1 : 0)
        let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][days % 7]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return "\(weekday), \(two(day)) \(months[month]) \(year) "
            + "\(two(rest / 3600)):\(two(rest / 60 % 60)):\(two(rest % 60)) GMT"
    }
}
