// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import SkeinWire

/// A tag that a Jaeger search asks for. Jaeger compares tags as text, whatever their type, and finds them on the span,
/// its process and its logs; what our model keeps in fields of their own are tags to Jaeger.
struct JaegerTag {
    var key: String
    var value: String

    /// The tags of `tag=key:value`, any number of times, and of `tags={"key":"value"}`.
    static func parse(_ request: APIRequest) throws(APIError) -> [JaegerTag] {
        var tags: [JaegerTag] = []
        for tag in request.queryValues("tag") {
            let parts = tag.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else {
                throw .invalid("tag", "malformed 'tag' parameter, expecting key:value, received: \(tag.prefix(200))")
            }
            tags.append(JaegerTag(key: String(parts[0]), value: String(parts[1])))
        }
        for map in request.queryValues("tags") where !map.isEmpty {
            tags += try parse(map: map) { .invalid("tags", "malformed 'tags' parameter, cannot unmarshal JSON: \($0)") }
        }
        try check(tags)
        return tags
    }

    /// Throws when there are more than can be searched at once.
    static func check(_ tags: [JaegerTag]) throws(APIError) {
        guard tags.count <= 100 else {
            throw .invalid("tags", "\(tags.count) tags were given, at most 100 are searched at once")
        }
    }

    /// Reads a JSON object whose values are all text; `failure` says that it is none.
    static func parse(map: String, _ failure: (String) -> APIError) throws(APIError) -> [JaegerTag] {
        var text = map
        do throws(WireError) {
            let result = text.withUTF8 { bytes in
                Result { () throws(WireError) in
                    var tags: [JaegerTag] = []
                    var json = JSONReader(UnsafeRawBufferPointer(bytes))
                    try json.openObject()
                    while let key = try json.nextKey() {
                        let name = key.text
                        tags.append(JaegerTag(key: name, value: String(decoding: try json.readString(), as: UTF8.self)))
                    }
                    try json.finish()
                    return tags
                }
            }
            return try result.get()
        } catch {
            throw failure("\(error)")
        }
    }

    /// What a span that carries the tag satisfies.
    var predicate: SpanPredicate {
        var ways: [SpanPredicate] = []
        for field in [SpanField.attribute(.span, key), .attribute(.resource, key), .attribute(.event, key)] {
            ways += literals.map { .compare(field, .equal, $0) }
        }
        switch key {
        case "error":
            if value == "true" { ways.append(.compare(.status, .equal, .status(.error))) }
            // Jaeger has no tag for it, and means all the others.
            if value == "false" { ways.append(.compare(.status, .notEqual, .status(.error))) }
        case "span.kind":
            if let kind = Span.Kind.allCases.first(where: { $0 != .unspecified && "\($0)" == value }) {
                ways.append(.compare(.kind, .equal, .kind(kind)))
            }
        case "otel.status_code":
            if value == "OK" { ways.append(.compare(.status, .equal, .status(.ok))) }
            if value == "ERROR" { ways.append(.compare(.status, .equal, .status(.error))) }
        case "otel.status_description": ways.append(.compare(.statusMessage, .equal, .string(value)))
        case "otel.scope.name", "otel.library.name": ways.append(.compare(.scopeName, .equal, .string(value)))
        case "otel.scope.version", "otel.library.version":
            ways.append(.compare(.scopeVersion, .equal, .string(value)))
        case "event" where !value.isEmpty: ways.append(.compare(.eventName, .equal, .string(value)))
        default: break
        }
        return .or(ways)
    }

    private var literals: [SpanPredicate.Literal] { Self.literals(of: value) }

    /// The values of every type whose text is `value`.
    static func literals(of value: String) -> [SpanPredicate.Literal] {
        var literals: [SpanPredicate.Literal] = [.string(value)]
        if value == "true" || value == "false" { literals.append(.bool(value == "true")) }
        if let int = Int64(value) {
            if String(int) == value { literals.append(.int(int)) }
        } else if let first = value.utf8.first, first == UInt8(ascii: "-") || (0x30...0x39).contains(first),
            let double = Double(value), double.isFinite
        {
            literals.append(.double(double))
        }
        return literals
    }
}
