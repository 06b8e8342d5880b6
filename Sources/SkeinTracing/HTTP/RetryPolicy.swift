// SPDX-License-Identifier: Apache-2.0

/// When an export is tried again: at growing intervals, each somewhat longer or shorter by chance, so that many processes do not
/// come back at once (OTLP 1.9, "Retryable response codes" and "OTLP/HTTP Throttling").
struct RetryPolicy: Hashable, Sendable {
    /// Tries in all, the first included.
    var attemptCountMax = 5
    var firstDelay = Duration.seconds(1)
    /// Each delay is so many times the one before.
    var growth = 1.5
    var delayMax = Duration.seconds(5)
    /// By which part of itself a delay may be longer or shorter: 0 to 1.
    var jitter = 0.2

    /// How long to wait after so many tries that failed. `chance` is from 0 to 1. A server that names a time is obeyed: not
    /// earlier than that.
    func delay(afterFailures count: Int, chance: Double, retryAfter: Duration? = nil) -> Duration {
        var delay = firstDelay
        for _ in 1..<max(count, 1) where delay < delayMax { delay = delay * growth }
        delay = min(delay, delayMax) * (1 + jitter * (2 * chance - 1))
        return max(delay, retryAfter ?? .zero)
    }
}

/// The header `Retry-After` (RFC 9110 §10.2.3): seconds or a date.
enum RetryAfter {
    /// How long from `nowUnixSeconds` on; `nil` for what is neither, zero for what has passed.
    static func duration(_ header: String, nowUnixSeconds: Int64) -> Duration? {
        let text = header.trimmingBlanks
        if !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            return .seconds(Int64(text) ?? Int64(Int32.max))
        }
        return unixSeconds(ofDate: text).map { .seconds(max($0 - nowUnixSeconds, 0)) }
    }

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7, IMF-fixdate; the two forms that are obsolete are not read).
    private static func unixSeconds(ofDate text: Substring) -> Int64? {
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[5] == "GMT", let day = Int64(parts[1]), (1...31).contains(day),
            let month = months.firstIndex(of: String(parts[2])), let year = Int64(parts[3]),
            (1970...9999).contains(year)
        else { return nil }
        let time = parts[4].split(separator: ":").map { Int64($0) ?? -1 }
        guard time.count == 3, (0...23).contains(time[0]), (0...59).contains(time[1]), (0...60).contains(time[2]) else {
            return nil
        }
        return days(year, Int64(month) + 1, day) * 86_400 + time[0] * 3_600 + time[1] * 60 + time[2]
    }

    /// Days since 1970-01-01 in the Gregorian calendar, of years that begin in March so that a leap day is the last.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
    }
}

extension StringProtocol where SubSequence == Substring {
    /// Without spaces and tabs at both ends.
    var trimmingBlanks: Substring {
        var rest = self[...]
        while let first = rest.first, first == " " || first == "\t" { rest.removeFirst() }
        while let last = rest.last, last == " " || last == "\t" { rest.removeLast() }
        return rest
    }
}
