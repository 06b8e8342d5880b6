// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// What a rollup says of one sort of spans, or of the calls between two ends, in the terms of metrics.
struct RollupRow {
    let key: Key
    /// In units of ``DurationDistribution``.
    let count: Int64
    private let failedCount: Int64
    private let durations: DurationDistribution
    private let clientDurations: DurationDistribution

    /// What tells rows apart.
    struct Key: Hashable, Sendable {
        /// Whether it is of calls.
        let isServiceGraph: Bool
        /// Service or client; `nil` for those that are not told apart.
        let first: ExactText?
        /// Span name or server; `nil` for those that are not told apart.
        let second: ExactText?
        /// Kind or connection type.
        let detail: UInt8
        let status: UInt8
    }

    init(_ operation: OperationRollup) {
        key = Key(
            isServiceGraph: false,
            first: operation.service.map { ExactText($0) },
            second: operation.operation.map { ExactText($0) },
            detail: operation.kind.rawValue,
            status: operation.status.rawValue
        )
        durations = operation.durations
        clientDurations = DurationDistribution()
        count = durations.units
        failedCount = 0
    }

    init(_ edge: EdgeRollup) {
        key = Key(
            isServiceGraph: true,
            first: edge.client.map { ExactText($0) },
            second: edge.server.map { ExactText($0) },
            detail: edge.connectionType.rawValue,
            status: 0
        )
        // Where the server sends no spans the client is asked, as Tempo does for databases.
        durations = edge.serverDurations.units != 0 ? edge.serverDurations : edge.clientDurations
        clientDurations = edge.clientDurations
        count = Self.units(edge.callCount)
        failedCount = Self.units(edge.errorCount)
    }

    private static func units(_ count: Double) -> Int64 {
        Int64(exactly: (count * DurationDistribution.unitsPerSpan).rounded()) ?? .max
    }

    /// Whether there is anything to count in this family.
    func has(_ family: SpanMetric.Family) -> Bool {
        switch family {
        case .calls, .requests, .failedRequests: true
        case .latency, .serverSeconds: durations.units != 0
        case .clientSeconds: clientDurations.units != 0
        }
    }

    /// Adds what the row says of `metric` to its sums, which begin at `place`: ``SpanMetric/width`` of them, those of buckets
    /// not cumulative. ``SpanMetric/value(_:)`` makes values of sums.
    func add(_ metric: SpanMetric, to sums: inout [Int128], at place: Int) {
        let durations = metric.family == .clientSeconds ? clientDurations : durations
        switch metric.part {
        case .total: sums[place] += Int128(metric.family == .failedRequests ? failedCount : count)
        case .count: sums[place] += Int128(durations.units)
        case .sum: sums[place] += durations.unitNanos
        case .bucket:
            let bounds = metric.family.bounds
            for bucket in durations.buckets {
                sums[place + bounds.place(ofBucket: bucket.number)] += Int128(bucket.units)
            }
        }
    }

    /// The trace that shows what a family speaks of, and the duration of its span.
    func exemplar(of family: SpanMetric.Family) -> DurationDistribution.Exemplar? {
        family == .clientSeconds ? clientDurations.exemplar : durations.exemplar
    }
}

extension RollupRow.Key {
    /// The labels of its series in the order in which they are written, also those without a value.
    var labels: [LabelSet.Label] {
        let (first, second) = (first?.text ?? "", second?.text ?? "")
        var labels =
            isServiceGraph
            ? [
                .init("client", first), .init("server", second),
                .init("connection_type", ConnectionType(rawValue: detail)?.name ?? ""),
            ]
            : [
                LabelSet.Label("service", first), .init("span_name", second),
                .init("span_kind", Self.name(Span.Kind(rawValue: detail) ?? .unspecified)),
                .init("status_code", Self.name(Span.Status.Code(rawValue: status) ?? .unset)),
            ]
        if self.first == nil || self.second == nil { labels.append(LabelSet.overflow) }
        return labels
    }

    /// As OTLP spells it (`opentelemetry/proto/trace/v1/trace.proto`, 1.5).
    private static func name(_ kind: Span.Kind) -> String {
        switch kind {
        case .unspecified: "SPAN_KIND_UNSPECIFIED"
        case .internal: "SPAN_KIND_INTERNAL"
        case .server: "SPAN_KIND_SERVER"
        case .client: "SPAN_KIND_CLIENT"
        case .producer: "SPAN_KIND_PRODUCER"
        case .consumer: "SPAN_KIND_CONSUMER"
        }
    }

    private static func name(_ status: Span.Status.Code) -> String {
        switch status {
        case .unset: "STATUS_CODE_UNSET"
        case .ok: "STATUS_CODE_OK"
        case .error: "STATUS_CODE_ERROR"
        }
    }
}

extension RollupSlice {
    /// What it says of spans, or of calls between services.
    func rows(ofServiceGraph isServiceGraph: Bool) -> [RollupRow] {
        isServiceGraph ? edges.map { RollupRow($0) } : operations.map { RollupRow($0) }
    }
}
