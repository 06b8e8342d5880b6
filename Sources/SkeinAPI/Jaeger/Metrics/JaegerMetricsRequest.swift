// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// What the Monitor tab of Jaeger's page asks of services: figures over time, a point every ``stepNanos``.
struct JaegerMetricsRequest {
    /// Which figure a point is.
    enum Figure: Hashable {
        /// The duration that this share of calls, 0…1, does not exceed, in milliseconds.
        case latency(quantile: Double)
        /// Calls a second.
        case calls
        /// Failed calls of all calls, 0…1.
        case errors
    }

    var figure: Figure
    /// In the order asked for, each once; empty for spans without a service name.
    var services: [String]
    /// Whether each operation of a service has figures of its own.
    var groupsByOperation: Bool
    /// Spans of these kinds are the calls.
    var kinds: Set<Span.Kind>
    /// Of the first point, nanoseconds since 1970.
    var startUnixNanos: UInt64
    var stepNanos: UInt64
    /// 1…11,000, the most that Prometheus answers too.
    var pointCount: Int
    /// How far back each point looks.
    var windowNanos: UInt64

    private static let pointCountMax: UInt64 = 11_000
    /// Most slices of sums that are read for an answer.
    private static let sliceCountMax: UInt64 = 11_000

    /// Reads the parameters. `now` is the end unless `endTs` says another.
    init(_ figure: Figure, _ call: APICall, now: UInt64) throws(APIError) {
        self.figure = figure
        services = try Self.services(call)
        groupsByOperation = try call.goBool("groupByOperation")
        kinds = try Self.kinds(call)
        let end = try call.milliseconds("endTs") ?? now
        let lookback = try call.milliseconds("lookback") ?? 3600 * 1_000_000_000
        stepNanos = try call.milliseconds("step") ?? 5 * 1_000_000_000
        windowNanos = max(try call.milliseconds("ratePer") ?? 600 * 1_000_000_000, RollupGrid.minuteNanos)
        guard stepNanos > 0 else { throw .invalid("step", "'step' should be greater than 0 milliseconds") }
        startUnixNanos = end - min(lookback, end)
        let steps = (end - startUnixNanos) / stepNanos
        guard steps < Self.pointCountMax else {
            throw .invalid(
                "step",
                "'step' cuts 'lookback' into \(steps) points, the limit is \(Self.pointCountMax): take a longer step"
            )
        }
        pointCount = Int(steps) + 1
        let slices = (end - firstUnixNanos) / sliceNanos
        guard slices < Self.sliceCountMax else {
            throw .invalid(
                "lookback",
                "'lookback' reaches over \(slices) sums of \(sliceNanos / RollupGrid.minuteNanos) minutes, the limit is "
                    + "\(Self.sliceCountMax): take a shorter lookback or a longer 'ratePer'"
            )
        }
    }

    /// Of point `index`, nanoseconds since 1970.
    func unixNanos(ofPoint index: Int) -> UInt64 { startUnixNanos + UInt64(index) * stepNanos }

    /// The whole minutes that the window of a point touches; spans that start in them make the point.
    func window(ofPoint index: Int) -> TimeRange {
        let minute = RollupGrid.minuteNanos
        let end = unixNanos(ofPoint: index)
        let start = end - min(windowNanos, end)
        let (ceiling, overflow) = (end / minute + (end % minute == 0 ? 0 : 1)).multipliedReportingOverflow(by: minute)
        return TimeRange(start: start / minute * minute, end: overflow ? .max : ceiling)
    }

    /// The first moment that any point looks at.
    var firstUnixNanos: UInt64 { window(ofPoint: 0).start }

    /// The length of the slices of sums that points are made of: a tenth of a window, in whole minutes.
    var sliceNanos: UInt64 { max(1, windowNanos / 10 / RollupGrid.minuteNanos) * RollupGrid.minuteNanos }

    /// The names of `service=a&service=b`. Jaeger's page joins them into `service=a,service=b`.
    private static func services(_ call: APICall) throws(APIError) -> [String] {
        var services: [String] = []
        for value in call.request.queryValues("service") {
            for name in value.split(separator: ",service=").map(String.init) {
                let name = name == JaegerAPI.namelessService ? "" : name
                if !services.contains(where: { $0.isExactly(name) }) { services.append(name) }
            }
        }
        guard !services.isEmpty else {
            throw APICall.unreadable("service", "please provide at least one service name")
        }
        return services
    }

    private static func kinds(_ call: APICall) throws(APIError) -> Set<Span.Kind> {
        var kinds: Set<Span.Kind> = []
        for name in call.request.queryValues("spanKind") {
            guard let kind = Span.Kind.allCases.first(where: { "\($0)" == name }) else {
                throw APICall.unreadable("spanKind", "unsupported span kind: '\(name.prefix(100))'")
            }
            kinds.insert(kind)
        }
        return kinds.isEmpty ? [.server] : kinds
    }
}
