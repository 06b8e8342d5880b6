// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// Conditions on one span, and values of one.
extension Parser {
    /// `{ … }`; `nil` when nothing stands in it.
    mutating func parseBraces() throws(QueryError) -> Expression? {
        try enclosed(.braces, by: .closeBrace) { parser throws(QueryError) in
            if parser.token.kind == .closeBrace { return nil }
            let condition = try parser.parseExpression(.or)
            guard parser.token.kind == .closeBrace || parser.token.kind == .end else {
                throw parser.unexpected(after: condition)
            }
            return parser.token.kind == .end ? condition : try parser.checker.condition(condition)
        }
    }

    /// Operators of at least this rank, with their operands. Not yet checked.
    mutating func parseExpression(_ least: Rank) throws(QueryError) -> Expression {
        var left = try parsePrefix(least)
        while let sign = binaryOperator, rank(of: sign) >= least {
            try countOperator()
            try advance()
            let right: Expression
            if sign == .power {
                // Right associative; the power may be negative.
                right = try deeper { parser throws(QueryError) in try parser.parsePrefix(.power, continuing: true) }
            } else {
                right = try parseExpression(rank(of: sign).next)
            }
            left = Expression(node: .binary(sign, left, right), range: left.range.lowerBound..<right.range.upperBound)
        }
        return left
    }

    /// `!`, `not` and `-` before an operand; with `continuing`, the powers after it too.
    private mutating func parsePrefix(_ least: Rank, continuing: Bool = false) throws(QueryError) -> Expression {
        let start = token.range.lowerBound
        let sign: UnaryOperator
        let rank: Rank
        if token.kind == .not || lexer.reading == .bare && isWord("not") {
            (sign, rank) = (.not, lexer.reading == .bare ? .comparison : .product)
        } else if token.kind == .binary(.subtract) {
            (sign, rank) = (.minus, .power)
        } else {
            return continuing ? try parseExpression(.power) : try parseOperand()
        }
        try advance()
        let operand = try deeper { parser throws(QueryError) in try parser.parseExpression(rank) }
        return Expression(node: .unary(sign, operand), range: start..<operand.range.upperBound)
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
            let inner = try deeper { parser throws(QueryError) in try parser.parseExpression(.or) }
            guard token.kind == .closeParen else {
                throw token.kind == .end ? unclosed(here) : unexpected(after: inner)
            }
            try advance()
            return Expression(node: inner.node, range: here.range.lowerBound..<previousEnd)
        default: throw missingOperand()
        }
    }

    private mutating func parseWord(_ word: String, at range: Range<Int>) throws(QueryError) -> Expression {
        if lexer.reading == .bare, isWord("and") || isWord("or") { throw missingOperand() }
        if nextSign == UInt8(ascii: "(") { throw misplacedFunction(word, at: range) }
        let node = lexer.reading == .braces ? Self.node(of: word) : .word(word)
        guard let node else { throw unknownName(word, at: range) }
        try advance()
        return Expression(node: node, range: range)
    }

    /// What a word in braces says by itself.
    private static func node(of word: String) -> Expression.Node? {
        if let literal = Literal(keyword: word) { return .literal(literal) }
        return Intrinsic.words[word].map { .field(.intrinsic($0)) }
    }

    private var binaryOperator: BinaryOperator? {
        if case .binary(let sign) = token.kind { return sign }
        guard lexer.reading == .bare else { return nil }
        return isWord("and") ? .and : isWord("or") ? .or : nil
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

    /// The value that a word names in TraceQL, where statuses and kinds need no name beside them.
    init?(keyword word: String) {
        if let literal = Literal(word: word) {
            self = literal
        } else if let status = StatusWord(rawValue: word) {
            self = .status(status)
        } else if let kind = KindWord(rawValue: word) {
            self = .kind(kind)
        } else {
            return nil
        }
    }
}
