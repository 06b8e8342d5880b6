// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinPropagation
import SkeinRecording
import Tracing

/// `Tag`s and what has them.
extension ThriftWriter {
    /// `Process { 1 serviceName, 2 tags }` as the first field of a batch.
    mutating func process(_ resource: Resource) {
        let tags = resource.attributes.filter { $0.key != "service.name" }
        structure(1) { writer in
            writer.field(1, text: resource.serviceName.isEmpty ? "unknown_service" : resource.serviceName)
            guard !tags.isEmpty else { return }
            writer.openList(2)
            writer.append(listCount: tags.count)
            for tag in tags { writer.tag(tag.key, RecordedValue(tag.value)) }
        }
    }

    /// `Span { 1 traceIdLow, 2 traceIdHigh, 3 spanId, 4 parentSpanId, 5 operationName, 6 references, 7 flags (i32),
    /// 8 startTime (µs), 9 duration (µs), 10 tags, 11 logs }`.
    mutating func span(_ span: FinishedSpan, scope: Substring) {
        let recording = span.recording
        let state = span.state
        structure { writer in
            writer.field(1, bits: span.spanContext.traceID.low)
            writer.field(2, bits: span.spanContext.traceID.high)
            writer.field(3, bits: span.spanContext.spanID.rawValue)
            writer.field(4, bits: recording.parentSpanID.rawValue)
            writer.field(5, text: state.name)
            writer.references(state.links)
            // 1 sampled, 2 debug.
            writer.field(7, i32: (span.isSampled ? 1 : 0) | (recording.decision == .debug ? 2 : 0))
            let start = recording.startUnixNanos
            writer.field(8, bits: start / 1000)
            writer.field(9, bits: ((state.endUnixNanos ?? start) - start) / 1000)
            writer.tags(10, state.attributes.pairs, own: Self.ownTags(span, state, scope))
            writer.logs(state.events)
        }
    }

    /// `SpanRef { 1 refType (i32: 0 child of, 1 follows from), 2 traceIdLow, 3 traceIdHigh, 4 spanId }`.
    private mutating func references(_ links: [RecordingSpan.Link]) {
        guard !links.isEmpty else { return }
        openList(6)
        append(listCount: links.count)
        for link in links {
            let isChildOf = link.attributes.pairs.contains {
                $0.key == "opentracing.ref_type" && $0.value == .string("child_of")
            }
            structure { writer in
                writer.field(1, i32: isChildOf ? 0 : 1)
                writer.field(2, bits: link.spanContext.traceID.low)
                writer.field(3, bits: link.spanContext.traceID.high)
                writer.field(4, bits: link.spanContext.spanID.rawValue)
            }
        }
    }

    /// `Log { 1 timestamp (µs), 2 fields }`.
    private mutating func logs(_ events: [RecordingSpan.Event]) {
        guard !events.isEmpty else { return }
        openList(11)
        append(listCount: events.count)
        for event in events {
            var own: [(key: String, value: RecordedValue)] = []
            // An attribute of that name goes before the name.
            if !event.attributes.pairs.contains(where: { $0.key == "event" }) {
                own.append(("event", .string(event.name)))
            }
            if event.attributes.droppedCount > 0 {
                own.append(("otel.event.dropped_attributes_count", .int(Int64(event.attributes.droppedCount))))
            }
            structure { writer in
                writer.field(1, bits: event.unixNanos / 1000)
                writer.tags(2, event.attributes.pairs, own: own)
            }
        }
    }

    /// What stands for fields that Jaeger's spans do not have.
    private static func ownTags(
        _ span: FinishedSpan,
        _ state: RecordingSpan.State,
        _ scope: Substring
    ) -> [(key: String, value: RecordedValue)] {
        var tags: [(key: String, value: RecordedValue)] = [("span.kind", .string(span.recording.kind.word))]
        if let status = state.status {
            tags.append(("otel.status_code", .string(status.code == .ok ? "OK" : "ERROR")))
            if let message = status.message, !message.isEmpty {
                tags.append(("otel.status_description", .string(message)))
            }
            if status.code == .error { tags.append(("error", .bool(true))) }
        }
        if !scope.isEmpty { tags.append(("otel.scope.name", .string(String(scope)))) }
        let traceState = span.spanContext.traceState
        if !traceState.members.isEmpty { tags.append(("w3c.tracestate", .string(traceState.header()))) }
        for (key, count) in [
            ("otel.dropped_attributes_count", state.attributes.droppedCount),
            ("otel.dropped_events_count", state.droppedEventCount),
            ("otel.dropped_links_count", state.droppedLinkCount),
        ] where count > 0 {
            tags.append((key, .int(Int64(count))))
        }
        return tags
    }

    /// A list of tags: attributes, in which `own` go before others of their keys.
    private mutating func tags(
        _ id: Int16,
        _ attributes: [(key: String, value: RecordedValue)],
        own: [(key: String, value: RecordedValue)]
    ) {
        let others = attributes.filter { attribute in !own.contains { $0.key == attribute.key } }
        openList(id)
        append(listCount: others.count + own.count)
        for (key, value) in others { tag(key, value) }
        for (key, value) in own { tag(key, value) }
    }

    /// `Tag { 1 key, 2 vType (i32: 0 text, 1 double, 2 bool, 3 long, 4 binary), 3 vStr, 4 vDouble, 5 vBool, 6 vLong, 7 vBinary }`.
    private mutating func tag(_ key: String, _ value: RecordedValue) {
        structure { writer in
            writer.field(1, text: key)
            switch value {
            case .bool(let bool):
                writer.field(2, i32: 2)
                writer.field(5, bool: bool)
            case .int(let int):
                writer.field(2, i32: 3)
                writer.field(6, i64: int)
            case .double(let double):
                writer.field(2, i32: 1)
                writer.field(4, double: double)
            case .other(.bytes(let bytes)):
                writer.field(2, i32: 4)
                writer.field(7, binary: bytes)
            case .string, .strings, .bools, .ints, .doubles, .other:
                writer.field(2, i32: 0)
                writer.field(3, text: value.text)
            }
        }
    }
}

extension SpanKind {
    /// As OpenTracing has it.
    var word: String {
        switch self {
        case .client: "client"
        case .server: "server"
        case .producer: "producer"
        case .consumer: "consumer"
        case .internal: "internal"
        }
    }
}
