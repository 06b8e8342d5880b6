// SPDX-License-Identifier: Apache-2.0

/// Builds what a query says by precedence climbing, and has each condition checked where it ends.
///
/// TraceQL's ranks, low to high: `|`, then `&& ||`, comparisons and structural operators, `+ -`, `!`, `* / %`, unary `-`,
/// `^`. The bare form ranks `or` below `and` below `not`, as people expect.
struct Parser {
    let source: [UInt8]
    let dialect: TraceQL.Dialect
    var lexer: Lexer
    var token: Token
    /// Where the token before ``token`` ended.
    var previousEnd = 0
    private var depth = 0
    private var operatorCount = 0

    /// A parser at the start of `text`, which is a whole query unless `reading` says how it begins.
    init(_ text: String, _ dialect: TraceQL.Dialect, reading: Reading? = nil) throws(QueryError) {
        let byteCount = text.utf8.count
        if byteCount > TraceQL.Limits.queryBytesMax {
            // The place is told in what is read: a longer text is not looked at.
            let start = Array(text.utf8.prefix(TraceQL.Limits.queryBytesMax))
            throw QueryError(
                "the query has \(byteCount) bytes, at most \(start.count) are accepted; shorten it",
                at: start.count..<start.count,
                of: start
            )
        }
        source = Array(text.utf8)
        self.dialect = dialect
        lexer = Lexer(source, reading ?? (Self.startsWithPipeline(source) ? .braces : .bare))
        token = try lexer.next()
    }

    /// Whether the query begins as TraceQL does: with braces or a function, be it behind numbers and parentheses.
    static func startsWithPipeline(_ source: [UInt8]) -> Bool {
        var lexer = Lexer(source, .braces)
        while let token = try? lexer.next() {
            switch token.kind {
            case .not, .openParen, .closeParen, .literal(.int), .literal(.double), .literal(.duration): continue
            case .binary(let sign) where sign != .and && sign != .or: continue
            case .openBrace: return true
            case .word(let word): return FunctionName(rawValue: word) != nil && (try? lexer.next())?.kind == .openParen
            default: return false
            }
        }
        return false
    }

    /// The whole query.
    mutating func parse() throws(QueryError) -> Query {
        let start = lexer.reading == .bare ? try parseBareStart() : nil
        let element = try parsePipeline(from: start)
        let statement: Statement
        switch element {
        case .pipeline(let pipeline): statement = .spans(pipeline)
        case .series(let series): statement = .series(series)
        case .scalar(let scalar): throw lacksComparison(scalar)
        }
        let hints = try parseHints()
        guard token.kind == .end else { throw unexpectedBetweenStages() }
        return Query(statement: statement, hints: hints, source: source)
    }

    /// The condition that a query without braces begins with.
    private mutating func parseBareStart() throws(QueryError) -> Stage {
        if dialect == .tempo { throw try lacksBraces() }
        // What follows the condition is read as between stages.
        guard token.kind != .end, token.kind != .pipe else {
            lexer.reading = .braces
            return .spansets(.filter(nil))
        }
        let condition = try parseExpression(.or)
        guard token.kind == .end || token.kind == .pipe || isWord("with") else { throw unexpected(after: condition) }
        let checked = try checker.condition(condition)
        lexer.reading = .braces
        return .spansets(.filter(checked))
    }

    // MARK: Tokens

    mutating func advance() throws(QueryError) {
        previousEnd = token.range.upperBound
        token = try lexer.next()
    }

    /// What stands between the sign here and `closing`, read in its own way; it has to end there.
    mutating func enclosed<Value>(
        _ reading: Reading,
        by closing: Token.Kind,
        _ parse: (inout Parser) throws(QueryError) -> Value
    ) throws(QueryError) -> Value {
        let opening = token
        let outer = lexer.reading
        lexer.reading = reading
        try advance()
        let value = try parse(&self)
        guard token.kind == closing else {
            throw token.kind == .end ? unclosed(opening) : unexpectedInParentheses()
        }
        lexer.reading = outer
        try advance()
        return value
    }

    /// What `parse` reads one level of parentheses, negations or powers deeper.
    mutating func deeper<Value>(_ parse: (inout Parser) throws(QueryError) -> Value) throws(QueryError) -> Value {
        depth += 1
        if depth > TraceQL.Limits.depthMax {
            throw error(
                "parentheses and negations nest deeper than \(TraceQL.Limits.depthMax); take some away",
                at: token.range
            )
        }
        let value = try parse(&self)
        depth -= 1
        return value
    }

    /// Counts the operator here.
    mutating func countOperator() throws(QueryError) {
        operatorCount += 1
        if operatorCount > TraceQL.Limits.operatorsMax {
            throw error(
                "the query has more than \(TraceQL.Limits.operatorsMax) operators; use fewer conditions, or a pattern",
                at: token.range
            )
        }
    }

    /// Whether the next word is this one; of the bare form in any case.
    func isWord(_ keyword: String) -> Bool {
        guard case .word(let word) = token.kind else { return false }
        return word == keyword || lexer.reading == .bare && word.lowercased() == keyword
    }

    /// How tightly operators bind.
    enum Rank: Int, Comparable {
        case or, and, comparison, sum, product, power

        static func < (a: Rank, b: Rank) -> Bool { a.rawValue < b.rawValue }
        var next: Rank { Rank(rawValue: rawValue + 1) ?? .power }
    }

    func rank(of sign: BinaryOperator) -> Rank {
        switch sign {
        case .or: .or
        // In braces and between spansets both rank alike, as in Tempo.
        case .and: lexer.reading == .bare ? .and : .or
        case .add, .subtract: .sum
        case .multiply, .divide, .remainder: .product
        case .power: .power
        default: .comparison
        }
    }

    var checker: Checker { Checker(source: source, reading: lexer.reading, dialect: dialect) }
}
