// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinWire

/// What the Monitor tab of Jaeger's page shows, from the sums that the store keeps by minute.
extension JaegerAPI {
    static func latencies(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let text = call.request.query("quantile") ?? ""
        guard let quantile = Double(text) else {
            throw APICall.unreadable("quantile", "strconv.ParseFloat: parsing \(GoText.quote(text)): invalid syntax")
        }
        guard (0...1).contains(quantile) else {
            throw APICall.unreadable("quantile", "\(text.prefix(100)) is out of bounds, it takes 0 to 1")
        }
        return try await metrics(.latency(quantile: quantile), api, call)
    }

    static func calls(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        try await metrics(.calls, api, call)
    }

    static func errors(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        try await metrics(.errors, api, call)
    }

    /// The shortest step that shows anything new, in milliseconds.
    static func shortestStep(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        envelope(call) { json in json.int(RollupGrid.minuteNanos / 1_000_000) }
    }

    /// Slices of sums are read for this long at a time. In whole hours, since that is how long the slices of what is long
    /// past may be.
    private static let readNanos: UInt64 = 4 * 3600 * 1_000_000_000

    private static func metrics(
        _ figure: JaegerMetricsRequest.Figure,
        _ api: API,
        _ call: APICall
    ) async throws(APIError) -> APIResponse {
        let now = api.clock.unixNanos
        let request = try JaegerMetricsRequest(figure, call, now: now)
        var room = AnswerRoom(api.answers, remedy: "take a longer 'step' or fewer services")
        var metrics = JaegerMetrics(request, now: now)
        var start = request.firstUnixNanos
        let end = request.window(ofPoint: request.pointCount - 1).end
        while start < end {
            let (multiple, overflow) = (start / readNanos + 1).multipliedReportingOverflow(by: readNanos)
            let range = TimeRange(start: start, end: overflow ? end : min(end, multiple))
            let slices = try await api.ask(call) { store throws(StoreError) in
                try await store.rollup(range, step: request.sliceNanos)
            }
            for slice in slices {
                metrics.add(slice)
                try room.hold(source: metrics.byteCount)
            }
            start = range.end
        }
        metrics.finish()
        var response = try response(request, metrics.series, isPretty: isPretty(call), &room)
        response.memory = room.memory
        return response
    }

    /// A `MetricFamily` (jaeger.api_v2.metrics) in the JSON of Protocol Buffers, without Jaeger's envelope.
    private static func response(
        _ request: JaegerMetricsRequest,
        _ series: [JaegerMetrics.Series],
        isPretty: Bool,
        _ room: inout AnswerRoom
    ) throws(APIError) -> APIResponse {
        let (name, help) = title(of: request)
        var json = JSONWriter(capacity: min(4096 + series.count * request.pointCount * 96, room.textByteCountMax))
        try json.object { json throws(APIError) in
            json.member("name", name)
            json.member("type", "GAUGE")
            json.member("help", help)
            try json.array("metrics") { json throws(APIError) in
                for series in series {
                    write(series, request, to: &json)
                    try room.hold(json.count)
                }
            }
        }
        return isPretty
            ? .json(bytes: JSONIndentation.indented(json.bytes)) : .json(json.finish())
    }

    private static func title(of request: JaegerMetricsRequest) -> (name: String, help: String) {
        let prefix = request.groupsByOperation ? "service_operation" : "service"
        let groups = request.groupsByOperation ? "by service and operation" : "by service"
        return switch request.figure {
        case .latency(let quantile):
            ("\(prefix)_latencies", "duration that a share of \(quantile) of calls does not exceed, in ms, \(groups)")
        case .calls: ("\(prefix)_call_rate", "calls a second, \(groups)")
        case .errors: ("\(prefix)_error_rate", "share of calls that failed, \(groups)")
        }
    }

    private static func write(
        _ series: JaegerMetrics.Series,
        _ request: JaegerMetricsRequest,
        to json: inout JSONWriter
    ) {
        func writeLabel(_ name: StaticString, _ value: String, to json: inout JSONWriter) {
            json.object { json in
                json.key("name")
                json.string(word: name)
                json.member("value", value)
            }
        }
        json.object { json in
            json.array("labels") { json in
                let service = request.services[series.service]
                writeLabel("service_name", service.isEmpty ? namelessService : service, to: &json)
                if let operation = series.operation { writeLabel("operation", operation, to: &json) }
            }
            json.array("metricPoints") { json in
                for point in 0..<request.pointCount {
                    // Before the first call there were none.
                    let value =
                        point < series.firstPoint
                        ? (request.figure == .calls ? 0 : .nan) : series.points[point - series.firstPoint]
                    json.object { json in
                        json.object("gaugeValue") { $0.member("doubleValue", value) }
                        json.member("timestamp", RFC3339.formatShort(request.unixNanos(ofPoint: point)))
                    }
                }
            }
        }
    }
}
