// SPDX-License-Identifier: Apache-2.0
import SkeinStore

/// A metric as which sums of spans are told, by the names, labels and units of Tempo's metrics-generator (3.0, "Span
/// metrics" and "Service graphs").
struct SpanMetric: Hashable, Sendable {
    var family: Family
    var part: Part

    /// Metrics that are one to whoever describes them.
    enum Family: Hashable, Sendable, CaseIterable {
        case calls, latency
        case requests, failedRequests, serverSeconds, clientSeconds
    }

    /// A counter has one; a classic histogram has the other three.
    enum Part: Hashable, Sendable {
        case total, bucket, sum, count
    }

    /// Every metric, in the order of its families.
    static let all: [SpanMetric] = Family.allCases.flatMap { family in
        family.parts.map { SpanMetric(family: family, part: $0) }
    }

    /// As in `traces_spanmetrics_latency_bucket`.
    var name: String {
        switch part {
        case .total: family.name
        case .bucket: family.name + "_bucket"
        case .sum: family.name + "_sum"
        case .count: family.name + "_count"
        }
    }

    /// How many numbers it has for each sort of spans: one, or one a bucket.
    var width: Int { part == .bucket ? family.bounds.texts.count : 1 }

    /// What makes a value of a sum of ``RollupRow/add(_:to:at:)``.
    func value(_ sum: Int128) -> Double {
        let value = Double(sum) / DurationDistribution.unitsPerSpan
        return part == .sum ? value / 1e9 : value
    }
}

extension SpanMetric.Family {
    var name: String {
        switch self {
        case .calls: "traces_spanmetrics_calls_total"
        case .latency: "traces_spanmetrics_latency"
        case .requests: "traces_service_graph_request_total"
        case .failedRequests: "traces_service_graph_request_failed_total"
        case .serverSeconds: "traces_service_graph_request_server_seconds"
        case .clientSeconds: "traces_service_graph_request_client_seconds"
        }
    }

    var help: String {
        switch self {
        case .calls: "Spans, each by its weight."
        case .latency: "Durations of spans in seconds."
        case .requests: "Requests from client to server."
        case .failedRequests: "Requests of which either end has status error."
        case .serverSeconds: "Durations of requests in seconds as the server measures them; the client where none does."
        case .clientSeconds: "Durations of requests in seconds as the client measures them."
        }
    }

    var isHistogram: Bool { parts.count > 1 }

    /// Whether it is of calls between services, not of spans.
    var isServiceGraph: Bool { self != .calls && self != .latency }

    /// The buckets of a histogram.
    var bounds: LatencyBounds { isServiceGraph ? .requests : .spans }

    var parts: [SpanMetric.Part] {
        switch self {
        case .calls, .requests, .failedRequests: [.total]
        case .latency, .serverSeconds, .clientSeconds: [.bucket, .sum, .count]
        }
    }
}
