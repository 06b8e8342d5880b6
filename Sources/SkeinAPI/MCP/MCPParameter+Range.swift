// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinStore

/// The range of time that a tool speaks of.
extension MCPParameter {
    static let since = text(
        "since",
        "How far to look back from now, such as 15m, 6h or 7d; instead of start."
    )
    static let start = text("start", "Only spans that start at or after this time: RFC 3339 or nanoseconds since 1970.")
    static let end = text(
        "end",
        "Only spans that start before this time: RFC 3339 or nanoseconds since 1970. Now unless said."
    )
}

extension APICall {
    /// The range of `since`, `start` and `end`; `usual` is how far back it goes, in nanoseconds, when none of them is there,
    /// `nil` for all of time.
    func toolRange(_ api: API, usual: UInt64?) throws(APIError) -> TimeRange {
        func value(_ name: String) -> String? { request.query(name).flatMap { $0.isEmpty ? nil : $0 } }
        guard let since = value("since") else {
            if value("start") != nil || usual == nil { return try timeRange() }
            let end = try time("end") ?? api.clock.unixNanos
            return TimeRange(start: end - min(end, usual ?? 0), end: end)
        }
        guard value("start") == nil else {
            throw .invalid("since", "since and start are both there: leave one of them out.")
        }
        let nanos: Int64
        do throws(GoDuration.Failure) {
            nanos = try GoDuration.parse(since, withDays: true)
        } catch {
            throw .invalid("since", "\(Self.shown(since)) is no duration: expected one as in 15m, 6h or 7d.")
        }
        guard nanos > 0 else { throw .invalid("since", "since is \(since): it takes more than nothing.") }
        let now = api.clock.unixNanos
        let range = TimeRange(start: now - min(now, UInt64(nanos)), end: try time("end") ?? .max)
        guard range.start <= range.end else {
            throw .invalid("end", "end lies before the time that since begins at: take a longer since.")
        }
        return range
    }
}

extension MCPText {
    /// A moment, to the millisecond.
    static func moment(_ unixNanos: UInt64) -> String { "\(RFC3339.format(unixNanos).prefix(23))Z" }

    /// A range in words, such as `from 2026-11-22T09:00:00Z to now`.
    static func range(_ range: TimeRange) -> String {
        let start = range.start == 0 ? "of all time" : "from \(moment(range.start))"
        return range.end == .max ? range.start == 0 ? start : "\(start) on" : "\(start) up to \(moment(range.end))"
    }
}
