// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// Builds the tree of a query by precedence climbing.
///
/// TraceQL's ranks, low to high: `&& ||`, comparisons, `+ -`, `!`, `* / %`, unary `-`, `^`. The bare form ranks `or`
/// below `and` below `not`, as people expect.
struct Parser {
    private let source: [UInt8]
    private let form: Query.Form
    private var lexer: Lexer
    private var token: Token
    private var depth = 0
    private var operatorCount = 0

    /// A parser at the start of `text`.
    init(_ text: String) throws(QueryError) {
        source = Array(text.utf8)
        if source.count > TraceQL.Limits.queryBytesMax {
            throw QueryError(
                "the query has \(source.count) bytes, at most \(TraceQL.Limits.queryBytesMax) are accepted; shorten it",
                at: TraceQL.Limits.queryBytesMax..<source.count,
                of: source
            )
        }
        form = try Self.form(of: source)
        lexer = Lexer(source, form: form)
        token = try lexer.next()
    }

    /// Braces are what a query in braces begins with, be it in parentheses.
    private static func form(of source: [UInt8]) throws(QueryError) -> Query.Form {
        var lexer = Lexer(source, form: .bare)
        var token = try lexer.next()
        while token.kind == .openParen { token = try lexer.next() }
        return token.kind == .openBrace ? .braces : .bare
    }

    /// The whole query.
    mutating func parse() throws(QueryError) -> Query {
        var query = Query(form: form, source: source)
        if form == .bare {
            if token.kind == .end { return query }
            let condition = try parseExpression(.or)
            guard token.kind == .end else { throw unexpected(after: condition) }
            query.condition = condition
            return query
        }
        if token.kind == .openParen { throw unsupported("parentheses around { … }") }
        let opening = token.range
        try advance()
        if token.kind != .closeBrace {
            let condition = try parseExpression(.or)
            guard token.kind == .closeBrace else {
                if token.kind == .end { throw error("this { has no }", at: opening, expected: ["}"]) }
                throw unexpected(after: condition)
            }
            query.condition = condition
        }
        try advance()
        guard token.kind == .end else { throw unexpectedAfterBraces() }
        return query
    }

    // MARK: Expressions

    /// How tightly operators bind.
    private enum Rank: Int, Comparable {
        case or, and, comparison, sum, product, power

        static func < (a: Rank, b: Rank) -> Bool { a.rawValue < b.rawValue }
        var next: Rank { Rank(rawValue: rawValue + 1) ?? .power }
    }

    private func rank(of sign: BinaryOperator) -> Rank {
        switch sign {
        case .or: .or
        // In braces both rank alike, as in Tempo.
        case .and: form == .bare ? .and : .or
        case .add, .subtract: .sum
        case .multiply, .divide, .remainder: .product
        case .power: .power
        default: .comparison
        }
    }

    /// Operators of at least this rank, with their operands.
    private mutating func parseExpression(_ least: Rank) throws(QueryError) -> Expression {
        var left = try parsePrefix(least)
        while let sign = binaryOperator, rank(of: sign) >= least {
            operatorCount += 1
            if operatorCount > TraceQL.Limits.operatorsMax {
                throw error(
                    "the query has more than \(TraceQL.Limits.operatorsMax) operators; use fewer conditions, or a pattern",
                    at: token.range
                )
            }
            try advance()
            let right: Expression
            if sign == .power {
                // Right associative; the power may be negative.
                try descend()
                right = try parsePrefix(.power, continuing: true)
                depth -= 1
            } else {
                right = try parseExpression(rank(of: sign).next)
            }
            left = Expression(
                node: .binary(sign, left, right),
                range: left.range.lowerBound..<right.range.upperBound
            )
        }
        return left
    }

    /// `!`, `not` and `-` before an operand; with `continuing`, the powers after it too.
    private mutating func parsePrefix(_ least: Rank, continuing: Bool = false) throws(QueryError) -> Expression {
        let start = token.range.lowerBound
        if token.kind == .not || isKeyword("not") {
            try advance()
            try descend()
            let operand = try parseExpression(form == .bare ? .comparison : .product)
            depth -= 1
            return Expression(node: .unary(.not, operand), range: start..<operand.range.upperBound)
        }
        if token.kind == .binary(.subtract) {
            try advance()
            try descend()
            let operand = try parseExpression(.power)
            depth -= 1
            return Expression(node: .unary(.minus, operand), range: start..<operand.range.upperBound)
        }
        return continuing ? try parseExpression(.power) : try parseOperand()
    }

    private mutating func parseOperand() throws(QueryError) -> Expression {
        let here = token
        switch here.kind {
        case .literal(let literal):
            try advance()
            return Expression(node: .literal(literal), range: here.range)
        case .field(let field):
            try advance()
            return Expression(node: .field(field), range: here.range)
        case .word(let word): return try parseWord(word, at: here.range)
        case .openParen:
            try advance()
            try descend()
            let inner = try parseExpression(.or)
            guard token.kind == .closeParen else {
                if token.kind == .end { throw error("this ( has no )", at: here.range, expected: [")"]) }
                throw unexpected(after: inner)
            }
            depth -= 1
            try advance()
            return Expression(node: inner.node, range: here.range.lowerBound..<token.previousEnd(here, source))
        default: throw missingOperand()
        }
    }

    private mutating func parseWord(_ word: String, at range: Range<Int>) throws(QueryError) -> Expression {
        if isKeyword("and") || isKeyword("or") { throw missingOperand() }
        try advance()
        if token.kind == .openParen {
            guard Self.functions.contains(word) else {
                throw error("unknown function \(word)", at: range, expected: form == .bare ? ["="] : [])
            }
            throw error("pipelines and aggregates such as \(word)() are not supported yet", at: range)
        }
        if form == .bare { return Expression(node: .word(word), range: range) }
        if let node = Self.node(of: word) { return Expression(node: node, range: range) }
        throw unknownName(word, at: range)
    }

    /// What a word in braces says by itself.
    private static func node(of word: String) -> Expression.Node? {
        if let literal = Literal(word: word) { return .literal(literal) }
        if let status = StatusWord(rawValue: word) { return .literal(.status(status)) }
        if let kind = KindWord(rawValue: word) { return .literal(.kind(kind)) }
        return Intrinsic.words[word].map { .field(.intrinsic($0)) }
    }

    private static let functions: Set<String> = [
        "count", "min", "max", "avg", "sum", "by", "coalesce", "select", "rate", "count_over_time", "min_over_time",
        "max_over_time", "avg_over_time", "sum_over_time", "quantile_over_time", "histogram_over_time", "compare",
        "topk", "bottomk", "with",
    ]

    // MARK: Tokens

    private mutating func advance() throws(QueryError) { token = try lexer.next() }

    private mutating func descend() throws(QueryError) {
        depth += 1
        if depth > TraceQL.Limits.depthMax {
            throw error(
                "parentheses and negations nest deeper than \(TraceQL.Limits.depthMax); take some away",
                at: token.range
            )
        }
    }

    /// Whether the next word is this keyword of the bare form.
    private func isKeyword(_ keyword: String) -> Bool {
        guard form == .bare, case .word(let word) = token.kind else { return false }
        return word.lowercased() == keyword
    }

    private var binaryOperator: BinaryOperator? {
        if case .binary(let sign) = token.kind { return sign }
        return isKeyword("and") ? .and : isKeyword("or") ? .or : nil
    }

    // MARK: Errors

    private func error(
        _ message: String,
        at range: Range<Int>,
        expected: [String] = [],
        suggestion: String? = nil
    ) -> QueryError {
        QueryError(message, at: range, of: source, expected: expected, suggestion: suggestion)
    }

    private func unsupported(_ part: String) -> QueryError {
        error("\(part) are not supported yet", at: token.range)
    }

    private func missingOperand() -> QueryError {
        if case .structural(let sign) = token.kind {
            return unsupported("structural operators such as \(sign)")
        }
        if token.kind == .openBrace { return unsupported("braces within a condition") }
        if token.kind == .binary(.add) { return error("a number takes no + before it", at: token.range) }
        let what = token.kind == .end ? "the query ends where" : "here"
        return error(
            "\(what) a name or a value is expected",
            at: token.range,
            expected: ["name", "value", "("]
        )
    }

    private func unknownName(_ word: String, at range: Range<Int>) -> QueryError {
        if word == "service" || word == "operation" {
            let name = word == "service" ? "resource.service.name" : "name"
            return error("\(word) has another name in braces", at: range, expected: [name], suggestion: name)
        }
        let known = Intrinsic.words.keys.sorted() + ["error", "true", "false", "nil"]
        return error(
            "unknown name \(word); an attribute's name begins with a full stop or a scope, such as .\(word)",
            at: range,
            expected: Array(Intrinsic.words.keys.sorted()),
            suggestion: Spelling.nearest(to: word, among: known) ?? ".\(word)"
        )
    }

    /// What stands after a complete expression and does not belong there.
    private func unexpected(after left: Expression) -> QueryError {
        switch token.kind {
        case .pipe: return unsupported("pipelines after |")
        case .structural(let sign): return unsupported("structural operators such as \(sign)")
        case .openBrace: return unsupported("several { … } in one query")
        case .comma: return error("a condition has no comma", at: token.range, expected: joining)
        case .closeParen: return error("this ) has no ( before it", at: token.range, expected: joining)
        case .closeBrace where form == .bare: return error("this } has no { before it", at: token.range)
        case .word(let word) where form == .braces && ["and", "or"].contains(word.lowercased()):
            let sign = word.lowercased() == "and" ? "&&" : "||"
            return error(
                "in braces conditions are joined by signs",
                at: token.range,
                expected: joining,
                suggestion: sign
            )
        case .word(let word) where word.lowercased() == "like":
            return error("patterns are compared with =~", at: token.range, expected: ["=~"], suggestion: "=~")
        case .word(let word) where ["is", "eq", "equals"].contains(word.lowercased()):
            return error("values are compared with =", at: token.range, expected: ["="], suggestion: "=")
        default: break
        }
        switch left.node {
        case .word, .field:
            let name = String(decoding: source[left.range], as: UTF8.self)
            return error("a comparison is expected after \(name)", at: token.range, expected: Self.comparisons)
        default:
            return error(
                "conditions are joined by \(joining.joined(separator: " or "))",
                at: token.range,
                expected: joining
            )
        }
    }

    private func unexpectedAfterBraces() -> QueryError {
        switch token.kind {
        case .pipe: unsupported("pipelines after |")
        case .binary(.and), .binary(.or), .openBrace: unsupported("several { … } in one query")
        case .binary(let sign): unsupported("structural operators such as \(sign.rawValue)")
        case .structural(let sign): unsupported("structural operators such as \(sign)")
        case .word("with"): unsupported("hints after with")
        default: error("nothing may follow the closing }", at: token.range.lowerBound..<source.count)
        }
    }

    private var joining: [String] { form == .bare ? ["and", "or"] : ["&&", "||"] }
    private static let comparisons = ["=", "!=", "<", "<=", ">", ">=", "=~", "!~"]
}

extension Token {
    /// Where the token before this one ended: blanks between them do not count.
    fileprivate func previousEnd(_ first: Token, _ source: [UInt8]) -> Int {
        source[first.range.lowerBound..<range.lowerBound].lastIndex { !QueryByte.isSpace($0) }.map { $0 + 1 }
            ?? first.range.upperBound
    }
}

extension Literal {
    /// The value that a word names wherever it stands.
    init?(word: String) {
        switch word {
        case "true": self = .bool(true)
        case "false": self = .bool(false)
        case "nil": self = .nil
        case "minInt": self = .int(.min)
        case "maxInt": self = .int(.max)
        default: return nil
        }
    }
}
