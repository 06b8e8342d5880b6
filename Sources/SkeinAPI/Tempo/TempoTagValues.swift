// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import SkeinTraceQL

/// What the lists of values are asked for.
struct TempoTagValuesRequest {
    /// Whose values are asked for.
    var source: Source
    /// The spans that the values are of; it may be half written.
    var query = ""
    var range = TimeRange.all
    /// Most values.
    var limit = ValueList.countMax

    /// Where values come from.
    enum Source: Hashable {
        /// There are no others.
        case keywords([String])
        /// Values that are not listed: numbers and ids of which each span has its own.
        case nothing
        case field(SpanField)
        /// Of the root of the trace.
        case root(SpanField)
    }

    /// The values of `name`: as a query writes it, or, in version 1, the key of an attribute.
    init(name: String, isScoped: Bool) throws(APIError) {
        source = isScoped ? try Self.source(scoped: name) : Self.source(plain: name)
    }

    /// The question of an HTTP request.
    init(_ call: APICall, isScoped: Bool) throws(APIError) {
        // Grafana escapes the name twice, and what lies between may undo one or none of it.
        try self.init(name: PercentEncoding.decode(call.pathValues[0].utf8), isScoped: isScoped)
        query = call.request.query("q") ?? ""
        range = try call.secondsRange()
        try setLimit(call.uint32("limit") ?? 0)
    }

    /// At most so many values; 0 for as many as there are.
    mutating func setLimit(_ limit: UInt64) {
        if limit > 0 { self.limit = min(Int(limit), ValueList.countMax) }
    }

    private static func source(scoped name: String) throws(APIError) -> Source {
        // What names one field and nothing more stands alone in a selection.
        let query = try? TraceQL.parse("{ } | select(\(name))", .tempo)
        guard let stages = query?.pipeline.stages, stages.count == 2, case .select(let fields) = stages[1],
            fields.count == 1, let field = fields.first?.field
        else {
            throw .invalid(
                "tagName",
                "please provide a valid tagName: tag name is not valid intrinsic or scoped attribute: "
                    + "\(name.prefix(100)); expected a name as in a query, such as .\(name.prefix(100)), "
                    + "resource.service.name, span.\"with space\" or name"
            )
        }
        return source(field)
    }

    private static func source(plain name: String) -> Source {
        switch name {
        case "status.code": return source(.intrinsic(.status))
        case "root.name": return source(.intrinsic(.rootName))
        case "root.service.name": return source(.intrinsic(.rootServiceName))
        default: break
        }
        if TempoTagNames.intrinsics.contains(name), let known = try? source(scoped: name) { return known }
        return .field(.attribute(.any, name))
    }

    private static func source(_ field: Field) -> Source {
        switch field {
        case .attribute(let scope, let key): .field(.attribute(scope, key))
        case .parentAttribute, .parentIntrinsic: .nothing
        case .intrinsic(let intrinsic):
            switch intrinsic {
            case .status: .keywords(["error", "ok", "unset"])
            case .kind: .keywords(["client", "consumer", "internal", "producer", "server", "unspecified"])
            case .name: .field(.name)
            case .statusMessage: .field(.statusMessage)
            case .scopeName: .field(.scopeName)
            case .scopeVersion: .field(.scopeVersion)
            case .eventName: .field(.eventName)
            case .rootName: .root(.name)
            case .rootServiceName: .root(.serviceName)
            case .duration, .traceDuration, .eventTime, .spanID, .parentID, .traceID, .linkTraceID, .linkSpanID,
                .childCount, .nestedSetLeft, .nestedSetRight, .nestedSetParent, .parent:
                .nothing
            }
        }
    }
}

/// `tempopb.SearchTagValuesV2Response { 1 tagValues* { 1 type, 2 value }, 2 metrics }`, or without types
/// `tempopb.SearchTagValuesResponse { 1 tagValues*, 2 metrics }`.
struct TempoTagValuesAnswer: Message {
    private(set) var values: [(type: String, text: String)]
    /// Whether types are told (version 2).
    var isTyped: Bool

    init(keywords: [String], isTyped: Bool) {
        values = keywords.map { ("keyword", $0) }
        self.isTyped = isTyped
    }

    /// Arrays tell their elements. Bytes and maps, which no query can ask for, and empty text are left out.
    init(_ stored: [AttributeValue], limit: Int, isTyped: Bool) {
        values = []
        self.isTyped = isTyped
        var seen: Set<AttributeValue> = []
        for value in stored { add(value, &seen) }
        if values.count > limit { values.removeSubrange(limit...) }
    }

    private mutating func add(_ value: AttributeValue, _ seen: inout Set<AttributeValue>) {
        if case .array(let elements) = value {
            for element in elements { add(element, &seen) }
            return
        }
        guard seen.insert(value).inserted else { return }
        switch value {
        case .string(let text): if !text.isEmpty { values.append(("string", text)) }
        case .int(let int): values.append(("int", String(int)))
        case .double(let double): values.append(("float", GoText.float(double)))
        case .bool(let bool): values.append(("bool", String(bool)))
        case .null, .bytes, .map, .array: break
        }
    }

    func write<Writer: MessageWriter & ~Copyable>(to writer: inout Writer, _ room: inout AnswerRoom) throws(APIError) {
        if isTyped {
            writer.list(1, "tagValues", required: true, values) { value, writer in
                writer.field(1, "type", text: value.type)
                writer.field(2, "value", text: value.text)
            }
        } else {
            writer.list(1, "tagValues", texts: values.map(\.text))
        }
        writer.field(2, "metrics") { TempoMetadata.write(to: &$0) }
    }
}
