// SPDX-License-Identifier: Apache-2.0
import SkeinStore

/// Follows a query up to a place, minding only what decides what may stand there.
struct CompletionScanner {
    private let source: [UInt8]
    private let place: Int
    private var lexer: Lexer
    /// Where the token that ends at the place begins, when there is such a token and it may still grow.
    private var partial: Int
    private var isInComment = false
    private var levels: [Level]

    /// Something that ends with a closing sign, or with the query.
    private struct Level {
        enum Kind: Equatable { case bare, braces, parentheses, arguments(FunctionName), stages, hints }

        enum State: Equatable {
            /// Before an operand: a name or value, or a stage.
            case start
            /// Behind an operator between stages.
            case joined
            /// Behind the name of a field.
            case named(Field)
            /// Behind a comparison of a field.
            case compared(Field, BinaryOperator)
            /// Behind `order`, and this many words of its clause.
            case ordering(Int)
            /// Behind a whole condition or stage.
            case done
        }

        var kind: Kind
        var state: State = .start
        /// Of stages: the function whose parentheses come next, or came last.
        var function: FunctionName?
        /// Of stages: whether they are over time by now.
        var hasSeries = false
        /// Of arguments: how many commas stand before the place.
        var commaCount = 0
    }

    init(_ source: [UInt8], at place: Int) {
        self.source = source
        self.place = place
        let isPiped = Parser.startsWithPipeline(source)
        // What stands behind the place must not decide what is read before it.
        lexer = Lexer(Array(source[..<place]), isPiped ? .braces : .bare)
        partial = place
        levels = [Level(kind: isPiped ? .stages : .bare)]
    }

    mutating func scan() -> Completion {
        while true {
            lexer.reading = reading
            let previousEnd = lexer.at
            let token: Token
            do throws(QueryError) {
                token = try lexer.next()
            } catch {
                if lexer.at >= place {
                    partial = lexer.start
                    isInComment = source[partial..<place].drop(while: QueryByte.isSpace).starts(with: "/*".utf8)
                    if isInComment { partial = place }
                    break
                }
                // A slip such as `==` is read as what was meant.
                if let sign = error.suggestion.flatMap(BinaryOperator.init) {
                    take(Token(kind: .binary(sign), range: lexer.start..<lexer.at))
                }
                continue
            }
            if token.kind == .end {
                let line = source[previousEnd..<place].split(separator: 0x0a, omittingEmptySubsequences: false).last
                isInComment = line?.contains("//".utf8) == true
                break
            }
            if token.range.upperBound == place, mayGrow(token) {
                partial = token.range.lowerBound
                break
            }
            take(token)
        }
        return Completion(subject: subject, replaced: partial..<replacedEnd)
    }

    /// Whether what ends at the place may become longer still.
    private func mayGrow(_ token: Token) -> Bool {
        switch token.kind {
        case .word, .field, .literal(.int), .literal(.double), .literal(.duration): true
        // Behind a name it is half of `!=`.
        case .not: if case .named = level.state { true } else { false }
        default: false
        }
    }

    // MARK: Following

    private var level: Level {
        get { levels[levels.count - 1] }
        set { levels[levels.count - 1] = newValue }
    }

    private var reading: Reading {
        for level in levels.reversed() {
            switch level.kind {
            case .bare: return .bare
            case .arguments: return .arguments
            case .braces, .stages, .hints: return .braces
            case .parentheses: continue
            }
        }
        return .braces
    }

    private mutating func take(_ token: Token) {
        // Hints are of no list and come last.
        if level.kind == .hints { return }
        switch token.kind {
        case .openBrace: levels.append(Level(kind: .braces))
        case .closeBrace: close { $0 == .braces }
        case .closeParen: close { $0 != .braces && $0 != .bare }
        case .pipe where level.kind == .bare: levels = [Level(kind: .stages)]
        default: if level.kind == .stages { takeStage(token) } else { takeCondition(token) }
        }
    }

    /// Ends the innermost level of such a kind, with all that was left open in it.
    private mutating func close(_ isSuch: (Level.Kind) -> Bool) {
        guard let index = levels.lastIndex(where: { isSuch($0.kind) }), index > 0 else { return }
        let closed = levels[index]
        levels.removeSubrange(index...)
        level.state = .done
        if closed.kind == .stages { level.hasSeries = closed.hasSeries }
        if closed.kind == .braces || closed.kind == .stages { level.function = nil }
    }

    private mutating func takeStage(_ token: Token) {
        switch token.kind {
        case .openParen:
            if let function = level.function, level.state == .start {
                levels.append(Level(kind: .arguments(function)))
            } else {
                levels.append(Level(kind: .stages))
            }
        case .pipe:
            level.state = .start
            level.function = nil
        case .word("with"): levels.append(Level(kind: .hints))
        case .word("order"):
            level.function = nil
            level.state = .ordering(0)
        case .word(let word):
            if case .ordering(let count) = level.state {
                level.state = count < 2 ? .ordering(count + 1) : .done
                return
            }
            level.function = FunctionName(rawValue: word)
            level.state = level.function == nil ? .done : .start
            if level.function?.place == .first { level.hasSeries = true }
        case .binary, .structural:
            level.state = .joined
            level.function = nil
        default: level.state = .done
        }
    }

    private mutating func takeCondition(_ token: Token) {
        switch token.kind {
        case .openParen: levels.append(Level(kind: .parentheses))
        case .comma:
            level.commaCount += 1
            level.state = .start
        case .field(let field): takeOperand(field)
        case .word("with") where level.kind == .bare && level.state == .done: levels = [Level(kind: .hints)]
        case .word(let word):
            let keyword = reading == .bare ? word.lowercased() : word
            if reading == .bare, ["and", "or", "not"].contains(keyword) {
                level.state = .start
            } else if reading == .braces, Literal(keyword: word) != nil {
                level.state = .done
            } else {
                takeOperand(Field(word: word))
            }
        case .literal: level.state = .done
        case .binary(let sign):
            if case .named(let field) = level.state, sign.comparison != nil {
                level.state = .compared(field, sign)
            } else if case .compared = level.state, sign == .subtract {
                // A negative number.
            } else {
                level.state = .start
            }
        default: break
        }
    }

    private mutating func takeOperand(_ field: Field?) {
        if case .start = level.state, let field { level.state = .named(field) } else { level.state = .done }
    }

    // MARK: Saying

    private var typed: [UInt8] { Array(source[partial..<place]) }

    /// Where what is being typed ends, behind the place perhaps.
    private var replacedEnd: Int {
        guard let first = typed.first else { return place }
        if first == UInt8(ascii: "\"") || first == UInt8(ascii: "`") {
            // As far as the closing quote, when the rest of the query makes sense with it there.
            var whole = Lexer(source, .braces)
            while let token = try? whole.next(), token.kind != .end {
                if token.range.lowerBound == partial { return token.range.upperBound }
            }
        }
        guard QueryByte.isWord(first) || first == UInt8(ascii: ".") else { return place }
        var end = place
        while end < source.count, !QueryByte.isSpace(source[end]), !QueryByte.isDelimiter(source[end]) { end += 1 }
        return end
    }

    private var subject: Completion.Subject {
        guard !isInComment else { return .nothing }
        switch level.kind {
        case .stages: return stage
        case .hints: return .nothing
        case .arguments(let function):
            if function == .compare { return level.commaCount == 0 ? .function(["{"], prefix: prefix) : .nothing }
            let takesNothing: [FunctionName] = [.coalesce, .count, .rate, .countOverTime, .topk, .bottomk]
            if takesNothing.contains(function) || function == .quantileOverTime && level.commaCount > 0 {
                return .nothing
            }
            return condition(closing: ")")
        case .bare: return condition(closing: "|")
        case .braces: return condition(closing: "}")
        case .parentheses: return condition(closing: ")")
        }
    }

    private func condition(closing: String) -> Completion.Subject {
        switch level.state {
        case .start, .joined: return name
        case .named: return .sign(Parser.comparisons)
        case .ordering: return .nothing
        case .done: return .sign((reading == .bare ? ["and", "or"] : ["&&", "||"]) + [closing])
        case .compared(let field, let sign):
            let typed = typed
            if let quote = typed.first, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "`") {
                var at = 0
                let text = try? StringReader.read(typed + [quote], at: &at)
                return .value(of: field, sign, prefix: text ?? prefix(from: 1), isQuoted: true)
            }
            // Another field may stand there too.
            if case .field(.some, _) = name { return name }
            return .value(of: field, sign, prefix: prefix, isQuoted: false)
        }
    }

    /// What is typed of a name.
    private var name: Completion.Subject {
        var rest = typed[...]
        func drop(_ head: String) -> Bool {
            guard rest.starts(with: head.utf8) else { return false }
            rest = rest.dropFirst(head.utf8.count)
            return true
        }
        func subject(_ qualifier: Completion.Qualifier?) -> Completion.Subject {
            .field(qualifier, prefix: String(decoding: rest.filter { $0 != UInt8(ascii: "\"") }, as: UTF8.self))
        }
        if drop(".") { return subject(.attribute(.any)) }
        let isParents = drop("parent.")
        for scope in AttributeScope.allCases where scope != .any && drop("\(scope.rawValue).") {
            return subject(isParents ? .parentAttribute(scope) : .attribute(scope))
        }
        if isParents { return subject(.parentAttribute(.any)) }
        for owner in ["span", "trace", "event", "link", "instrumentation", "parent"] where drop("\(owner):") {
            return subject(.intrinsic(owner))
        }
        guard rest.allSatisfy({ !QueryByte.isSpace($0) }), rest.first.map(QueryByte.isWordStart) ?? true else {
            return .nothing
        }
        return subject(nil)
    }

    private var stage: Completion.Subject {
        if level.state == .done { return .sign(behindStage) }
        if case .ordering(let count) = level.state {
            return .sign(count == 0 ? ["by"] : count == 1 ? TraceOrder.Key.allCases.map(\.rawValue) : ["desc", "asc"])
        }
        if level.state == .start, let function = level.function {
            return partial == place ? .sign(["("]) : .function([function.rawValue], prefix: prefix)
        }
        if level.hasSeries { return .function(Self.names(.series), prefix: prefix) }
        if level.state == .joined { return .function(["{"] + Self.names(.aggregate), prefix: prefix) }
        return .function(
            ["{"] + Self.names(.spansets) + Self.names(.aggregate) + Self.names(.first) + ["order by"],
            prefix: prefix
        )
    }

    private var behindStage: [String] {
        switch level.function?.place {
        case .aggregate: Parser.orders
        case .first: ["by", "|", "with"]
        case .spansets, .series: ["|"]
        case nil: level.hasSeries ? ["|", "+", "-", "*", "/"] : ["|"] + Parser.spansetOperators
        }
    }

    private static func names(_ place: FunctionName.Place) -> [String] {
        FunctionName.allCases.filter { $0.place == place }.map(\.rawValue)
    }

    private var prefix: String { prefix(from: 0) }
    private func prefix(from start: Int) -> String { String(decoding: typed.dropFirst(start), as: UTF8.self) }
}

extension Field {
    /// The field that a word without a scope names.
    fileprivate init(word: String) {
        switch word {
        case "service": self = .attribute(.resource, "service.name")
        case "operation": self = .intrinsic(.name)
        default: self = Intrinsic.words[word].map { .intrinsic($0) } ?? .attribute(.any, word)
        }
    }
}
