// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinTraceQL

/// All that a span says, in lines.
enum MCPSpanText {
    /// What of a value is shown.
    private static let valueLengthMax = 500
    private static let eventCountMax = 20
    private static let linkCountMax = 20

    static func write(_ span: Span, to answer: inout MCPText) {
        answer.line(
            "Span \(span.spanID) of trace \(span.traceID): " + MCPText.operation(span.resource.serviceName, span.name)
        )
        answer.line("kind \(span.kind), \(span.parentSpanID == .zero ? "no parent" : "parent \(span.parentSpanID)")")
        answer.line(
            "start \(MCPText.moment(span.startUnixNanos)), duration \(Value.text(ofNanos: Int64(clamping: span.durationNanos)))"
        )
        let message = span.status.message.isEmpty ? "" : ": \(MCPText.word(span.status.message, valueLengthMax))"
        answer.line("status \(span.status.code)\(message)")
        write("attributes", span.attributes, to: &answer)
        for event in span.events.prefix(eventCountMax) {
            let offset = MCPText.duration(event.timeUnixNanos - min(event.timeUnixNanos, span.startUnixNanos))
            write("event \(MCPText.word(event.name)) at +\(offset)", event.attributes, to: &answer)
        }
        answer.noteCut(
            min(span.events.count, eventCountMax),
            of: span.events.count,
            "events",
            "the others are alike or later"
        )
        for link in span.links.prefix(linkCountMax) {
            write("link to span \(link.spanID) of trace \(link.traceID)", link.attributes, to: &answer)
        }
        answer.noteCut(min(span.links.count, linkCountMax), of: span.links.count, "links", "follow these first")
        write("resource", span.resource.attributes, to: &answer)
        if !span.scope.name.isEmpty {
            answer.line("scope \(MCPText.word(span.scope.name)) \(MCPText.word(span.scope.version))")
        }
    }

    private static func write(_ title: String, _ attributes: [Attribute], to answer: inout MCPText) {
        guard answer.line(attributes.isEmpty ? title : "\(title):") else { return }
        let shown = answer.lines(
            attributes.lazy.map { "  \(MCPText.word($0.key)) = \(MCPText.word(Value($0.value).text, valueLengthMax))" }
        )
        answer.noteCut(shown, of: attributes.count, "\(title)", "attribute_values says what a single key has")
    }
}

/// Why a span failed, in one line.
enum MCPFailure {
    private static let keys = [
        "error.type", "http.response.status_code", "http.status_code", "rpc.grpc.status_code",
        "rpc.response.status_code",
        "db.system.name", "url.full", "http.route",
    ]

    static func text(_ span: Span) -> String {
        var parts: [String] = []
        if !span.status.message.isEmpty { parts.append(MCPText.word(span.status.message)) }
        if let event = span.events.last(where: { $0.name == "exception" }) {
            let words = ["exception.type", "exception.message"].compactMap { event.attributes[$0] }
            parts.append(words.map { MCPText.word(Value($0).text) }.joined(separator: ": "))
        }
        for key in keys {
            if let value = span.attributes[key] { parts.append("\(key)=\(MCPText.word(Value(value).text, 80))") }
        }
        return parts.filter { !$0.isEmpty }.joined(separator: "; ")
    }
}
