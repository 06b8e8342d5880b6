// SPDX-License-Identifier: Apache-2.0
import SkeinPipeline
import SkeinWire

/// What an expression comes to, at one moment and over time.
extension PrometheusAPI {
    static func query(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let parameters = PrometheusParameters(call, api)
        let moment = try parameters.moment("time") ?? parameters.now
        let expression = try parameters.expression()
        var evaluator = PromQL.Evaluator(api, call, PromQL.Moments(at: moment, now: parameters.now))
        let value = try await evaluator.evaluate(expression)
        var response = APIResponse.prometheus(capacity: 256 + value.seriesCount * 256) { json in
            json.object { json in
                json.member("resultType", value.instantType)
                json.key("result")
                write(value, at: moment, to: &json)
            }
        }
        response.memory = evaluator.room.memory
        return response
    }

    static func queryRange(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let parameters = PrometheusParameters(call, api)
        let moments = try parameters.moments()
        let expression = try parameters.expression()
        guard expression.kind != .string else {
            throw .invalid("query", "a text has no values over time: ask for a number or an instant vector.")
        }
        var evaluator = PromQL.Evaluator(api, call, moments)
        let series = try await evaluator.evaluate(expression).series
        var room = evaluator.room
        var response = try APIResponse.prometheus(capacity: 256 + series.count * 64 * min(moments.count, 64)) {
            json throws(APIError) in
            try json.object { json throws(APIError) in
                json.member("resultType", "matrix")
                try json.array("result") { json throws(APIError) in
                    for one in series where one.values.contains(where: { $0 != nil }) {
                        write(one, moments, to: &json)
                        try room.hold(json.count)
                    }
                }
            }
        }
        response.memory = room.memory
        return response
    }

    private static func write(_ value: PromQL.Value, at moment: Int, to json: inout JSONWriter) {
        switch value {
        case .scalar(let values): write(values[0], at: moment, to: &json)
        case .string(let text):
            json.array { json in
                json.seconds(millis: moment)
                json.string(text)
            }
        case .vector(let series):
            json.array { json in
                for one in series {
                    guard let value = one.values[0] else { continue }
                    json.object { json in
                        json.key("metric")
                        json.labels(one.labels)
                        json.key("value")
                        write(value, at: moment, to: &json)
                    }
                }
            }
        }
    }

    private static func write(_ series: PromQL.SampleSeries, _ moments: PromQL.Moments, to json: inout JSONWriter) {
        json.object { json in
            json.key("metric")
            json.labels(series.labels)
            json.array("values") { json in
                for (index, value) in series.values.enumerated() {
                    if let value { write(value, at: moments[index], to: &json) }
                }
            }
        }
    }

    private static func write(_ value: Double, at moment: Int, to json: inout JSONWriter) {
        json.array { json in
            json.seconds(millis: moment)
            json.string(PrometheusText.number(value))
        }
    }
}

extension PromQL.Value {
    fileprivate var instantType: String {
        switch self {
        case .scalar: "scalar"
        case .string: "string"
        case .vector: "vector"
        }
    }

    fileprivate var seriesCount: Int { if case .vector(let series) = self { series.count } else { 1 } }

    /// As series; a number is one without labels.
    fileprivate var series: [PromQL.SampleSeries] {
        switch self {
        case .scalar(let values): [PromQL.SampleSeries(labels: LabelSet(), values: values.map { $0 })]
        case .vector(let series): series
        case .string: []
        }
    }
}
