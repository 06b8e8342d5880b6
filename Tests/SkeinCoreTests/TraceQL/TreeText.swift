// SPDX-License-Identifier: Apache-2.0
import SkeinStore
import SkeinTraceQL

/// Writes what a query says as a tree, operators first, so that tests see what is joined with what.
enum TreeText {
    static func of(_ query: Query) -> String {
        let hints = query.hints.map { "\($0.name)=\(of($0.value))" }
        let statement =
            switch query.statement {
            case .spans(let pipeline): of(pipeline)
            case .series(let series): of(series)
            }
        return hints.isEmpty ? statement : "\(statement) with(\(hints.joined(separator: ", ")))"
    }

    static func of(_ pipeline: Pipeline) -> String { pipeline.stages.map(of).joined(separator: " | ") }

    private static func of(_ stage: Stage) -> String {
        switch stage {
        case .spansets(let spansets): of(spansets)
        case .filter(let filter): "(\(filter.comparison.rawValue) \(of(filter.left)) \(of(filter.right)))"
        case .group(let value): "by(\(of(value)))"
        case .coalesce: "coalesce()"
        case .select(let fields): "select(\(of(fields)))"
        case .order(let order): "order(\(order.key.rawValue) \(order.isDescending ? "desc" : "asc"))"
        }
    }

    private static func of(_ spansets: SpansetExpression) -> String {
        switch spansets {
        case .filter(nil): "{}"
        case .filter(let condition?): "{\(of(condition))}"
        case .pipeline(let pipeline): "[\(of(pipeline))]"
        case .combined(let sign, let left, let right): "(\(sign.text) \(of(left)) \(of(right)))"
        }
    }

    private static func of(_ scalar: ScalarExpression) -> String {
        switch scalar {
        case .constant(let literal): of(literal)
        case .aggregate(let aggregate): "\(aggregate.function.rawValue)(\(aggregate.operand.map(of) ?? ""))"
        case .arithmetic(let sign, let left, let right): "(\(sign.rawValue) \(of(left)) \(of(right)))"
        }
    }

    static func of(_ series: SeriesExpression) -> String {
        switch series {
        case .query(let query):
            "<\(of(query.pipeline)) | \(of(query.function))\(query.groups.isEmpty ? "" : " by(\(of(query.groups)))")"
                + query.stages.map { " | \(of($0))" }.joined() + ">"
        case .arithmetic(let sign, let left, let right): "(\(sign.rawValue) \(of(left)) \(of(right)))"
        case .constant(let double): "\(double)"
        case .stage(let stage, let inner): "\(of(inner)) | \(of(stage))"
        }
    }

    private static func of(_ function: SeriesFunction) -> String {
        switch function {
        case .rate, .count: "\(function.name)()"
        case .minimum(let field), .maximum(let field), .average(let field), .sum(let field), .histogram(let field):
            "\(function.name)(\(of([field])))"
        case .quantiles(let field, let quantiles):
            "\(function.name)(\(of([field])), \(quantiles.map { "\($0)" }.joined(separator: ", ")))"
        case .compare(let comparison):
            "compare({\(comparison.selection.map(of) ?? "")}, \(comparison.countMax)"
                + (comparison.range.map { ", \($0.lowerBound), \($0.upperBound)" } ?? "") + ")"
        }
    }

    private static func of(_ stage: SeriesStage) -> String {
        switch stage {
        case .top(let count): "topk(\(count))"
        case .bottom(let count): "bottomk(\(count))"
        case .filter(let sign, let value): "\(sign.rawValue) \(value)"
        }
    }

    private static func of(_ fields: [FieldReference]) -> String {
        fields.map { of($0.field) }.joined(separator: ", ")
    }

    static func of(_ expression: Expression) -> String {
        switch expression.node {
        case .literal(let literal): of(literal)
        case .field(let field): of(field)
        case .word(let word): "WORD \(word)"
        case .unary(let sign, let inner): "(\(sign.rawValue) \(of(inner)))"
        case .binary(let sign, let left, let right): "(\(sign.rawValue) \(of(left)) \(of(right)))"
        }
    }

    static func of(_ field: Field) -> String {
        switch field {
        case .intrinsic(let intrinsic): intrinsic.rawValue
        case .attribute(let scope, let key): scope == .any ? ".\(key)" : "\(scope.rawValue).\(key)"
        case .parentAttribute(let scope, let key): scope == .any ? "parent.\(key)" : "parent.\(scope.rawValue).\(key)"
        case .parentIntrinsic(let intrinsic): "parent:" + intrinsic.rawValue.drop { $0 != ":" }.dropFirst()
        }
    }

    private static func of(_ literal: Literal) -> String {
        switch literal {
        case .string(let text): "\"\(text)\""
        case .int(let int): "\(int)"
        case .double(let double): "\(double)"
        case .duration(let nanos): "\(nanos)ns"
        case .bool(let bool): "\(bool)"
        case .status(let status): status.rawValue
        case .kind(let kind): kind.rawValue
        case .nil: "nil"
        }
    }
}
