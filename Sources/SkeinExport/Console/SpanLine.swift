// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinPropagation
import SkeinRecording
import SkeinWire
import Tracing

/// A finished span as one line of JSON that people, `jq` and `skein import` read: times are RFC 3339, the duration is in
/// milliseconds, status and scope are attributes, and those of events stand beside their names.
enum SpanLine {
    /// The line with its end.
    static func bytes(of span: FinishedSpan) -> [UInt8] {
        var json = JSONWriter()
        write(span, to: &json)
        return TerminalText.harmless(json: json.bytes) + [0x0a]
    }

    private static func write(_ span: FinishedSpan, to json: inout JSONWriter) {
        let recording = span.recording
        let state = span.state
        let service = recording.core.resource.serviceName
        json.object { json in
            json.member("startTime", RFC3339.format(recording.startUnixNanos))
            let nanos = (state.endUnixNanos ?? recording.startUnixNanos) - recording.startUnixNanos
            json.member("duration", Double(nanos) / 1e6)
            if !service.isEmpty { json.member("serviceName", service) }
            json.member("name", state.name)
            json.member("kind", recording.kind.word)
            json.member("traceId", recording.spanContext.traceID)
            json.member("spanId", recording.spanContext.spanID)
            if recording.parentSpanID.isValid { json.member("parentSpanId", recording.parentSpanID) }
            json.object("attributes") { write(state, recording.scopeName, to: &$0) }
            if !state.events.isEmpty {
                json.array("events") { json in
                    for event in state.events { write(event, to: &json) }
                }
            }
            if !state.links.isEmpty {
                json.array("links") { json in
                    for link in state.links {
                        json.object { json in
                            json.member("traceId", link.spanContext.traceID)
                            json.member("spanId", link.spanContext.spanID)
                            json.key("attributes")
                            json.plain(link.attributes)
                        }
                    }
                }
            }
        }
    }

    private static func write(_ state: RecordingSpan.State, _ scope: Substring, to json: inout JSONWriter) {
        var own: [(key: String, text: String)] = []
        if let status = state.status {
            own.append(("otel.status_code", status.code == .ok ? "OK" : "ERROR"))
            if let message = status.message, !message.isEmpty { own.append(("otel.status_description", message)) }
        }
        if !scope.isEmpty { own.append(("otel.scope.name", String(scope))) }
        for (key, value) in state.attributes.pairs where !own.contains(where: { $0.key == key }) {
            json.key(text: key)
            json.plain(value)
        }
        for (key, text) in own {
            json.key(text: key)
            json.string(text)
        }
        for (key, count) in [
            ("otel.dropped_attributes_count", state.attributes.droppedCount),
            ("otel.dropped_events_count", state.droppedEventCount),
            ("otel.dropped_links_count", state.droppedLinkCount),
        ] where count > 0 {
            json.key(text: key)
            json.int(count)
        }
    }

    private static func write(_ event: RecordingSpan.Event, to json: inout JSONWriter) {
        json.object { json in
            json.member("timestamp", RFC3339.format(event.unixNanos))
            json.member("name", event.name)
            for (key, value) in event.attributes.pairs {
                json.key(text: ["timestamp", "time", "name", "event"].contains(key) ? "attributes.\(key)" : key)
                json.plain(value)
            }
        }
    }
}
