// SPDX-License-Identifier: Apache-2.0

/// Moments as text (RFC 3339 §5.6), to and from nanoseconds since 1970-01-01 UTC.
package enum RFC3339 {
    /// Reads `2026-11-22T10:00:00.123456789Z` or with an offset; `nil` for anything else. Digits of a second beyond the
    /// ninth are cut off. Moments before 1970 read as 0, those after 2554 as `UInt64.max`. A blank stands for the `+`
    /// of the offset, since a client that forgot to escape it sends one.
    package static func parse(_ text: String) -> UInt64? { parse(utf8: text.utf8) }

    /// The same of text in bytes.
    package static func parse(utf8 text: some Collection<UInt8>) -> UInt64? {
        guard let (seconds, nanos) = moment(text) else { return nil }
        guard seconds >= 0 else { return 0 }
        let (scaled, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, overflowToo) = scaled.addingReportingOverflow(UInt64(nanos))
        return overflow || overflowToo ? .max : sum
    }

    /// Whether a text is a moment before 1970, which ``parse(_:)`` takes for 0.
    package static func isBefore1970(_ text: String) -> Bool { moment(text.utf8).map { $0.seconds < 0 } ?? false }

    /// Seconds since 1970, which may be below 0, and nanoseconds after them.
    private static func moment(_ text: some Collection<UInt8>) -> (seconds: Int, nanos: Int)? {
        var rest = Array(text)[...]
        guard let year = digits(&rest, 4), eat(&rest, "-"), let month = digits(&rest, 2), eat(&rest, "-"),
            let day = digits(&rest, 2), eat(&rest, "Tt "), let hour = digits(&rest, 2), eat(&rest, ":"),
            let minute = digits(&rest, 2), eat(&rest, ":"), let second = digits(&rest, 2),
            (1...12).contains(month), (1...daysInMonth(month, ofYear: year)).contains(day), hour < 24, minute < 60,
            second <= 60
        else { return nil }
        var nanos = 0
        if eat(&rest, ".") {
            guard let first = rest.first, isDigit(first) else { return nil }
            var unit = 100_000_000
            while let digit = rest.first, isDigit(digit) {
                nanos += Int(digit - 0x30) * unit
                unit /= 10
                rest.removeFirst()
            }
        }
        var offsetSeconds = 0
        if !eat(&rest, "Zz") {
            let isEast = rest.first != UInt8(ascii: "-")
            guard eat(&rest, "+- "), let hours = digits(&rest, 2), eat(&rest, ":"), let minutes = digits(&rest, 2),
                hours < 24, minutes < 60
            else { return nil }
            offsetSeconds = (hours * 60 + minutes) * (isEast ? 60 : -60)
        }
        guard rest.isEmpty else { return nil }
        // Years have four digits, so that nothing here comes near the bounds of Int.
        let seconds =
            days(year: year, month: month, day: day) * 86400 + hour * 3600 + minute * 60 + second - offsetSeconds
        return (seconds, nanos)
    }

    /// As `2026-11-22T10:00:00.123456789Z`, always nine digits of a second.
    package static func format(_ unixNanos: UInt64) -> String {
        let seconds = Int(unixNanos / 1_000_000_000)
        let date = date(day: seconds / 86400)
        let second = seconds % 86400
        func padded(_ value: Int, _ width: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
        }
        let day = "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))"
        let time = "\(padded(second / 3600, 2)):\(padded(second / 60 % 60, 2)):\(padded(second % 60, 2))"
        return "\(day)T\(time).\(padded(Int(unixNanos % 1_000_000_000), 9))Z"
    }

    /// The same with as many digits of a second as it takes: none, 3, 6 or 9 (proto3, "JSON Mapping" of `Timestamp`).
    package static func formatShort(_ unixNanos: UInt64) -> String {
        var text = format(unixNanos)
        text.removeLast()
        while text.hasSuffix("000") { text.removeLast(3) }
        if text.hasSuffix(".") { text.removeLast() }
        return text + "Z"
    }

    /// Days since 1970-01-01 in the Gregorian calendar. Years are counted from March, so that the leap day is the last
    /// of its year; 146,097 days are 400 years.
    private static func days(year: Int, month: Int, day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// The inverse of ``days(year:month:day:)`` for days from 1970 on.
    private static func date(day: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = day + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let dayOfMonth = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfMonth)
    }

    private static func daysInMonth(_ month: Int, ofYear year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private static func digits(_ rest: inout ArraySlice<UInt8>, _ count: Int) -> Int? {
        guard rest.count >= count, rest.prefix(count).allSatisfy(isDigit) else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count).reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    private static func eat(_ rest: inout ArraySlice<UInt8>, _ anyOf: StaticString) -> Bool {
        guard let byte = rest.first, anyOf.withUTF8Buffer({ $0.contains(byte) }) else { return false }
        rest.removeFirst()
        return true
    }
}
