// SPDX-License-Identifier: Apache-2.0

/// Pipelines: stages, and what operators between them make.
extension Parser {
    /// What a pipeline turns out to be at its end.
    enum Outcome {
        case pipeline(Pipeline)
        case series(SeriesExpression)
        /// Numbers that nothing is compared with yet, such as `(1 + count())`.
        case scalar(Operand)

        var isSeries: Bool { if case .series = self { true } else { false } }
    }

    /// What operators between stages join.
    struct Operand {
        enum Element {
            case spansets(SpansetExpression)
            case filter(ScalarComparison)
            case scalar(ScalarExpression)
            case series(SeriesExpression)
        }

        var element: Element
        var range: Range<Int>

        /// A number that is known.
        var constant: Literal? { if case .scalar(.constant(let literal)) = element { literal } else { nil } }
    }

    /// Stages up to what cannot be one; behind `start`, when the first is known already.
    mutating func parsePipeline(from start: Stage? = nil) throws(QueryError) -> Outcome {
        var outcome: Outcome = if let start { .pipeline(Pipeline([start])) } else { try parseFirstStage() }
        while token.kind == .pipe || outcome.isSeries && token.kind.isComparison {
            try countOperator()
            switch outcome {
            case .pipeline(let pipeline):
                if case .order = pipeline.stages.last { throw error("nothing may follow order by", at: token.range) }
                try advance()
                outcome = try parseStage(after: pipeline)
            case .series(let series):
                // `rate() > 1` and `rate() | > 1` are the same.
                if token.kind == .pipe { try advance() }
                outcome = .series(try parseStage(after: series))
            case .scalar(let scalar): throw lacksComparison(scalar)
            }
        }
        return outcome
    }

    private mutating func parseFirstStage() throws(QueryError) -> Outcome {
        if case .word(let word) = token.kind, let function = FunctionName(rawValue: word) {
            switch function.place {
            case .aggregate: break
            case .spansets where function != .coalesce: return .pipeline(Pipeline([try parseStage(function)]))
            case .spansets, .first, .series: throw lacksSpans(function)
            }
        }
        let operand = try parseOperation(.or)
        switch operand.element {
        case .spansets(.pipeline(let inner)):
            guard dialect == .skein || token.kind != .pipe else {
                throw error("Tempo accepts no | behind a pipeline in parentheses; take those away", at: token.range)
            }
            return .pipeline(inner)
        case .spansets(let spansets):
            if dialect == .tempo, token.kind == .pipe, spansets.holdsPipeline {
                throw error("Tempo accepts no | behind pipelines in parentheses", at: token.range)
            }
            return .pipeline(Pipeline([.spansets(spansets)]))
        case .filter(let filter): return .pipeline(Pipeline([.filter(filter)]))
        case .series(let series): return .series(series)
        case .scalar: return .scalar(operand)
        }
    }

    private mutating func parseStage(after pipeline: Pipeline) throws(QueryError) -> Outcome {
        var pipeline = pipeline
        if case .word(let word) = token.kind {
            if word == "order" {
                pipeline.stages.append(.order(try parseOrder()))
                return .pipeline(pipeline)
            }
            if let function = FunctionName(rawValue: word), function.place != .aggregate {
                switch function.place {
                case .first: return .series(.query(try parseSeries(function, of: pipeline)))
                case .series: throw lacksSeries(function)
                case .spansets, .aggregate: pipeline.stages.append(try parseStage(function))
                }
                return .pipeline(pipeline)
            }
        }
        let operand = try parseOperation(.or)
        switch operand.element {
        case .spansets(let spansets):
            if dialect == .tempo, spansets.holdsPipeline {
                throw error("Tempo accepts no pipeline in parentheses behind a |", at: operand.range)
            }
            pipeline.stages.append(.spansets(spansets))
        case .filter(let filter): pipeline.stages.append(.filter(filter))
        case .scalar: throw lacksComparison(operand)
        case .series: throw error("series over time cannot follow a |", at: operand.range)
        }
        return .pipeline(pipeline)
    }

    // MARK: Operators

    /// Operators of at least this rank between stages, with their operands.
    mutating func parseOperation(_ least: Rank) throws(QueryError) -> Operand {
        var left = try parseOperand()
        while true {
            let sign = token
            let rank: Rank
            switch sign.kind {
            case .binary(let binary): rank = self.rank(of: binary)
            case .structural: rank = .comparison
            default: return left
            }
            guard rank >= least else { return left }
            try countOperator()
            try advance()
            let right: Operand
            if rank == .power {
                right = try deeper { parser throws(QueryError) in try parser.parseOperation(.power) }
            } else {
                right = try parseOperation(rank.next)
            }
            let element = try join(left, sign, right)
            left = Operand(element: element, range: left.range.lowerBound..<right.range.upperBound)
        }
    }

    private mutating func parseOperand() throws(QueryError) -> Operand {
        let here = token
        switch here.kind {
        case .openBrace:
            let condition = try parseBraces()
            return Operand(element: .spansets(.filter(condition)), range: here.range.lowerBound..<previousEnd)
        case .openParen: return try parseParentheses()
        case .literal(let literal):
            guard literal.type.isNumeric else { throw missingStage() }
            try advance()
            return Operand(element: .scalar(.constant(literal)), range: here.range)
        case .binary(.subtract):
            try advance()
            let operand = try deeper { parser throws(QueryError) in try parser.parseOperation(.power) }
            let range = here.range.lowerBound..<operand.range.upperBound
            return Operand(element: .scalar(try negative(operand, at: range)), range: range)
        case .word(let word):
            if let literal = Literal(word: word), literal.type.isNumeric {
                try advance()
                return Operand(element: .scalar(.constant(literal)), range: here.range)
            }
            guard let function = FunctionName(rawValue: word), let aggregate = function.aggregate else {
                throw missingStage()
            }
            let element = ScalarExpression.aggregate(try parseAggregate(aggregate))
            return Operand(element: .scalar(element), range: here.range.lowerBound..<previousEnd)
        default: throw missingStage()
        }
    }

    /// `( … )` around whatever may stand between stages.
    private mutating func parseParentheses() throws(QueryError) -> Operand {
        let opening = token
        try advance()
        let outcome = try deeper { parser throws(QueryError) in try parser.parsePipeline() }
        guard token.kind == .closeParen else {
            throw token.kind == .end ? unclosed(opening) : unexpectedBetweenStages()
        }
        try advance()
        let range = opening.range.lowerBound..<previousEnd
        switch outcome {
        case .series(let series): return Operand(element: .series(series), range: range)
        case .scalar(let scalar): return Operand(element: scalar.element, range: range)
        case .pipeline(let pipeline):
            if case .order = pipeline.stages.last { throw error("order by belongs behind all parentheses", at: range) }
            if pipeline.stages.count == 1, case .spansets(let spansets) = pipeline.stages.first {
                return Operand(element: .spansets(spansets), range: range)
            }
            return Operand(element: .spansets(.pipeline(pipeline)), range: range)
        }
    }

    private func negative(_ operand: Operand, at range: Range<Int>) throws(QueryError) -> ScalarExpression {
        if let literal = operand.constant, let negative = Arithmetic.negated(literal) { return .constant(negative) }
        guard case .scalar(let scalar) = operand.element else {
            throw error("only numbers take a minus; subtract from 0 instead", at: range)
        }
        return .arithmetic(.subtract, .constant(.int(0)), scalar)
    }

    private func join(_ left: Operand, _ sign: Token, _ right: Operand) throws(QueryError) -> Operand.Element {
        let range = left.range.lowerBound..<right.range.upperBound
        switch (left.element, right.element) {
        case (.spansets(let a), .spansets(let b)):
            guard let relation = sign.relation else {
                throw error("\(words(sign)) does not join { … }", at: sign.range, expected: Self.spansetOperators)
            }
            if dialect == .tempo, a.holdsPipeline != b.holdsPipeline {
                throw error("Tempo joins a pipeline in parentheses only with another one", at: range)
            }
            return .spansets(.combined(relation, a, b))
        case (.scalar(let a), .scalar(let b)):
            guard case .binary(let binary) = sign.kind, binary != .and, binary != .or else {
                throw unjoined(left, sign, right)
            }
            if binary.comparison != nil { return .filter(try comparison(left, a, binary, right, b, at: sign.range)) }
            if let a = left.constant, let b = right.constant {
                return .scalar(.constant(try checker.fold(binary, a, b, at: range)))
            }
            return .scalar(.arithmetic(binary, a, b))
        case (.series(let series), .scalar) where sign.kind.isComparison:
            guard case .binary(let binary) = sign.kind, binary.mirrored != nil else {
                throw unjoined(left, sign, right)
            }
            return .series(series.followed(by: .filter(binary, try seconds(right))))
        case (.series, .series), (.series, .scalar), (.scalar, .series):
            guard case .binary(let binary) = sign.kind, [.add, .subtract, .multiply, .divide].contains(binary) else {
                throw unjoined(left, sign, right)
            }
            return .series(.arithmetic(binary, try series(left), try series(right)))
        default: throw unjoined(left, sign, right)
        }
    }

    private func series(_ operand: Operand) throws(QueryError) -> SeriesExpression {
        switch operand.element {
        case .series(let series): return series
        case .scalar(.constant(.int(let int))): return .constant(Double(int))
        case .scalar(.constant(.double(let double))): return .constant(double)
        default:
            throw error(
                "series are calculated with series in parentheses and with plain numbers",
                at: operand.range,
                expected: ["number", "("]
            )
        }
    }

    /// A comparison of numbers of a spanset, its constant on the right.
    private func comparison(
        _ left: Operand,
        _ a: ScalarExpression,
        _ sign: BinaryOperator,
        _ right: Operand,
        _ b: ScalarExpression,
        at place: Range<Int>
    ) throws(QueryError) -> ScalarComparison {
        let range = left.range.lowerBound..<right.range.upperBound
        guard let mirrored = sign.mirrored else {
            throw error("\(sign.rawValue) is for text; these are numbers", at: place, expected: Self.orders)
        }
        if dialect == .tempo {
            guard case .aggregate = a, right.constant != nil else {
                throw error("Tempo compares one aggregate with one constant on its right, as in count() > 2", at: range)
            }
        }
        guard left.constant != nil else { return ScalarComparison(a, sign, b) }
        guard right.constant == nil else {
            throw error("two constants are compared here; one side has to be an aggregate such as count()", at: range)
        }
        return ScalarComparison(b, mirrored, a)
    }
}

extension SpansetExpression {
    /// Whether pipelines in parentheses are what it joins.
    fileprivate var holdsPipeline: Bool {
        switch self {
        case .filter: false
        case .pipeline: true
        case .combined(_, let left, let right): left.holdsPipeline || right.holdsPipeline
        }
    }
}
