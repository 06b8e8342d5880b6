// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// What the tags of a Jaeger span say about its kind and its status, and which of them say nothing else.
///
/// The rules are the OpenTelemetry Collector's (contrib 0.130 `pkg/translator/jaeger`), so that a span reads the same
/// whichever way it came: a boolean `error` that is true wins, then `otel.status_code`, then `http.status_code`.
struct JaegerStatus {
    private(set) var kind = Span.Kind.unspecified
    private(set) var code = Span.Status.Code.unset
    private(set) var message = ""

    /// Reads `tags`, and marks those that say nothing beside it as told.
    init(_ tags: inout [JaegerTag]) {
        // Of a tag given twice the last counts, as in a map.
        var error: Int?
        var statusCode: Int?
        var description: Int?
        var httpCode: Int?
        var httpMessage: Int?
        for index in tags.indices {
            // Of any other length it is none of these.
            switch tags[index].key.count {
            case 5 where tags[index].isNamed("error"): error = index
            case 9 where tags[index].isNamed("span.kind"):
                kind = tags[index].kind == .string ? Self.kind(JSONKey(bytes: tags[index].text)) : .unspecified
                tags[index].isTold = true
            case 16 where tags[index].isNamed("otel.status_code"):
                statusCode = index
                tags[index].isTold = true
            case 16 where tags[index].isNamed("http.status_code"): httpCode = index
            case 19 where tags[index].isNamed("http.status_message"): httpMessage = index
            case 23 where tags[index].isNamed("otel.status_description"): description = index
            default: break
            }
        }
        if let error, tags[error].kind == .bool, tags[error].bool {
            code = .error
            tags[error].isTold = true
            if !take(description, &tags), let httpMessage { message = tags[httpMessage].string }
        } else if let statusCode {
            switch tags[statusCode].string.uppercased() {
            case "OK": code = .ok
            case "ERROR": code = .error
            default: break
            }
            _ = take(description, &tags)
        } else if let httpCode, let number = Self.number(tags[httpCode]) {
            code = Self.code(http: number, kind)
            if code != .unset, let httpMessage { message = tags[httpMessage].string }
        }
    }

    private mutating func take(_ description: Int?, _ tags: inout [JaegerTag]) -> Bool {
        guard let description else { return false }
        message = tags[description].string
        tags[description].isTold = true
        return true
    }

    private static func kind(_ text: JSONKey) -> Span.Kind {
        switch text {
        case "client": .client
        case "server": .server
        case "producer": .producer
        case "consumer": .consumer
        case "internal": .internal
        default: .unspecified
        }
    }

    private static func number(_ tag: JaegerTag) -> Int64? {
        switch tag.kind {
        case .long: tag.long
        case .string: Int64(tag.string)
        default: nil
        }
    }

    private static func code(http number: Int64, _ kind: Span.Kind) -> Span.Status.Code {
        switch number {
        case 100..<400: .unset
        case 400..<500: kind == .server ? .unset : .error
        default: .error
        }
    }
}
