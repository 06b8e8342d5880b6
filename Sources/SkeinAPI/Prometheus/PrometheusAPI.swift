// SPDX-License-Identifier: Apache-2.0
import SkeinWire

/// The query API of Prometheus (HTTP API v1, as of 3.0) over the metrics that Tempo's metrics-generator makes of spans: what
/// Grafana asks for its service graph and for rates, errors and durations. Nothing is scraped or kept for it; see
/// ``SpanMetric`` for the metrics and ``PromQL`` for the language. Where we differ is said in `docs/api.md`.
enum PrometheusAPI {
    static let routes: [Route] =
        [
            ("query", query), ("query_range", queryRange), ("query_exemplars", exemplars), ("labels", labelNames),
            ("series", series),
        ].flatMap { path, answer in
            // A form may be sent in the body, since queries grow longer than URLs may be.
            ["GET", "POST"].map { Route($0, "/api/v1/\(path)", answer) }
        } + [
            Route("GET", "/api/v1/label/{name}/values", labelValues),
            Route("GET", "/api/v1/metadata", metadata),
            Route("GET", "/api/v1/status/buildinfo", buildInformation),
        ]

    static func response(for error: APIError) -> APIResponse {
        .json(status: error.status) { json in
            json.object { json in
                json.member("status", "error")
                json.member("errorType", errorType(of: error))
                json.member("error", error.detail)
            }
        }
    }

    /// The words that Prometheus has for kinds of errors.
    private static func errorType(of error: APIError) -> String {
        switch error.status {
        case 404: "not_found"
        case 422: "execution"
        case 499: "canceled"
        case 429, 503: "unavailable"
        case 504: "timeout"
        case 500...: "internal"
        default: "bad_data"
        }
    }
}

extension APIResponse {
    /// An answer of Prometheus: `write` writes the value of `data`.
    static func prometheus<E: Error>(
        capacity: Int = 1024,
        warnings: [String] = [],
        _ write: (inout JSONWriter) throws(E) -> Void
    ) throws(E) -> APIResponse {
        try .json(capacity: capacity) { json throws(E) in
            try json.object { json throws(E) in
                json.member("status", "success")
                json.key("data")
                try write(&json)
                guard !warnings.isEmpty else { return }
                json.array("warnings") { json in
                    for warning in warnings { json.string(warning) }
                }
            }
        }
    }
}

extension JSONWriter {
    /// Labels as an object.
    mutating func labels(_ labels: LabelSet) {
        object { json in
            for label in labels.labels {
                json.key(text: label.name)
                json.string(label.value)
            }
        }
    }

    /// A moment in milliseconds since 1970, as seconds.
    mutating func seconds(millis: Int) {
        if millis % 1_000 == 0 { int(millis / 1_000) } else { double(Double(millis) / 1_000) }
    }
}
