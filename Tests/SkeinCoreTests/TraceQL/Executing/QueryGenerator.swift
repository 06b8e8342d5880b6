// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinTestKit

/// Writes random queries about the spans of ``NastySpans``.
struct QueryGenerator {
    var nasty: NastySpans

    init(_ nasty: NastySpans) { self.nasty = nasty }

    private mutating func below(_ bound: UInt64) -> UInt64 { nasty.below(bound) }
    private mutating func pick(_ words: [String]) -> String { nasty.pick(words) ?? "" }

    mutating func query() -> String {
        var text = spansets(depth: 0)
        for _ in 0..<below(4) where below(2) == 0 {
            switch below(6) {
            case 0: text += " | by(\(field()))"
            case 1: text += " | coalesce()"
            case 2: text += " | select(\(field()), \(field()))"
            case 3: text += " | \(spansets(depth: 1))"
            default: text += " | \(scalarFilter())"
            }
        }
        return text
    }

    /// Something that spans are counted by.
    mutating func series() -> String {
        let number = pick(["duration", "span.a", ".b", "span.user.id", "event.a", "link.b"])
        let function = pick([
            "rate()", "count_over_time()", "min_over_time(\(number))", "max_over_time(\(number))",
            "sum_over_time(\(number))", "avg_over_time(\(number))",
        ])
        let groups = [
            "", " by(\(pick(["name", "status", "kind", ".a", "resource.service.name", "duration"])))",
            " by(kind, span.b)", " by(\(pick(["event.a", "event:name", "link.b"])), status)",
        ]
        return "\(spansets(depth: 1)) | \(function)\(pick(groups))"
    }

    private mutating func scalarFilter() -> String {
        let number = pick(["duration", "span.a", ".b", "span:childCount", "traceDuration", "event.b", "link.a"])
        let aggregate = pick(["count()", "min(\(number))", "max(\(number))", "avg(\(number))", "sum(\(number))"])
        let other = below(6) == 0 ? "count()" : pick(["0", "1", "2", "3", "100ns", "1.5"])
        return "\(aggregate) \(comparison()) \(other)"
    }

    mutating func spansets(depth: Int) -> String {
        switch below(depth < 2 ? 8 : 5) {
        case 0...4: return below(6) == 0 ? "{ }" : "{ \(condition(depth: 0)) }"
        case 5: return "(\(spansets(depth: depth + 1)) | \(scalarFilter()))"
        default:
            let sign = pick([
                "&&", "||", ">", ">>", "<", "<<", "~", "!>", "!>>", "!<", "!<<", "!~", "&>", "&>>", "&<", "&<<", "&~",
            ])
            let (left, right) = (spansets(depth: depth + 1), spansets(depth: depth + 1))
            return "(\(left) \(sign) \(right))"
        }
    }

    mutating func condition(depth: Int) -> String {
        switch below(depth < 3 ? 10 : 6) {
        case 6, 7: return "(\(condition(depth: depth + 1)) && \(condition(depth: depth + 1)))"
        case 8: return "(\(condition(depth: depth + 1)) || \(condition(depth: depth + 1)))"
        case 9: return "!(\(condition(depth: depth + 1)))"
        case 5: return "\(attribute()) \(pick(["=", "!="])) nil"
        default: return comparisonOfFields()
        }
    }

    private mutating func comparisonOfFields() -> String {
        switch below(12) {
        case 0: "name \(comparison()) \(text())"
        case 1: "duration \(comparison()) \(pick(["0ns", "100ns", "1100ns", "1s", "1050"]))"
        case 2: "status \(pick(["=", "!="])) \(pick(["error", "ok", "unset"]))"
        case 3: "kind \(pick(["=", "!="])) \(pick(["server", "client", "internal", "consumer"]))"
        case 4: "\(pick(textFields)) \(comparison()) \(text())"
        case 5: "\(pick(numberFields)) \(comparison()) \(pick(["0", "1", "2", "3", "-1", "7"]))"
        case 6: "\(attribute()) \(pick(["=~", "!~"])) \(pick(["\"a.*\"", "\"\"", "\"b|abc\"", "\"[a-c]+\""]))"
        case 7: "\(attribute()) \(comparison()) \(attribute())"
        case 8: "\(attribute()) \(pick(["+", "-", "*", "/", "%"])) 2 \(comparison()) \(pick(["1", "2", "7", "1.5"]))"
        default: "\(attribute()) \(comparison()) \(literal())"
        }
    }

    private let textFields = [
        "statusMessage", "rootName", "rootServiceName", "resource.service.name", "event:name", "instrumentation:name",
        "instrumentation:version", "parent:name",
    ]
    private let numberFields = ["nestedSetLeft", "nestedSetRight", "nestedSetParent", "span:childCount"]

    private mutating func field() -> String {
        pick([
            "name", "status", "kind", "duration", "resource.service.name", ".a", "span.b", "parent.a", "event.a",
            "event:name", "link.b",
        ])
    }

    private mutating func attribute() -> String {
        let scope = pick([
            ".", ".", "span.", "span.", "resource.", "event.", "event.", "link.", "instrumentation.", "parent.",
            "parent.resource.",
        ])
        return scope + pick(["a", "b", "c", "user.id", "\"é\""])
    }

    private mutating func comparison() -> String { pick(["=", "!=", "<", "<=", ">", ">="]) }
    private mutating func text() -> String { pick(["\"\"", "\"a\"", "\"b\"", "\"abc\"", "\"é\"", "\"true\""]) }

    private mutating func literal() -> String {
        below(2) == 0 ? text() : pick(["0", "1", "-1", "7", "1.5", "0.5", "1e300", "minInt", "9007199254740993"])
    }
}
