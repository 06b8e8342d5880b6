// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinStore
import SkeinTraceQL

/// What `/api/metrics/query_range`, `/api/metrics/query` and the methods of `StreamingQuerier` like them are asked for.
struct TempoSeriesRequest {
    /// Samples that a range may have, at most.
    private static let sampleCountMax: UInt64 = 10_000
    private static let exemplarCountUsual: UInt64 = 100
    private static let exemplarCountMax: UInt64 = 1_000
    private static let seriesCountUsual: UInt64 = 1_000
    private static let seriesCountMax: UInt64 = 10_000

    var query: String
    /// Nanoseconds since 1970.
    var start: UInt64
    /// Nanoseconds since 1970.
    var end: UInt64
    /// Nanoseconds; 0 for what suits the range. An instant query has none: it has one sample, of the whole range.
    var step: UInt64?
    /// Most exemplars; 0 for the usual number.
    var exemplarCount: UInt64 = 0
    /// Most series; 0 for the usual number.
    var seriesCount: UInt64 = 0

    /// The question of the gRPC methods.
    init(query: String, start: UInt64, end: UInt64, step: UInt64?) {
        (self.query, self.start, self.end, self.step) = (query, start, end, step)
    }

    /// The question of an HTTP request that comes at the moment `now`.
    init(_ call: APICall, isInstant: Bool, now: UInt64) throws(APIError) {
        query = call.value("q") ?? call.value("query") ?? ""
        let since = try call.nanos("since", usual: 3_600_000_000_000)
        end = try call.moment("end") ?? now
        // Who asks into the future means the last hour, not the next.
        let (hourBefore, isBeforeAll) = min(end, now).subtractingReportingOverflow(since)
        start = try call.moment("start") ?? (isBeforeAll ? 0 : hourBefore)
        if !isInstant { step = try call.step() }
        // What is no number is the usual one.
        exemplarCount = call.value("exemplars").flatMap { UInt64($0) } ?? 0
        seriesCount = call.value("maxSeries").flatMap { UInt64($0) } ?? 0
    }

    /// The question as the store understands it.
    func request() throws(APIError) -> SeriesRequest {
        let query = try TempoAPI.parse(query)
        guard start < end else {
            throw .invalid("end", "end must be greater than start. received start=\(start) end=\(end)")
        }
        return SeriesRequest(
            query,
            grid: try grid(),
            exemplarCountMax: Int(exemplarCount(query)),
            seriesCountMax: Int(seriesCount == 0 ? Self.seriesCountUsual : min(seriesCount, Self.seriesCountMax))
        )
    }

    static var noSeries: APIError {
        .invalid(
            "q",
            "not a metrics query: end it with a function over time, as in { } | rate() or { } | count_over_time()"
        )
    }

    private func grid() throws(APIError) -> SeriesGrid {
        guard let step else { return SeriesGrid(instantFrom: start, to: end) }
        let wanted = step == 0 ? Self.usualStep(end - start) : step
        let least = (end - start).dividedRoundingUp(by: Self.sampleCountMax)
        guard wanted >= least else {
            throw .invalid(
                "step",
                "step of \(Value.text(ofNanos: Int64(clamping: wanted))) is too small, minimum step for given range is "
                    + Value.text(ofNanos: Int64(clamping: least))
            )
        }
        guard let grid = SeriesGrid(start: start, end: end, step: wanted) else {
            throw .invalid("end", "end is too late: times reach to the year 2554")
        }
        return grid
    }

    /// What suits a range of so many nanoseconds: about 240 samples, at least 1 s apart, below a minute 50 ms.
    static func usualStep(_ range: UInt64) -> UInt64 {
        let (second, wanted) = (1_000_000_000 as UInt64, range / 240)
        let grains = range < 60 * second ? [50_000_000] : [3600, 300, 60, 15, 5, 1].map { $0 * second }
        let least = grains[grains.count - 1]
        guard let grain = grains.first(where: { wanted > $0 }) else { return least }
        return wanted / grain * grain
    }

    /// The number that the query itself names comes first.
    private func exemplarCount(_ query: Query) -> UInt64 {
        switch query.hints.last(where: { $0.name == "exemplars" })?.value {
        case .bool(false): 0
        case .int(let count) where count >= 0: min(UInt64(count), Self.exemplarCountMax)
        default: exemplarCount == 0 ? Self.exemplarCountUsual : min(exemplarCount, Self.exemplarCountMax)
        }
    }
}

extension UInt64 {
    fileprivate func dividedRoundingUp(by divisor: UInt64) -> UInt64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder == 0 ? quotient : quotient + 1
    }
}

extension APICall {
    /// A moment: seconds since 1970 in up to ten digits or with a fraction, nanoseconds in more, or RFC 3339; `nil` when
    /// absent. Before 1970 is 0.
    fileprivate func moment(_ name: String) throws(APIError) -> UInt64? {
        guard let text = value(name) else { return nil }
        if text.contains("."), let seconds = Double(text), seconds.isFinite {
            // Milliseconds, as digits beyond are noise of the fraction.
            let millis = (seconds * 1000).rounded()
            return millis <= 0 ? 0 : millis < 1.8e13 ? UInt64(millis) * 1_000_000 : .max
        }
        if let number = Int64(text) {
            let (nanos, isOver) = UInt64(clamping: number).multipliedReportingOverflow(by: 1_000_000_000)
            return text.utf8.count > 10 ? UInt64(clamping: number) : isOver ? .max : nanos
        }
        if let nanos = RFC3339.parse(text) { return nanos }
        throw .invalid(
            name,
            "could not parse '\(name)' parameter: strconv.ParseInt: parsing \(GoText.quote(text)): invalid syntax; "
                + "seconds or nanoseconds since 1970, or RFC 3339, are expected"
        )
    }

    /// A length of time with units, in nanoseconds; `usual` when it is absent.
    fileprivate func nanos(_ name: String, usual: UInt64) throws(APIError) -> UInt64 {
        guard let text = value(name) else { return usual }
        do throws(GoDuration.Failure) {
            return UInt64(max(0, try GoDuration.parse(text, withDays: true)))
        } catch {
            throw .invalid(name, "could not parse '\(name)' parameter: \(error.message)")
        }
    }

    /// Nanoseconds between samples: a number of seconds, or a length of time with units; 0 when it is absent.
    fileprivate func step() throws(APIError) -> UInt64 {
        guard let text = value("step") else { return 0 }
        let nanos: Int64
        if let seconds = Double(text), seconds.isFinite {
            nanos = seconds.magnitude < 9e9 ? Int64(seconds * 1e9) : .max
        } else if let parsed = try? GoDuration.parse(text, withDays: true) {
            nanos = parsed
        } else {
            throw .invalid("step", "cannot parse \(GoText.quote(text)) to a valid duration")
        }
        guard nanos > 0 else { throw .invalid("step", "step must be greater than 0. received \(text.prefix(100))") }
        return UInt64(nanos)
    }
}
