// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import SkeinTraceQL

/// `tempopb.SearchResponse`.
///
///     SearchResponse { 1 traces*, 2 metrics }
///     TraceSearchMetadata { 1 traceID, 2 rootServiceName, 3 rootTraceName, 4 startTimeUnixNano, 5 durationMs,
///                           6 spanSet, 7 spanSets*, 8 serviceStats<string, { 1 spanCount, 2 errorCount }> }
///     SpanSet { 1 spans* { 1 spanID, 2 name, 3 startTimeUnixNano, 4 durationNanos, 5 attributes* }, 2 matched,
///               3 attributes* }
struct TempoSearchAnswer: Message {
    private(set) var traces: [(summary: TraceSummary, match: TraceMatch)] = []
    var metrics = TempoMetrics()
    /// Whether traces were found by tags: then their spans are not told.
    let hasTags: Bool
    /// Memory that the traces take, roughly.
    private(set) var byteCount = 0

    init(hasTags: Bool) { self.hasTags = hasTags }

    /// Adds the traces of a page.
    mutating func append(_ page: TraceSearchPage) {
        for var trace in page.traces {
            if hasTags {
                trace.match.spansets = []
                trace.summary.services = []
            }
            byteCount += 256 + trace.summary.services.count * 64
            for set in trace.match.spansets {
                byteCount += 64 + set.attributes.reduce(0) { $0 + $1.value.byteCount }
                for span in set.spans { byteCount += 128 + span.attributes.reduce(0) { $0 + $1.value.byteCount } }
            }
            traces.append(trace)
        }
        metrics.inspectedSpanCount += page.inspected.spanCount
        metrics.inspectedByteCount += page.inspected.byteCount
        metrics.blockCount = max(metrics.blockCount, page.inspected.blockCount)
    }

    /// Forgets the traces, but not what was looked at.
    mutating func removeTraces() {
        traces = []
        byteCount = 0
    }

    func write<Writer: MessageWriter & ~Copyable>(to writer: inout Writer, _ room: inout AnswerRoom) throws(APIError) {
        try writer.list(1, "traces", required: true, traces) { trace, writer throws(APIError) in
            Self.write(trace.summary, to: &writer)
            if let first = trace.match.spansets.first {
                writer.field(6, "spanSet") { Self.write(first, to: &$0) }
                writer.list(7, "spanSets", required: true, trace.match.spansets) { Self.write($0, to: &$1) }
            }
            writer.map(8, "serviceStats", trace.summary.services.map { ($0.name, $0) }) { service, writer in
                writer.field(1, "spanCount", uint32: UInt64(service.spanCount))
                writer.field(2, "errorCount", uint32: UInt64(service.errorCount))
            }
            try room.hold(writer.count)
        }
        writer.field(2, "metrics") { metrics.write(to: &$0) }
    }

    private static func write<Writer: MessageWriter & ~Copyable>(_ summary: TraceSummary, to writer: inout Writer) {
        let hasRoot = !summary.rootServiceName.isEmpty || !summary.rootSpanName.isEmpty
        writer.field(1, "traceID", text: shortText(of: summary.traceID))
        writer.field(2, "rootServiceName", text: hasRoot ? summary.rootServiceName : "<root span not yet received>")
        writer.field(3, "rootTraceName", text: summary.rootSpanName)
        writer.field(4, "startTimeUnixNano", uint64: summary.startUnixNanos)
        writer.field(5, "durationMs", uint32: summary.durationNanos / 1_000_000)
    }

    private static func write<Writer: MessageWriter & ~Copyable>(_ set: SpansetMatch, to writer: inout Writer) {
        writer.list(1, "spans", required: false, set.spans) { span, writer in
            writer.field(1, "spanID", text: span.spanID.description)
            writer.field(2, "name", text: span.name)
            writer.field(3, "startTimeUnixNano", uint64: span.startUnixNanos)
            writer.field(4, "durationNanos", uint64: span.durationNanos)
            writer.list(5, "attributes", required: false, span.namedAttributes) { $1.keyValue($0.name, $0.value) }
        }
        writer.field(2, "matched", uint32: UInt64(set.matchedSpanCount))
        writer.list(3, "attributes", required: false, set.attributes) { $1.keyValue($0.name, $0.value) }
    }

    /// The id without zeros at its front.
    private static func shortText(of id: TraceID) -> String { String(id.description.drop { $0 == "0" }) }
}

extension MatchedSpan {
    /// Its attributes by the names of answers, which attributes have without their scope.
    fileprivate var namedAttributes: [(name: String, value: Value)] {
        var named: [(name: String, value: Value)] = []
        for (field, value) in attributes {
            let name =
                switch field {
                case .attribute(_, let key), .parentAttribute(_, let key): key
                case .intrinsic, .parentIntrinsic: field.text
                }
            if !named.contains(where: { $0.name.isExactly(name) && $0.value == value }) { named.append((name, value)) }
        }
        return named
    }
}

extension Value {
    fileprivate var byteCount: Int {
        switch self {
        case .string(let text): 64 + text.utf8.count
        case .array(let elements): elements.reduce(64) { $0 + $1.byteCount }
        case .other(let value): 64 + value.text.utf8.count
        default: 64
        }
    }
}
