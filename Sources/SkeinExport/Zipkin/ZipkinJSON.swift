// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinPropagation
package import SkeinRecording
package import SkeinWire
import Tracing

/// Finished spans as a list of Zipkin's (API 2 in JSON; OpenTelemetry specification 1.50, "OpenTelemetry to Zipkin
/// Transformation").
///
/// Zipkin has only tags of text: they take attributes, then what the resource has beside the name of the service, then what
/// OpenTelemetry says beyond. Where the specification leaves it open, trace state and links are tags as the OpenTelemetry
/// Collector writes them: `w3c.tracestate` and `otlp.link.0`, `trace id|span id|trace state|{attributes}|dropped count`.
package enum ZipkinJSON {
    /// Writes `[…]`, an object for each span.
    package static func write(_ spans: [FinishedSpan], to json: inout JSONWriter) {
        json.array { json in
            for group in SpanGroups(spans).resources {
                let resource = ZipkinResource(group.core.resource)
                for scope in group.scopes {
                    for row in scope.rows { write(spans[row], scope: scope.name, resource, to: &json) }
                }
            }
        }
    }

    private static func write(
        _ span: FinishedSpan,
        scope: Substring,
        _ resource: ZipkinResource,
        to json: inout JSONWriter
    ) {
        let recording = span.recording
        let state = span.state
        json.object { json in
            json.member("traceId", span.spanContext.traceID)
            json.member("id", span.spanContext.spanID)
            if recording.parentSpanID.isValid { json.member("parentId", recording.parentSpanID) }
            if !state.name.isEmpty { json.member("name", state.name) }
            if let kind = kind(recording.kind) { json.member("kind", kind) }
            // Zero stands for a moment that is not known.
            let start = recording.startUnixNanos
            if start >= 1000 { json.member("timestamp", start / 1000) }
            json.member("duration", max(1, ((state.endUnixNanos ?? start) - start) / 1000))
            json.object("localEndpoint") { $0.member("serviceName", resource.serviceName) }
            if recording.kind == .client || recording.kind == .producer,
                let remote = ZipkinEndpoint(remoteOf: state.attributes)
            {
                json.object("remoteEndpoint") { remote.write(to: &$0) }
            }
            if !state.events.isEmpty {
                json.array("annotations") { json in
                    for event in state.events {
                        json.object { json in
                            json.member("timestamp", event.unixNanos / 1000)
                            json.member("value", annotation(event))
                        }
                    }
                }
            }
            writeTags(state, span.spanContext.traceState, scope, resource, to: &json)
        }
    }

    private static func kind(_ kind: SpanKind) -> String? {
        switch kind {
        case .client: "CLIENT"
        case .server: "SERVER"
        case .producer: "PRODUCER"
        case .consumer: "CONSUMER"
        case .internal: nil
        }
    }

    /// The name, and attributes as `"name":{…}`.
    private static func annotation(_ event: RecordingSpan.Event) -> String {
        if event.attributes.pairs.isEmpty, event.attributes.droppedCount == 0 { return event.name }
        var json = JSONWriter()
        json.key(text: event.name)
        json.plain(event.attributes)
        return json.text
    }

    private static func writeTags(
        _ state: RecordingSpan.State,
        _ traceState: TraceState,
        _ scope: Substring,
        _ resource: ZipkinResource,
        to json: inout JSONWriter
    ) {
        let own = ownTags(state, traceState, scope)
        let isOwn = { (key: String) in own.contains { $0.key == key } }
        let attributes = state.attributes.pairs.filter { !isOwn($0.key) && !isDenial($0.key, $0.value) }
        let shared = resource.tags.filter { tag in
            !isOwn(tag.key) && !state.attributes.pairs.contains { $0.key == tag.key }
        }
        if own.isEmpty, attributes.isEmpty, shared.isEmpty { return }
        json.object("tags") { json in
            for (key, value) in attributes {
                json.key(text: key)
                json.string(value.text)
            }
            for (key, text) in shared + own {
                json.key(text: key)
                json.string(text)
            }
        }
    }

    /// Zipkin takes any span with a tag `error` for one that failed, whatever the tag says.
    private static func isDenial(_ key: String, _ value: RecordedValue) -> Bool {
        key == "error" && (value == .bool(false) || value == .string("false"))
    }

    /// What stands for fields that Zipkin's spans do not have.
    private static func ownTags(
        _ state: RecordingSpan.State,
        _ traceState: TraceState,
        _ scope: Substring
    ) -> [(key: String, text: String)] {
        var tags: [(key: String, text: String)] = []
        if let status = state.status {
            tags.append(("otel.status_code", status.code == .ok ? "OK" : "ERROR"))
            if status.code == .error { tags.append(("error", status.message ?? "")) }
        }
        if !scope.isEmpty { tags.append(("otel.scope.name", String(scope))) }
        if !traceState.members.isEmpty { tags.append(("w3c.tracestate", traceState.header())) }
        for (key, count) in [
            ("otel.dropped_attributes_count", state.attributes.droppedCount),
            ("otel.dropped_events_count", state.droppedEventCount),
            ("otel.dropped_links_count", state.droppedLinkCount),
        ] where count > 0 {
            tags.append((key, String(count)))
        }
        for (index, link) in state.links.enumerated() {
            var json = JSONWriter(capacity: 64)
            json.object { json in
                for (key, value) in link.attributes.pairs {
                    json.key(text: key)
                    json.plain(value)
                }
            }
            let target = link.spanContext
            let parts = [
                "\(target.traceID)", "\(target.spanID)", target.traceState.header(), json.text,
                String(link.attributes.droppedCount),
            ]
            tags.append(("otlp.link.\(index)", parts.joined(separator: "|")))
        }
        return tags
    }
}

/// What the spans of a tracer have in common.
struct ZipkinResource {
    let serviceName: String
    /// All but the name of the service.
    let tags: [(key: String, text: String)]

    init(_ resource: Resource) {
        serviceName = resource.serviceName.isEmpty ? "unknown_service" : resource.serviceName
        var tags: [(key: String, text: String)] = []
        for attribute in resource.attributes where attribute.key != "service.name" {
            // An object of JSON has each key once.
            if tags.contains(where: { $0.key == attribute.key }) { continue }
            tags.append((attribute.key, RecordedValue(attribute.value).text))
        }
        self.tags = tags
    }
}
