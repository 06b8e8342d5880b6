// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// What to say of tokens that do not belong where they stand.
extension Parser {
    func error(
        _ message: String,
        at range: Range<Int>,
        expected: [String] = [],
        suggestion: String? = nil
    ) -> QueryError {
        QueryError(message, at: range, of: source, expected: expected, suggestion: suggestion)
    }

    func words(_ token: Token) -> String { checker.text(token.range) }

    func unclosed(_ opening: Token) -> QueryError {
        let closing = opening.kind == .openBrace ? "}" : ")"
        return error("this \(words(opening)) has no \(closing)", at: opening.range, expected: [closing])
    }

    // MARK: Conditions

    func missingOperand() -> QueryError {
        switch token.kind {
        case .structural(let sign): return misplaced(sign)
        case .openBrace: return error("braces do not stand within a condition", at: token.range)
        case .binary(.add): return error("a number takes no + before it", at: token.range)
        default:
            let what = token.kind == .end ? "the query ends where" : "here"
            return error(
                "\(what) a name or a value is expected",
                at: token.range,
                expected: ["name", "value", "("]
            )
        }
    }

    /// What stands after a complete expression and does not belong there.
    func unexpected(after left: Expression) -> QueryError {
        switch token.kind {
        case .pipe where isBare: return error("a ) is expected before the |", at: token.range, expected: [")"])
        case .pipe: return error("a | stands behind the closing }", at: token.range, expected: ["}"], suggestion: "} |")
        case .structural(let sign): return misplaced(sign)
        case .openBrace where isBare: return error("conditions stand in one { … }, or none in any", at: token.range)
        case .openBrace: return error("braces do not stand within a condition", at: token.range, expected: joining)
        case .comma: return error("a condition has no comma", at: token.range, expected: joining)
        case .closeParen: return error("this ) has no ( before it", at: token.range, expected: joining)
        case .closeBrace where isBare: return error("this } has no { before it", at: token.range)
        case .closeBrace: return error("a ) is expected before the }", at: token.range, expected: [")"])
        case .word(let word) where !isBare && ["and", "or"].contains(word.lowercased()):
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
            let name = checker.text(left.range)
            return error("a comparison is expected after \(name)", at: token.range, expected: Self.comparisons)
        default:
            return error(
                "conditions are joined by \(joining.joined(separator: " or "))",
                at: token.range,
                expected: joining
            )
        }
    }

    private func misplaced(_ sign: SpansetOperator) -> QueryError {
        error("structural operators such as \(sign.text) stand between two { … }", at: token.range)
    }

    func unknownName(_ word: String, at range: Range<Int>) -> QueryError {
        if word == "service" || word == "operation" {
            let name = word == "service" ? "resource.service.name" : "name"
            return error("\(word) has another name in braces", at: range, expected: [name], suggestion: name)
        }
        // The lexer stops where a word ends; what is meant goes on to where a name would.
        var end = range.upperBound
        while end < source.count, !QueryByte.isSpace(source[end]), !QueryByte.isDelimiter(source[end]) { end += 1 }
        let whole = range.lowerBound..<end
        let name = checker.text(whole)
        if let last = source[..<previousEnd].last, "=~<>".utf8.contains(last) { return unknownValue(name, at: whole) }
        let rest = name.dropFirst(word.count)
        let intrinsics = Intrinsic.words.keys.sorted()
        var suggestion: String? = ".\(name)"
        if rest.isEmpty {
            suggestion =
                Spelling.nearest(to: word, among: intrinsics + ["error", "true", "false", "nil"]) ?? suggestion
        } else if rest.hasPrefix(".") || rest.hasPrefix(":") {
            let scopes = ["span", "resource", "event", "link", "instrumentation", "trace"]
            if let scope = Spelling.nearest(to: word, among: scopes) { suggestion = scope + rest }
        }
        return error(
            "unknown name \(name); an attribute's name begins with a full stop or a scope, such as .\(name)",
            at: whole,
            expected: intrinsics,
            suggestion: suggestion
        )
    }

    private func unknownValue(_ name: String, at range: Range<Int>) -> QueryError {
        let words = StatusWord.allCases.map(\.rawValue) + KindWord.allCases.map(\.rawValue) + ["true", "false", "nil"]
        return error(
            "unknown value \(name); text stands in double quotes",
            at: range,
            expected: ["value"],
            suggestion: Spelling.nearest(to: name, among: words) ?? TraceQL.quoted(name)
        )
    }

    func misplacedFunction(_ word: String, at range: Range<Int>) -> QueryError {
        guard let function = FunctionName(rawValue: word) else {
            return unknownFunction(word, at: range, among: FunctionName.allCases)
        }
        let place = isBare ? "behind a |" : "behind the braces"
        let example = function.aggregate != nil ? "| \(word)() > 2" : "| \(word)()"
        return error("\(word)() is of many spans; it stands \(place), as in \(example)", at: range)
    }

    private func unknownFunction(_ word: String, at range: Range<Int>, among functions: [FunctionName]) -> QueryError {
        let names = functions.map(\.rawValue)
        return error(
            "unknown function \(word)",
            at: range,
            expected: isBare ? ["="] : names,
            suggestion: Self.otherFunctions[word.lowercased()] ?? Spelling.nearest(to: word, among: names)
        )
    }

    /// What other languages call some functions.
    private static let otherFunctions = [
        "histogram": "histogram_over_time", "quantile": "quantile_over_time", "percentile": "quantile_over_time",
        "mean": "avg", "average": "avg", "total": "sum", "top": "topk", "bottom": "bottomk",
        "group_by": "by", "groupby": "by", "group": "by", "length": "count", "size": "count", "sort": "order by",
    ]

    // MARK: Stages

    func lacksBraces() throws(QueryError) -> QueryError {
        if token.kind == .end {
            return error("the query is empty; { } is every span", at: token.range, expected: ["{"], suggestion: "{ }")
        }
        let braced = "{ \(checker.text(0..<source.count)) }"
        let isEnough = (try? TraceQL.parse(braced, .tempo)) != nil
        return error(
            "Tempo's conditions stand in braces",
            at: 0..<source.count,
            expected: ["{"],
            suggestion: isEnough ? braced : nil
        )
    }

    /// What cannot begin a stage or be joined to one.
    func missingStage() -> QueryError {
        switch token.kind {
        case .word(let word):
            let isCalled = nextSign == UInt8(ascii: "(")
            if let function = FunctionName(rawValue: word) {
                return isCalled ? misplacedStage(function) : lacksParentheses(function, at: token.range)
            }
            if isCalled || Intrinsic.words[word] == nil && !word.contains(".") {
                return unknownFunction(word, at: token.range, among: FunctionName.allCases)
            }
            return conditionOutsideBraces()
        case .field: return conditionOutsideBraces()
        case .end: return error("the query ends where a stage is expected", at: token.range, expected: Self.stages)
        case .pipe: return error("a stage is missing between | and |", at: token.range, expected: Self.stages)
        case .literal: return error("only numbers and durations stand outside braces", at: token.range)
        default: return error("a { … } or a function is expected here", at: token.range, expected: Self.stages)
        }
    }

    private func conditionOutsideBraces() -> QueryError {
        error("conditions on spans stand in braces", at: token.range, expected: ["{"], suggestion: "{ \(words(token))")
    }

    private func misplacedStage(_ function: FunctionName) -> QueryError {
        error("\(function.rawValue)() is a stage of its own, behind a |", at: token.range, expected: ["|"])
    }

    func lacksParentheses(_ function: FunctionName, at range: Range<Int>) -> QueryError {
        let takesNothing: [FunctionName] = [.count, .rate, .countOverTime, .coalesce]
        return error(
            "\(function.rawValue) is a function; its parentheses are missing",
            at: range,
            expected: ["("],
            suggestion: takesNothing.contains(function) ? "\(function.rawValue)()" : nil
        )
    }

    func lacksSpans(_ function: FunctionName) -> QueryError {
        let name = function.rawValue
        return error(
            "\(name)() needs spans before it, as in { } | \(name)()",
            at: token.range,
            expected: ["{"],
            suggestion: function.place == .series ? nil : "{ } | \(name)"
        )
    }

    func lacksSeries(_ function: FunctionName) -> QueryError {
        error("\(function.rawValue)() takes series, as in | rate() | \(function.rawValue)(5)", at: token.range)
    }

    /// What is said of numbers with which nothing is done.
    func lacksComparison(_ scalar: Operand) -> QueryError {
        let name = checker.text(scalar.range)
        if scalar.constant != nil { return error("a number alone says nothing of spans", at: scalar.range) }
        if token.kind == .closeParen {
            return error(
                "pipelines are not compared; write the comparison inside",
                at: token.range,
                expected: Self.orders
            )
        }
        return error(
            "a comparison is expected after \(name), such as \(name) > 2",
            at: token.range,
            expected: Self.orders
        )
    }

    func unexpectedAfterSeries() -> QueryError {
        if case .word(let word) = token.kind {
            let isKnown = FunctionName(rawValue: word) != nil
            if !isKnown { return unknownFunction(word, at: token.range, among: [.topk, .bottomk]) }
        }
        return error(
            "series are followed by topk(…), bottomk(…) or a comparison such as | > 10",
            at: token.range,
            expected: ["topk", "bottomk"] + Self.orders
        )
    }

    /// Two operands that an operator cannot join.
    func unjoined(_ left: Operand, _ sign: Token, _ right: Operand) -> QueryError {
        switch (left.element, right.element) {
        case (.filter, _), (_, .filter):
            return error(
                "a comparison of aggregates is a stage of its own",
                at: sign.range,
                expected: ["|"],
                suggestion: sign.kind == .binary(.and) ? "|" : nil
            )
        case (.series, _), (_, .series):
            return error("series are joined by + - * and / only", at: sign.range, expected: ["+", "-", "*", "/"])
        case (.scalar, .scalar): return error("\(words(sign)) does not join numbers", at: sign.range)
        case (.spansets, .scalar), (.scalar, .spansets), (.spansets, .spansets):
            return error("\(words(sign)) does not join a { … } and a number", at: sign.range, expected: ["|"])
        }
    }

    /// What stands behind a complete stage and belongs to nothing.
    func unexpectedBetweenStages() -> QueryError {
        switch token.kind {
        case .closeParen: return error("this ) has no ( before it", at: token.range)
        case .closeBrace: return error("this } has no { before it", at: token.range)
        case .openBrace:
            return error("an operator is expected between two { … }", at: token.range, expected: Self.spansetOperators)
        case .word(let word) where ["and", "or"].contains(word.lowercased()):
            let sign = word.lowercased() == "and" ? "&&" : "||"
            return error("{ … } are joined by signs", at: token.range, expected: ["&&", "||"], suggestion: sign)
        case .word(let word) where FunctionName(rawValue: word) != nil || word == "order":
            return error("stages are joined by |", at: token.range, expected: ["|"], suggestion: "| \(word)")
        case .binary(let sign) where sign.comparison != nil:
            return error(
                "a comparison behind a stage is a stage of its own",
                at: token.range,
                expected: ["|"],
                suggestion: "| \(sign.rawValue)"
            )
        case .comma: return error("a comma stands within the parentheses of a function", at: token.range)
        case .pipe: return error("with(…) stands at the end of a query, behind all stages", at: token.range)
        default: return error("nothing may follow here but | and with(…)", at: token.range, expected: ["|", "with"])
        }
    }

    /// What stands in the parentheses of a function and belongs to no argument.
    func unexpectedInParentheses() -> QueryError {
        if case .word(let word) = token.kind, ["and", "or"].contains(word.lowercased()) {
            let sign = word.lowercased() == "and" ? "&&" : "||"
            return error("conditions are joined by signs here", at: token.range, expected: joining, suggestion: sign)
        }
        return error("a ) is expected here", at: token.range, expected: [")"])
    }

    /// The byte behind the token here, leaving out blanks.
    var nextSign: UInt8? { source[token.range.upperBound...].first { !QueryByte.isSpace($0) } }
    private var isBare: Bool { lexer.reading == .bare }
    private var joining: [String] { isBare ? ["and", "or"] : ["&&", "||"] }
    static let comparisons = ["=", "!=", "<", "<=", ">", ">=", "=~", "!~"]
    static let orders = ["=", "!=", "<", "<=", ">", ">="]
    static let spansetOperators = ["&&", "||", ">", ">>", "<", "<<", "~"]
    private static let stages = ["{", "("] + FunctionName.allCases.map(\.rawValue)
}

extension Token.Kind {
    var isComparison: Bool { if case .binary(let sign) = self { sign.comparison != nil } else { false } }
}
