// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

/// `LogRecord { timeUnixNano, severityNumber, body, … }` (OTLP 1.9 `logs.proto`).
extension OTLP.JSONDecoder {
    /// Four of each, from 1 on.
    private static let severities =
        ["UNSPECIFIED"]
        + ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"].flatMap { [$0, $0 + "2", $0 + "3", $0 + "4"] }

    mutating func readLogRecord(_ json: inout JSONReader) throws(WireError) {
        var fields = LogBatch.Fields()
        var ids = IDCheck(text: true)
        var isTooDeep = false
        var attributes = intake.quota()
        try json.openObject()
        while let key = try json.nextMember() {
            switch key {
            case "timeUnixNano": fields.timeUnixNanos = try json.readInteger(UInt64.self)
            case "observedTimeUnixNano": fields.observedTimeUnixNanos = try json.readInteger(UInt64.self)
            case "severityNumber":
                fields.severityNumber = UInt64(try readEnum(&json, prefix: "SEVERITY_NUMBER_", Self.severities))
            case "severityText": fields.severityText = builder.intern(text: try json.readString())
            case "eventName": fields.eventName = builder.intern(text: try json.readString())
            case "body":
                value.removeAll()
                try json.readAnyValue(into: &value, &isTooDeep)
                fields.body = builder.intern(value: value.bytes) ?? 0
            case "attributes":
                try readAttributes(&json, &attributes, &isTooDeep) { $0.addSpanAttribute(key: $1, value: $2) }
            case "droppedAttributesCount": fields.droppedAttributesCount = try json.readInteger(UInt32.self)
            case "flags": fields.flags = try json.readInteger(UInt32.self)
            case "traceId": fields.traceID = ids.traceID(hex: try json.readString())
            case "spanId": fields.spanID = ids.spanID(hex: try json.readString())
            default: try skip(key, &json)
            }
        }
        fields.droppedAttributesCount &+= attributes.refused
        try intake.add(Intake.Size.span, attributes: attributes, at: json.offset)
        if let reason = ids.fault(fields) ?? (isTooDeep ? .valueTooDeep : nil) {
            builder.discardSpan()
            rejections.add(reason, ids.message(reason))
        } else {
            fields.add(to: &builder)
        }
    }
}
