// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

/// A span as one line of text in which everything is said, for comparing with what was written down years before.
///
/// Fields that say nothing are left out; texts are in quotes, with all but plain ASCII as `\u{…}`.
struct SpanText {
    private var words: [String] = []

    static func line(_ span: SkeinModel.Span) -> String {
        var text = SpanText()
        text.words = [
            "\(span.traceID)", Hex.string(span.spanID.rawValue), Hex.string(span.parentSpanID.rawValue),
            "\(span.kind.rawValue)", "\(span.startUnixNanos)+\(span.durationNanos)", quoted(span.name),
        ]
        if span.endsBeforeStart { text.words.append("ends-before-start") }
        text.add("status", span.status.code.rawValue)
        text.add("message", span.status.message)
        text.add("state", span.traceState)
        text.add("flags", span.flags)
        text.add("dropped", span.droppedAttributesCount)
        text.add("dropped-events", span.droppedEventsCount)
        text.add("dropped-links", span.droppedLinksCount)
        if span.weight != 1 { text.words.append("weight=\(Hex.string(span.weight.bitPattern))") }
        text.words.append(attributes(span.attributes))
        for event in span.events {
            var inner = SpanText(words: ["\(event.timeUnixNanos)", quoted(event.name)])
            inner.add("dropped", event.droppedAttributesCount)
            text.add("event", inner, event.attributes)
        }
        for link in span.links {
            var inner = SpanText(words: ["\(link.traceID)", Hex.string(link.spanID.rawValue)])
            inner.add("state", link.traceState)
            inner.add("flags", link.flags)
            inner.add("dropped", link.droppedAttributesCount)
            text.add("link", inner, link.attributes)
        }
        var resource = SpanText()
        resource.add("schema", span.resource.schemaURL)
        resource.add("dropped", span.resource.droppedAttributesCount)
        text.add("resource", resource, span.resource.attributes)
        var scope = SpanText(words: [quoted(span.scope.name), quoted(span.scope.version)])
        scope.add("schema", span.scope.schemaURL)
        scope.add("dropped", span.scope.droppedAttributesCount)
        text.add("scope", scope, span.scope.attributes)
        return text.words.joined(separator: " ")
    }

    private mutating func add(_ name: String, _ value: some BinaryInteger) {
        if value != 0 { words.append("\(name)=\(value)") }
    }

    private mutating func add(_ name: String, _ value: String) {
        if !value.isEmpty { words.append("\(name)=\(Self.quoted(value))") }
    }

    private mutating func add(_ name: String, _ inner: SpanText, _ attributes: [Attribute]) {
        words.append("\(name)(\((inner.words + [Self.attributes(attributes)]).joined(separator: " ")))")
    }

    private static func attributes(_ attributes: [Attribute]) -> String {
        "{" + attributes.map { "\(quoted($0.key)):\(value($0.value))" }.joined(separator: ",") + "}"
    }

    private static func value(_ value: AttributeValue) -> String {
        switch value {
        case .null: "null"
        case .string(let text): quoted(text)
        case .bool(let bool): "\(bool)"
        case .int(let number): "\(number)"
        case .double(let number): "d\(Hex.string(number.bitPattern))"
        case .bytes(let bytes): "x" + bytes.map { String(Hex.string(UInt64($0)).suffix(2)) }.joined()
        case .array(let values): "[" + values.map(Self.value).joined(separator: ",") + "]"
        case .map(let pairs): attributes(pairs)
        }
    }

    private static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x22, 0x5c: out += "\\\(scalar)"
            case 0x20..<0x7f: out.unicodeScalars.append(scalar)
            default: out += "\\u{\(String(scalar.value, radix: 16))}"
            }
        }
        return out + "\""
    }
}
