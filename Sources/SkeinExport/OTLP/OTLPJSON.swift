// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinPropagation
package import SkeinRecording
package import SkeinWire
import Tracing

/// Finished spans as `ExportTraceServiceRequest` in JSON (OTLP 1.9 "JSON Protobuf Encoding"): ids in lower-case hexadecimal,
/// enums as numbers, 64-bit integers as strings, keys in lowerCamelCase. Fields that have their default are left out;
/// `resource`, `scope` and times are always there.
package enum OTLPJSON {
    /// Writes `{"resourceSpans":[…]}`, grouped by tracer and scope.
    package static func write(_ spans: [FinishedSpan], to json: inout JSONWriter) {
        json.object { json in
            json.array("resourceSpans") { json in
                for group in SpanGroups(spans).resources { write(group, spans, to: &json) }
            }
        }
    }

    private static func write(_ group: SpanGroups.Resource, _ spans: [FinishedSpan], to json: inout JSONWriter) {
        let resource = group.core.resource
        json.object { json in
            json.object("resource") { json in
                if !resource.attributes.isEmpty {
                    json.array("attributes") { json in
                        for attribute in resource.attributes { json.attribute(attribute.key, .other(attribute.value)) }
                    }
                }
                json.count("droppedAttributesCount", Int(resource.droppedAttributesCount))
            }
            json.array("scopeSpans") { json in
                for scope in group.scopes {
                    json.object { json in
                        json.object("scope") { $0.text("name", String(scope.name)) }
                        json.array("spans") { json in
                            for row in scope.rows { write(spans[row], to: &json) }
                        }
                    }
                }
            }
            json.text("schemaUrl", resource.schemaURL)
        }
    }

    private static func write(_ span: FinishedSpan, to json: inout JSONWriter) {
        let recording = span.recording
        let state = span.state
        json.object { json in
            json.member("traceId", span.spanContext.traceID)
            json.member("spanId", span.spanContext.spanID)
            json.text("traceState", span.spanContext.traceState.header())
            if recording.parentSpanID.isValid { json.member("parentSpanId", recording.parentSpanID) }
            json.text("name", state.name)
            json.member("kind", recording.kind.model.rawValue)
            json.member("startTimeUnixNano", decimal: recording.startUnixNanos)
            json.member("endTimeUnixNano", decimal: state.endUnixNanos ?? recording.startUnixNanos)
            json.attributes(state.attributes)
            if !state.events.isEmpty {
                json.array("events") { json in
                    for event in state.events { write(event, to: &json) }
                }
            }
            json.count("droppedEventsCount", state.droppedEventCount)
            if !state.links.isEmpty {
                json.array("links") { json in
                    for link in state.links { write(link, to: &json) }
                }
            }
            json.count("droppedLinksCount", state.droppedLinkCount)
            if let status = state.status {
                json.object("status") { json in
                    json.text("message", status.message ?? "")
                    json.member("code", status.code == .ok ? 1 : 2)
                }
            }
            json.member("flags", span.flags)
        }
    }

    private static func write(_ event: RecordingSpan.Event, to json: inout JSONWriter) {
        json.object { json in
            json.member("timeUnixNano", decimal: event.unixNanos)
            json.text("name", event.name)
            json.attributes(event.attributes)
        }
    }

    private static func write(_ link: RecordingSpan.Link, to json: inout JSONWriter) {
        let target = link.spanContext
        json.object { json in
            json.member("traceId", target.traceID)
            json.member("spanId", target.spanID)
            json.text("traceState", target.traceState.header())
            json.attributes(link.attributes)
            json.member("flags", FinishedSpan.flags(target, isRemote: target.isRemote))
        }
    }
}

extension JSONWriter {
    /// A member that is a text, left out when it is empty.
    fileprivate mutating func text(_ name: StaticString, _ value: String) {
        if !value.isEmpty { member(name, value) }
    }

    /// A member that is a count of 32 bits, left out when it is zero.
    fileprivate mutating func count(_ name: StaticString, _ value: Int) {
        if value != 0 { member(name, UInt32(clamping: value)) }
    }

    fileprivate mutating func attributes(_ attributes: RecordedAttributes) {
        if !attributes.pairs.isEmpty {
            array("attributes") { json in
                for (key, value) in attributes.pairs { json.attribute(key, value) }
            }
        }
        count("droppedAttributesCount", attributes.droppedCount)
    }

    /// A `KeyValue` object.
    fileprivate mutating func attribute(_ key: String, _ value: RecordedValue) {
        object { json in
            json.member("key", key)
            json.key("value")
            switch value {
            case .string(let text): json.object { $0.member("stringValue", text) }
            case .bool(let bool): json.object { $0.member("boolValue", bool) }
            case .int(let int): json.object { $0.member("intValue", decimal: int) }
            case .double(let double): json.object { $0.member("doubleValue", double) }
            case .strings, .bools, .ints, .doubles, .other:
                var encoded = ByteWriter()
                EncodedValue.append(value.attributeValue, to: &encoded)
                json.anyValue(encoded.bytes)
            }
        }
    }
}
