// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinStore

/// Splits a query into tokens. Never looks back, so its time is linear.
struct Lexer {
    private let source: [UInt8]
    /// How the words of the next token are read.
    var reading: Reading
    /// Where the token that was asked for last begins, also when it was none.
    private(set) var start = 0
    /// UTF-8 offset of what was not looked at yet.
    private(set) var at = 0
    /// Whether the name that was read last is that of a duration.
    private var isDurationNamed = false

    init(_ source: [UInt8], _ reading: Reading) {
        self.source = source
        self.reading = reading
    }

    /// The next token; ``Token/Kind/end`` for ever after the last.
    mutating func next() throws(QueryError) -> Token {
        start = at
        try skipBlanks()
        start = at
        guard let byte = peek() else { return Token(kind: .end, range: at..<at) }
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "`"):
            let text = try StringReader.read(source, at: &at)
            return Token(kind: .literal(.string(text)), range: start..<at)
        case UInt8(ascii: "'"): throw singleQuoted(from: start)
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return try number(from: start)
        case UInt8(ascii: "."):
            if let digit = peek(1), QueryByte.isDigit(digit), let token = try? number(from: start) { return token }
            at = start + 1
            isDurationNamed = false
            return Token(kind: .field(.attribute(.any, try name(from: start))), range: start..<at)
        case _ where QueryByte.isWordStart(byte): return try word(from: start)
        default:
            let kind = try SignReader.read(source, at: &at)
            return Token(kind: kind, range: start..<at)
        }
    }

    // MARK: Blanks

    /// White space, `// …` and `/* … */`.
    private mutating func skipBlanks() throws(QueryError) {
        while let byte = peek() {
            if QueryByte.isSpace(byte) {
                at += 1
            } else if byte == UInt8(ascii: "/"), peek(1) == UInt8(ascii: "/") {
                while let byte = peek(), byte != 0x0a { at += 1 }
            } else if byte == UInt8(ascii: "/"), peek(1) == UInt8(ascii: "*") {
                let start = at
                at += 2
                while let byte = peek(), !(byte == UInt8(ascii: "*") && peek(1) == UInt8(ascii: "/")) { at += 1 }
                guard peek() != nil else {
                    throw error("this comment has no end", at: start..<source.count, expected: ["*/"])
                }
                at += 2
            } else {
                return
            }
        }
    }

    // MARK: Names

    /// A word, which a scope's sign may make the start of a name.
    private mutating func word(from start: Int) throws(QueryError) -> Token {
        while let byte = peek(), QueryByte.isWord(byte) { at += 1 }
        let head = text(start..<at)
        if peek() == UInt8(ascii: "."), let scope = Self.scopes[head] {
            return try scoped(scope, isParents: false, from: start)
        }
        if peek() == UInt8(ascii: "."), head == "parent" {
            let inner = Self.scopes.first { source[(at + 1)...].starts(with: "\($0.key).".utf8) }
            if let inner { at += 1 + inner.key.utf8.count }
            return try scoped(inner?.value ?? .any, isParents: true, from: start)
        }
        if peek() == UInt8(ascii: ":"), head == "parent" || Self.colonNames[head] != nil {
            return try intrinsic(of: head, from: start)
        }
        // In braces only a scope makes a name of what is no identifier.
        if reading != .braces, !isCalculated(head) { skipName() }
        let word = text(start..<at)
        isDurationNamed = Intrinsic.words[word]?.isDuration ?? false
        return Token(kind: .word(word), range: start..<at)
    }

    /// Whether arithmetic follows an intrinsic at once, as in `duration/2`, rather than the rest of an attribute's name.
    private func isCalculated(_ head: String) -> Bool {
        guard Intrinsic.words[head] != nil, let sign = peek() else { return false }
        return QueryByte.isArithmetic(sign)
    }

    /// The attribute whose scope ends at the full stop here.
    private mutating func scoped(_ scope: AttributeScope, isParents: Bool, from start: Int) throws(QueryError) -> Token
    {
        at += 1
        let key = try name(from: start)
        isDurationNamed = false
        let field = isParents ? Field.parentAttribute(scope, key) : .attribute(scope, key)
        return Token(kind: .field(field), range: start..<at)
    }

    /// The fact whose name goes on with the colon here, such as `span:duration`; of `parent:` those of a span.
    private mutating func intrinsic(of head: String, from start: Int) throws(QueryError) -> Token {
        skipName()
        let name = text(start..<at)
        let isParents = head == "parent"
        let full = isParents ? "span" + name.dropFirst(head.count) : name
        guard let intrinsic = Intrinsic(rawValue: full) else {
            let owner = isParents ? "span" : head
            let known = (Self.colonNames[owner] ?? []).map { isParents ? "parent" + $0.dropFirst(owner.count) : $0 }
            throw error(
                "unknown name \(name)",
                at: start..<at,
                expected: known,
                suggestion: Self.otherNames[name] ?? Spelling.nearest(to: name, among: known)
            )
        }
        isDurationNamed = intrinsic.isDuration
        return Token(kind: .field(isParents ? .parentIntrinsic(intrinsic) : .intrinsic(intrinsic)), range: start..<at)
    }

    /// What other tools call some facts.
    private static let otherNames = [
        "trace:rootServiceName": "trace:rootService", "trace:service": "trace:rootService",
        "trace:name": "trace:rootName", "trace:rootSpanName": "trace:rootName", "span:service": "resource.service.name",
        "span:traceID": "trace:id", "span:traceId": "trace:id", "event:time": "event:timeSinceStart",
        "parent:service": "parent.resource.service.name",
    ]

    /// The scopes of attributes, as written before a full stop.
    private static let scopes: [String: AttributeScope] = [
        "span": .span, "resource": .resource, "event": .event, "link": .link, "instrumentation": .instrumentation,
    ]

    /// The names with a colon, by what stands before it.
    private static let colonNames: [String: [String]] = Dictionary(
        grouping: Intrinsic.allCases.map(\.rawValue).filter { $0.contains(":") },
        by: { String($0.prefix { $0 != ":" }) }
    )

    /// The key of an attribute: up to white space or a delimiter; parts in double quotes may hold anything.
    private mutating func name(from start: Int) throws(QueryError) -> String {
        var key: [UInt8] = []
        while let byte = peek(), !QueryByte.isSpace(byte), !QueryByte.isDelimiter(byte) {
            at += 1
            guard byte == UInt8(ascii: "\"") else {
                key.append(byte)
                continue
            }
            let quote = at - 1
            while let byte = peek(), byte != UInt8(ascii: "\"") {
                if byte == UInt8(ascii: "\\"), let escaped = peek(1) {
                    guard escaped == UInt8(ascii: "\"") || escaped == UInt8(ascii: "\\") else {
                        throw error("only \\\" and \\\\ are escapes in a name", at: at..<(at + 2))
                    }
                    at += 1
                }
                key.append(source[at])
                at += 1
            }
            guard peek() != nil else { throw error("this name has no closing quote", at: quote..<source.count) }
            at += 1
        }
        guard at > start, source[at - 1] != UInt8(ascii: ".") || !key.isEmpty else {
            throw error("an attribute's name must follow the full stop", at: start..<at)
        }
        return String(decoding: key, as: UTF8.self)
    }

    private mutating func skipName() {
        while let byte = peek(), !QueryByte.isSpace(byte), !QueryByte.isDelimiter(byte) { at += 1 }
    }

    // MARK: Values

    /// An int, a float or a duration.
    private mutating func number(from start: Int) throws(QueryError) -> Token {
        let value: Literal
        do throws(NumberReader.Failure) {
            value = try NumberReader.read(source, at: &at)
        } catch {
            at = start
            skipName()
            let words = text(start..<at)
            var suggestion = reading == .bare && !error.isTooLarge ? "\"\(words)\"" : nil
            if isDurationNamed { suggestion = error.corrected }
            throw self.error(error.message, at: start..<at, expected: error.expected, suggestion: suggestion)
        }
        return Token(kind: .literal(value), range: start..<at)
    }

    private mutating func singleQuoted(from start: Int) -> QueryError {
        at += 1
        while let byte = peek(), byte != UInt8(ascii: "'") { at += 1 }
        let inner = text((start + 1)..<at)
        if peek() != nil { at += 1 }
        return error("text stands in double quotes", at: start..<at, suggestion: TraceQL.quoted(inner))
    }

    private func peek(_ ahead: Int = 0) -> UInt8? { at + ahead < source.count ? source[at + ahead] : nil }
    private func text(_ range: Range<Int>) -> String { String(decoding: source[range], as: UTF8.self) }

    private func error(
        _ message: String,
        at range: Range<Int>,
        expected: [String] = [],
        suggestion: String? = nil
    ) -> QueryError {
        QueryError(message, at: range, of: source, expected: expected, suggestion: suggestion)
    }
}
