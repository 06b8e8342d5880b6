// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// Functions, with what stands in their parentheses, and the few clauses that are written in words.
extension Parser {
    /// `by(…)`, `coalesce()` and `select(…)`.
    mutating func parseStage(_ function: FunctionName) throws(QueryError) -> Stage {
        switch function {
        case .by:
            return .group(
                try parseArguments(of: function) { parser throws(QueryError) in
                    let value = try parser.checker.value(try parser.parseExpression(.or))
                    if parser.token.kind == .comma {
                        throw parser.error(
                            "a stage groups by one value; add a stage for another",
                            at: parser.token.range
                        )
                    }
                    return value
                }
            )
        case .select:
            return .select(try parseArguments(of: function) { parser throws(QueryError) in try parser.parseFields() })
        default:
            try parseNoArguments(of: function)
            return .coalesce
        }
    }

    /// `count()`, `max(…)` and the like.
    mutating func parseAggregate(_ function: Aggregate.Function) throws(QueryError) -> Aggregate {
        guard function != .count, let name = FunctionName(rawValue: function.rawValue) else {
            try parseNoArguments(of: .count)
            return Aggregate(.count, nil, text: "count()")
        }
        let operand = try parseArguments(of: name) { parser throws(QueryError) in
            try parser.checker.number(try parser.parseExpression(.or), for: function.rawValue)
        }
        return Aggregate(function, operand, text: "\(function.rawValue)(\(checker.text(operand.range)))")
    }

    // MARK: Series

    /// The first stage over time, with its `by(…)`.
    mutating func parseSeries(_ name: FunctionName, of pipeline: Pipeline) throws(QueryError) -> SeriesQuery {
        let function: SeriesFunction
        switch name {
        case .rate, .countOverTime:
            try parseNoArguments(of: name)
            function = name == .rate ? .rate : .count
        case .compare:
            let comparison = try parseArguments(of: name, .braces) { parser throws(QueryError) in
                try parser.parseComparison()
            }
            return SeriesQuery(pipeline, .compare(comparison), by: [], stages: [])
        case .quantileOverTime:
            function = try parseArguments(of: name) { parser throws(QueryError) in
                .quantiles(try parser.parseSeriesField(of: name), try parser.parseQuantiles())
            }
        default:
            let field = try parseArguments(of: name) { parser throws(QueryError) in
                try parser.parseSeriesField(of: name)
            }
            switch name {
            case .minOverTime: function = .minimum(field)
            case .maxOverTime: function = .maximum(field)
            case .avgOverTime: function = .average(field)
            case .sumOverTime: function = .sum(field)
            default: function = .histogram(field)
            }
        }
        return SeriesQuery(pipeline, function, by: try parseGroups(of: name), stages: [])
    }

    private mutating func parseSeriesField(of function: FunctionName) throws(QueryError) -> FieldReference {
        let field = try parseField()
        guard dialect == .tempo || field.field.type.isNumeric else {
            let name = checker.text(field.range)
            throw error("\(function.rawValue) takes numbers and durations; \(name) is neither", at: field.range)
        }
        return field
    }

    private mutating func parseGroups(of function: FunctionName) throws(QueryError) -> [FieldReference] {
        guard isWord(FunctionName.by.rawValue) else { return [] }
        let groups = try parseArguments(of: .by) { parser throws(QueryError) in try parser.parseFields() }
        // The quantile is a label too.
        let countMax = function == .quantileOverTime ? 4 : 5
        guard groups.count <= countMax else {
            throw error(
                "\(function.rawValue) groups by at most \(countMax) fields, these are \(groups.count)",
                at: groups[countMax].range
            )
        }
        return groups
    }

    private mutating func parseQuantiles() throws(QueryError) -> [Double] {
        guard token.kind == .comma else {
            throw error("a quantile is expected, such as 0.95", at: token.range, expected: [","])
        }
        var quantiles: [Double] = []
        while token.kind == .comma {
            try advance()
            let start = token.range.lowerBound
            let quantile: Double
            switch try parseLiteral() {
            case .int(let int): quantile = Double(int)
            case .double(let double): quantile = double
            default: quantile = .nan
            }
            guard (0...1).contains(quantile) else {
                throw error("a quantile is a number from 0 to 1, such as 0.95", at: start..<previousEnd)
            }
            quantiles.append(quantile)
        }
        return quantiles
    }

    /// `{ … }, topN, start, end`.
    private mutating func parseComparison() throws(QueryError) -> SeriesFunction.Comparison {
        guard token.kind == .openBrace else {
            throw error("what is compared stands in braces, as in compare({ … })", at: token.range, expected: ["{"])
        }
        var comparison = SeriesFunction.Comparison(selection: try parseBraces())
        let start = token.range.lowerBound
        var numbers: [Int64] = []
        while token.kind == .comma, numbers.count < 3 {
            try advance()
            let start = token.range.lowerBound
            guard case .int(let int) = try parseLiteral() else {
                throw error("a whole number is expected here", at: start..<previousEnd)
            }
            numbers.append(int)
        }
        if let count = numbers.first {
            guard (1...1000).contains(count) else {
                throw error("compare shows 1 to 1000 values of an attribute, not \(count)", at: start..<previousEnd)
            }
            comparison.countMax = Int(count)
        }
        guard numbers.count > 1 else { return comparison }
        guard numbers.count == 3 else {
            throw error("compare takes two times, a start and an end, or none", at: start..<previousEnd)
        }
        guard numbers[1] >= 0, numbers[1] < numbers[2] else {
            throw error("the start is not before the end; both are nanoseconds since 1970", at: start..<previousEnd)
        }
        comparison.range = UInt64(numbers[1])..<UInt64(numbers[2])
        return comparison
    }

    /// `topk(…)`, `bottomk(…)` and `> 10`, done to `series`.
    mutating func parseStage(after series: SeriesExpression) throws(QueryError) -> SeriesExpression {
        let stage: SeriesStage
        switch token.kind {
        case .word(FunctionName.topk.rawValue): stage = .top(try parseCount(of: .topk))
        case .word(FunctionName.bottomk.rawValue): stage = .bottom(try parseCount(of: .bottomk))
        case .binary(let sign) where sign.mirrored != nil:
            try advance()
            stage = .filter(sign, try seconds(try parseOperation(.sum)))
        default: throw unexpectedAfterSeries()
        }
        return series.followed(by: stage)
    }

    /// What series are compared with, durations in seconds.
    func seconds(_ value: Operand) throws(QueryError) -> Double {
        guard let number = value.constant?.seconds else {
            throw error("series are compared with a number or a duration", at: value.range, expected: ["number"])
        }
        return number
    }

    private mutating func parseCount(of function: FunctionName) throws(QueryError) -> Int {
        try parseArguments(of: function, .braces) { parser throws(QueryError) in
            let start = parser.token.range.lowerBound
            guard case .int(let count) = try parser.parseLiteral(), count > 0 else {
                throw parser.error(
                    "\(function.rawValue) takes how many series to keep, at least 1",
                    at: start..<parser.previousEnd
                )
            }
            return Int(count)
        }
    }

    // MARK: Clauses

    /// `order by duration desc`.
    mutating func parseOrder() throws(QueryError) -> TraceOrder {
        let start = token.range.lowerBound
        try advance()
        guard isWord("by") else { throw error("by is expected after order", at: token.range, expected: ["by"]) }
        if dialect == .tempo {
            throw error("Tempo has no order by, Skein's search has", at: start..<token.range.upperBound)
        }
        try advance()
        let keys = TraceOrder.Key.allCases.map(\.rawValue)
        guard case .word(let word) = token.kind, let key = TraceOrder.Key(rawValue: word) else {
            throw error(
                "traces are ordered by \(keys.joined(separator: ", "))",
                at: token.range,
                expected: keys,
                suggestion: Spelling.nearest(to: checker.text(token.range), among: keys)
            )
        }
        try advance()
        guard case .word(let direction) = token.kind, ["asc", "desc"].contains(direction.lowercased()) else {
            return TraceOrder(key, isDescending: true)
        }
        try advance()
        return TraceOrder(key, isDescending: direction.lowercased() == "desc")
    }

    /// `with(key = value, …)`, any number of times.
    mutating func parseHints() throws(QueryError) -> [Hint] {
        var hints: [Hint] = []
        while isWord("with") {
            try advance()
            guard token.kind == .openParen else {
                throw error("hints stand in parentheses, as in with(sample=true)", at: token.range, expected: ["("])
            }
            hints += try enclosed(.braces, by: .closeParen) { parser throws(QueryError) in
                var hints = [try parser.parseHint()]
                while parser.token.kind == .comma {
                    try parser.advance()
                    hints.append(try parser.parseHint())
                }
                return hints
            }
        }
        return hints
    }

    private mutating func parseHint() throws(QueryError) -> Hint {
        guard case .word(let name) = token.kind else {
            throw error("a hint is key=value, as in with(sample=true)", at: token.range, expected: ["name"])
        }
        try advance()
        guard token.kind == .binary(.equal) else {
            throw error("a hint needs a value, as in \(name)=true", at: token.range, expected: ["="])
        }
        try advance()
        return Hint(name, try parseLiteral())
    }

    // MARK: Arguments

    private var argumentReading: Reading { dialect == .skein ? .arguments : .braces }

    /// What stands in the parentheses of the function whose name is here.
    private mutating func parseArguments<Value>(
        of function: FunctionName,
        _ reading: Reading? = nil,
        _ parse: (inout Parser) throws(QueryError) -> Value
    ) throws(QueryError) -> Value {
        let name = token.range
        try advance()
        guard token.kind == .openParen else { throw lacksParentheses(function, at: name) }
        return try enclosed(reading ?? argumentReading, by: .closeParen, parse)
    }

    private mutating func parseNoArguments(of function: FunctionName) throws(QueryError) {
        try parseArguments(of: function) { parser throws(QueryError) in
            if parser.token.kind != .closeParen, parser.token.kind != .end {
                throw parser.error("\(function.rawValue)() takes nothing in its parentheses", at: parser.token.range)
            }
        }
    }

    /// The whole of a text that is a list of fields.
    mutating func parseFieldList() throws(QueryError) -> [Field] {
        let fields = try parseFields()
        guard token.kind == .end else {
            throw error("a comma is expected here", at: token.range, expected: [","])
        }
        return fields.map(\.field)
    }

    /// One field or more.
    private mutating func parseFields() throws(QueryError) -> [FieldReference] {
        var fields = [try parseField()]
        while token.kind == .comma {
            try advance()
            fields.append(try parseField())
        }
        return fields
    }

    private mutating func parseField() throws(QueryError) -> FieldReference {
        try checker.field(try parseExpression(.or))
    }

    /// One value, as written or with a minus.
    private mutating func parseLiteral() throws(QueryError) -> Literal {
        let start = token.range.lowerBound
        let isNegative = token.kind == .binary(.subtract)
        if isNegative { try advance() }
        let literal: Literal? =
            switch token.kind {
            case .literal(let literal): literal
            case .word(let word): Literal(keyword: word)
            default: nil
            }
        guard let literal else { throw error("a value is expected here", at: token.range, expected: ["value"]) }
        try advance()
        if !isNegative { return literal }
        guard let negative = Arithmetic.negated(literal) else {
            throw error("only numbers and durations take a minus", at: start..<previousEnd)
        }
        return negative
    }
}

extension SeriesExpression {
    /// What a stage makes of it.
    func followed(by stage: SeriesStage) -> SeriesExpression {
        guard case .query(var query) = self else { return .stage(stage, self) }
        query.stages.append(stage)
        return .query(query)
    }
}

extension Literal {
    /// A number as series hold it: durations in seconds.
    fileprivate var seconds: Double? {
        switch self {
        case .int(let int): Double(int)
        case .double(let double): double
        case .duration(let nanos): Double(nanos) / 1e9
        default: nil
        }
    }
}
