// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

/// `Span { traceId, spanId, …, events: [Event], links: [Link], status: Status }` (OTLP 1.9 `trace.proto`).
extension OTLP.JSONDecoder {
    private static let kinds = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"]
    private static let statusCodes = ["UNSET", "OK", "ERROR"]

    mutating func readSpan(_ json: inout JSONReader) throws(WireError) {
        var fields = SpanBatchBuilder.SpanFields()
        var ids = IDCheck(text: true)
        var isTooDeep = false
        var refusedLinks: UInt32 = 0
        var (attributes, events, links) = (intake.quota(), intake.quota(), intake.quota())
        try json.openObject()
        while let key = try json.nextMember() {
            switch key {
            case "traceId": fields.traceID = ids.traceID(hex: try json.readString())
            case "spanId": fields.spanID = ids.spanID(hex: try json.readString())
            case "parentSpanId": fields.parentSpanID = ids.parentSpanID(hex: try json.readString())
            case "traceState":
                let state = try json.readString()
                fields.traceState = builder.intern(text: state)
                fields.weight = SamplingThreshold.weight(ofTraceState: state)
            case "name": fields.name = builder.intern(text: try json.readString())
            case "kind": fields.kind = try readEnum(&json, prefix: "SPAN_KIND_", Self.kinds)
            case "startTimeUnixNano": fields.startUnixNanos = try json.readInteger(UInt64.self)
            case "endTimeUnixNano": fields.endUnixNanos = try json.readInteger(UInt64.self)
            case "attributes":
                try readAttributes(&json, &attributes, &isTooDeep) { $0.addSpanAttribute(key: $1, value: $2) }
            case "events":
                try json.openArray()
                while try json.nextElement() {
                    if events.take() { try readEvent(&json, &isTooDeep) } else { try json.skipValue() }
                }
            case "links":
                try json.openArray()
                while try json.nextElement() {
                    guard links.take() else {
                        try json.skipValue()
                        continue
                    }
                    if try !readLink(&json, &isTooDeep) { refusedLinks &+= 1 }
                }
            case "status": try readStatus(&json, &fields)
            case "flags": fields.flags = try json.readInteger(UInt32.self)
            case "droppedAttributesCount": fields.droppedAttributesCount = try json.readInteger(UInt32.self)
            case "droppedEventsCount": fields.droppedEventsCount = try json.readInteger(UInt32.self)
            case "droppedLinksCount": fields.droppedLinksCount = try json.readInteger(UInt32.self)
            default: try skip(key, &json)
            }
        }
        fields.droppedAttributesCount &+= attributes.refused
        fields.droppedEventsCount &+= events.refused
        fields.droppedLinksCount &+= refusedLinks &+ links.refused
        intake.drop(events: events, links: links)
        try intake.add(Intake.Size.span, attributes: attributes, at: json.offset)
        if let reason = ids.fault(fields) ?? (isTooDeep ? .valueTooDeep : nil) {
            builder.discardSpan()
            rejections.add(reason, ids.message(reason))
        } else {
            builder.addSpan(fields)
        }
    }

    private mutating func readEvent(_ json: inout JSONReader, _ isTooDeep: inout Bool) throws(WireError) {
        var time: UInt64 = 0
        var name: SpanBatch.Ref = 0
        var dropped: UInt32 = 0
        var attributes = intake.quota()
        try json.openObject()
        while let key = try json.nextMember() {
            switch key {
            case "timeUnixNano": time = try json.readInteger(UInt64.self)
            case "name": name = builder.intern(text: try json.readString())
            case "attributes":
                try readAttributes(&json, &attributes, &isTooDeep) { $0.addEventAttribute(key: $1, value: $2) }
            case "droppedAttributesCount": dropped = try json.readInteger(UInt32.self)
            default: try skip(key, &json)
            }
        }
        try intake.add(Intake.Size.event, attributes: attributes, at: json.offset)
        builder.addEvent(
            timeUnixNanos: time,
            name: name,
            droppedAttributesCount: dropped &+ attributes.refused
        )
    }

    /// `false` when the link has ids of the wrong length: it cannot be kept, and counts as dropped.
    private mutating func readLink(_ json: inout JSONReader, _ isTooDeep: inout Bool) throws(WireError) -> Bool {
        var ids = IDCheck(text: true)
        var traceID = TraceID.zero
        var spanID = SpanID.zero
        var traceState: SpanBatch.Ref = 0
        var flags: UInt32 = 0
        var dropped: UInt32 = 0
        var attributes = intake.quota()
        try json.openObject()
        while let key = try json.nextMember() {
            switch key {
            case "traceId": traceID = ids.traceID(hex: try json.readString())
            case "spanId": spanID = ids.spanID(hex: try json.readString())
            case "traceState": traceState = builder.intern(text: try json.readString())
            case "attributes":
                try readAttributes(&json, &attributes, &isTooDeep) { $0.addLinkAttribute(key: $1, value: $2) }
            case "droppedAttributesCount": dropped = try json.readInteger(UInt32.self)
            case "flags": flags = try json.readInteger(UInt32.self)
            default: try skip(key, &json)
            }
        }
        guard ids.areComplete else {
            builder.discardLink()
            return false
        }
        try intake.add(Intake.Size.link, attributes: attributes, at: json.offset)
        builder.addLink(
            traceID: traceID,
            spanID: spanID,
            traceState: traceState,
            flags: flags,
            droppedAttributesCount: dropped &+ attributes.refused
        )
        return true
    }

    private mutating func readStatus(
        _ json: inout JSONReader,
        _ fields: inout SpanBatchBuilder.SpanFields
    ) throws(WireError) {
        try json.openObject()
        while let key = try json.nextMember() {
            switch key {
            case "message": fields.statusMessage = builder.intern(text: try json.readString())
            case "code": fields.statusCode = try readEnum(&json, prefix: "STATUS_CODE_", Self.statusCodes)
            default: try skip(key, &json)
            }
        }
    }
}
