// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import SkeinWire

/// A tag as Zipkin has it, text for text (OpenTelemetry specification 1.50, "OpenTelemetry to Zipkin Transformation"), and what a
/// span must be like to have it.
///
/// Beside the attributes of the span and its resource, tags are what Zipkin has no field for: see ``Derived``.
enum ZipkinTag {
    /// Tags that are fields in OpenTelemetry.
    enum Derived: String, CaseIterable {
        /// The status message of a span that failed, or no text. It says that the span failed, whatever it says.
        case error
        case statusCode = "otel.status_code"
        case traceState = "w3c.tracestate"
        case scopeName = "otel.scope.name"
        case scopeVersion = "otel.scope.version"
        case libraryName = "otel.library.name"
        case libraryVersion = "otel.library.version"
        case droppedAttributesCount = "otel.dropped_attributes_count"
        case droppedEventsCount = "otel.dropped_events_count"
        case droppedLinksCount = "otel.dropped_links_count"
    }

    /// A value as text: numbers in decimal, lists and maps as JSON, bytes as base64.
    static func text(of value: AttributeValue) -> String {
        switch value {
        case .null: return ""
        case .string(let text): return text
        case .bool(let bool): return bool ? "true" : "false"
        case .int(let int): return String(int)
        case .double(let double): return GoText.float(double)
        case .bytes, .array, .map:
            var json = JSONWriter()
            json.plain(value)
            let text = json.text
            // Base64 needs no quotes here.
            if case .bytes = value { return String(text.dropFirst().dropLast()) }
            return text
        }
    }

    /// What a span satisfies that has a tag `key`, or an annotation of that text.
    static func isThere(_ key: String) -> SpanPredicate {
        var ways: [SpanPredicate] = [.compare(.eventName, .equal, .string(key))]
        let attributes = [AttributeScope.span, .resource].map { SpanField.attribute($0, key) }
        switch Derived(rawValue: key) {
        case .error?:
            // Zipkin has no tag where OpenTelemetry says that there is no error.
            ways += attributes.map {
                .and([
                    .exists($0), .not(.compare($0, .equal, .bool(false))), .not(.compare($0, .equal, .string("false"))),
                ])
            }
            ways.append(.compare(.status, .equal, .status(.error)))
            return .or(ways)
        case .statusCode?: ways.append(.compare(.status, .notEqual, .status(.unset)))
        case .scopeName?, .libraryName?: ways.append(.compare(.scopeName, .notEqual, .string("")))
        case .scopeVersion?, .libraryVersion?: ways.append(.compare(.scopeVersion, .notEqual, .string("")))
        case .traceState?, .droppedAttributesCount?, .droppedEventsCount?, .droppedLinksCount?, nil: break
        }
        return .or(ways + attributes.map { .exists($0) })
    }

    /// What a span satisfies that has a tag `key` of that value.
    static func says(_ key: String, _ value: String) -> SpanPredicate {
        var ways: [SpanPredicate] = []
        for scope in [AttributeScope.span, .resource] {
            ways += JaegerTag.literals(of: value).map { .compare(.attribute(scope, key), .equal, $0) }
        }
        switch Derived(rawValue: key) {
        case .error?:
            // A tag that says "true" became the status alone.
            let messages = value == "true" ? ["true", ""] : [value]
            ways += messages.map {
                .and([.compare(.status, .equal, .status(.error)), .compare(.statusMessage, .equal, .string($0))])
            }
        case .statusCode? where value == "OK": ways.append(.compare(.status, .equal, .status(.ok)))
        case .statusCode? where value == "ERROR": ways.append(.compare(.status, .equal, .status(.error)))
        case .scopeName?, .libraryName?: ways.append(.compare(.scopeName, .equal, .string(value)))
        case .scopeVersion?, .libraryVersion?: ways.append(.compare(.scopeVersion, .equal, .string(value)))
        default: break
        }
        return .or(ways)
    }
}
