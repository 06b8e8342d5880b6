// SPDX-License-Identifier: Apache-2.0

extension PromQL {
    /// Makes an expression of a query by precedence climbing.
    struct Parser {
        private var lexer: Lexer
        /// What is looked at.
        private(set) var token: Token
        private var depth = 0
        private var operatorCount = 0

        init(_ text: String) throws(Failure) {
            let source = Array(text.utf8)
            guard source.count <= Limits.queryBytesMax else {
                throw Failure(
                    "the query has \(source.count) bytes; the limit is \(Limits.queryBytesMax): shorten it",
                    at: 0,
                    of: []
                )
            }
            lexer = Lexer(source)
            token = Token(kind: .end, range: 0..<0)
            try advance()
        }

        /// The whole text as one expression.
        mutating func whole() throws(Failure) -> Expression {
            let start = token.range.lowerBound
            if token.kind == .end {
                throw failure("the query is empty: ask for a metric, as \(SpanMetric.all[0].name) is")
            }
            let expression = try self.expression()
            guard token.kind == .end else { throw unexpected("an operator or the end") }
            if expression.kind == .range {
                throw failure("a range vector is no answer: ask for rate(…) or increase(…) of it", at: start)
            }
            return expression
        }

        /// The whole text as one selector.
        mutating func wholeSelector() throws(Failure) -> Selector {
            var name: String?
            if case .word(let word) = token.kind {
                name = word
                try advance()
            }
            let selector = try self.selector(name, from: 0)
            guard token.kind == .end else { throw unexpected("the end") }
            return selector
        }

        // MARK: Operators

        mutating func expression(above rank: Int = 0) throws(Failure) -> Expression {
            var left = try operand()
            while let sign = sign, sign.rank > rank {
                let start = token.range.lowerBound
                operatorCount += 1
                guard operatorCount <= Limits.operatorsMax else {
                    throw failure(
                        "the query has more than \(Limits.operatorsMax) operators, which is the limit: split it"
                    )
                }
                try advance()
                var operation = Operation(sign: sign, left: left, right: .number(0))
                try modifiers(&operation)
                operation.right = try expression(above: sign.rank)
                try check(operation, at: start)
                left = .operation(operation)
            }
            return left
        }

        /// The operator that is looked at.
        private var sign: Operation.Sign? {
            switch token.kind {
            case .sign(let text): Operation.Sign(rawValue: text)
            case .word(let word): Operation.Sign(rawValue: word.lowercased())
            default: nil
            }
        }

        private mutating func modifiers(_ operation: inout Operation) throws(Failure) {
            let start = token.range.lowerBound
            if try take(word: "bool") {
                guard operation.sign.isComparison else {
                    throw failure("bool goes with comparisons, not with \(operation.sign.rawValue)", at: start)
                }
                operation.isBool = true
            }
            for (word, isIgnoring) in [("on", false), ("ignoring", true)] where operation.matching == nil {
                if try take(word: word) {
                    operation.matching = .init(names: try names(), isIgnoring: isIgnoring)
                }
            }
            for word in ["group_left", "group_right"] where isWord(word) {
                throw failure("\(word) is not supported: each sample finds one; aggregate a side with sum by (…)")
            }
        }

        private func check(_ operation: Operation, at start: Int) throws(Failure) {
            let kinds = [operation.left.kind, operation.right.kind]
            let name = operation.sign.rawValue
            for kind in kinds where kind != .scalar && kind != .vector {
                throw failure("\(name) takes numbers and instant vectors, not \(kind.rawValue)", at: start)
            }
            if operation.sign.isOfSets, kinds.contains(.scalar) {
                throw failure("\(name) takes two instant vectors: write a number n as vector(n)", at: start)
            }
            if operation.sign.isComparison, kinds == [.scalar, .scalar], !operation.isBool {
                throw failure("a comparison of two numbers takes bool, as in 1 \(name) bool 2", at: start)
            }
            if operation.matching != nil, kinds != [.vector, .vector] {
                throw failure("on and ignoring go between two instant vectors", at: start)
            }
        }

        // MARK: Operands

        private mutating func operand() throws(Failure) -> Expression {
            try nested { parser throws(Failure) in
                let start = parser.token.range.lowerBound
                if try parser.take(sign: "-") {
                    let operand = try parser.operand()
                    if case .number(let value) = operand { return .number(-value) }
                    guard operand.kind == .scalar || operand.kind == .vector else {
                        throw parser.failure(
                            "- takes numbers and instant vectors, not \(operand.kind.rawValue)",
                            at: start
                        )
                    }
                    return .negation(operand)
                }
                if try parser.take(sign: "+") { return try parser.operand() }
                return try parser.behind(try parser.plain())
            }
        }

        private mutating func plain() throws(Failure) -> Expression {
            let start = token.range.lowerBound
            switch token.kind {
            case .number(let value):
                try advance()
                return .number(value)
            case .string(let text):
                try advance()
                return .string(text)
            case .sign("("):
                try advance()
                let inner = try expression()
                try expect(")")
                return inner
            case .sign("{"): return total(of: try selector(nil, from: start))
            case .word(let word):
                try advance()
                if let operation = Aggregation.Operation(rawValue: word.lowercased()),
                    token.kind == .sign("(") || isWord("by") || isWord("without")
                {
                    return try aggregation(operation, at: start)
                }
                if token.kind == .sign("(") { return try call(word, at: start) }
                if let value = Self.numbers[word.lowercased()] { return .number(value) }
                return total(of: try selector(word, from: start))
            default: throw unexpected("a metric, a number or (")
            }
        }

        private static let numbers: [String: Double] = ["inf": .infinity, "nan": .nan]

        private func total(of selector: Selector) -> Expression {
            .reading(Reading(selector: selector, measure: .total))
        }

        /// What may stand behind an operand: a range, an offset.
        private mutating func behind(_ operand: Expression) throws(Failure) -> Expression {
            var operand = operand
            while true {
                let start = token.range.lowerBound
                if try take(sign: "[") {
                    guard case .reading(let reading) = operand, reading.measure == .total else {
                        throw failure("a range goes behind a selector, as in \(SpanMetric.all[0].name)[5m]", at: start)
                    }
                    let millis = try duration()
                    if token.kind == .sign(":") {
                        throw failure("subqueries are not supported: ask query_range for the moments you want")
                    }
                    try expect("]")
                    guard millis > 0 else { throw failure("a range takes more than nothing", at: start) }
                    operand = .range(reading.selector, millis: millis)
                } else if try take(word: "offset") {
                    operand = try moved(operand, by: try duration(), at: start)
                } else if token.kind == .sign("@") {
                    throw failure("@ is not supported: ask for the time that you want")
                } else {
                    return operand
                }
            }
        }

        private func moved(_ operand: Expression, by millis: Int, at start: Int) throws(Failure) -> Expression {
            switch operand {
            case .reading(var reading) where reading.measure == .total && reading.selector.offsetMillis == 0:
                reading.selector.offsetMillis = millis
                return .reading(reading)
            case .range(var selector, let range) where selector.offsetMillis == 0:
                selector.offsetMillis = millis
                return .range(selector, millis: range)
            default: throw failure("an offset goes once behind a selector, as in x[5m] offset 1h", at: start)
            }
        }

        private mutating func duration() throws(Failure) -> Int {
            if token.kind == .sign("-") { throw failure("a negative duration is not supported") }
            guard case .duration(let millis) = token.kind else { throw unexpected("a duration such as 5m") }
            try advance()
            return millis
        }

        // MARK: Tokens

        /// Runs `body` one level deeper.
        mutating func nested<T>(_ body: (inout Self) throws(Failure) -> T) throws(Failure) -> T {
            depth += 1
            guard depth <= Limits.depthMax else {
                throw failure("the query nests more than \(Limits.depthMax) deep, which is the limit: split it")
            }
            let result = try body(&self)
            depth -= 1
            return result
        }

        mutating func advance() throws(Failure) { token = try lexer.next() }

        func isWord(_ word: String) -> Bool {
            if case .word(let text) = token.kind { text.lowercased() == word } else { false }
        }

        mutating func take(word: String) throws(Failure) -> Bool {
            guard isWord(word) else { return false }
            try advance()
            return true
        }

        mutating func take(sign: String) throws(Failure) -> Bool {
            guard token.kind == .sign(sign) else { return false }
            try advance()
            return true
        }

        mutating func expect(_ sign: String) throws(Failure) {
            guard try take(sign: sign) else { throw unexpected(sign) }
        }

        func unexpected(_ expected: String) -> Failure {
            let found =
                token.kind == .end
                ? "the end" : GoText.quote(String(decoding: lexer.source[token.range].prefix(100), as: UTF8.self))
            return failure("unexpected \(found): expected \(expected)")
        }

        /// What is wrong at `offset`, or else at the token that is looked at.
        func failure(_ message: String, at offset: Int? = nil) -> Failure {
            Failure(message, at: offset ?? token.range.lowerBound, of: lexer.source)
        }
    }
}
