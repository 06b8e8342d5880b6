// SPDX-License-Identifier: Apache-2.0
package import SkeinStore

extension TraceQL {
    /// What the `q` of Tempo's tag values restricts spans to: the whole conditions of its one `{ … }`. What is still being
    /// typed is left out, such as `span.foo` and `span.foo =`.
    ///
    /// `nil`, for no restriction, where Tempo knows none: without braces, with several, behind an operator that lacks its
    /// other side, and with a condition on `.name`, which is of no one scope. Of conditions that a store cannot hold
    /// against one span the rest counts.
    package static func lenientConditions(_ text: String) -> SpanPredicate? {
        guard text.utf8.count <= Limits.queryBytesMax, var tokens = bracedTokens(Array(text.utf8)) else { return nil }
        guard dropUnfinished(&tokens) else { return nil }
        for token in tokens {
            if case .field(.attribute(.any, _)) = token.kind { return nil }
        }
        let bytes = Array(text.utf8)
        let words = tokens.map { String(decoding: bytes[$0.range], as: UTF8.self) }
        guard let query = try? parse("{ \(words.joined(separator: " ")) }", .tempo),
            case .spans(let pipeline) = query.statement, case .spansets(.filter(let condition)) = pipeline.stages.first
        else { return nil }
        let predicate = Lowering.predicate(condition).predicate
        return predicate == .true ? nil : predicate
    }

    /// What stands between the only braces of a query; the closing one and what comes last before it may be missing.
    private static func bracedTokens(_ source: [UInt8]) -> [Token]? {
        var lexer = Lexer(source, .braces)
        guard (try? lexer.next())?.kind == .openBrace else { return nil }
        var tokens: [Token] = []
        // A text without its closing quote ends where it begins.
        while let token = try? lexer.next(), token.kind != .end {
            if token.kind == .openBrace { return nil }
            guard token.kind == .closeBrace else {
                tokens.append(token)
                continue
            }
            guard let next = try? lexer.next(), [.end, .pipe, .word("with")].contains(next.kind) else { return nil }
            while let token = try? lexer.next(), token.kind != .end {
                if token.kind == .openBrace { return nil }
            }
            break
        }
        return tokens
    }

    /// Takes out what is a name alone, or a name and a comparison; each with the operator that joins it to the rest.
    /// Answers whether every operator has both its sides then.
    private static func dropUnfinished(_ tokens: inout [Token]) -> Bool {
        var kept: [Token] = []
        var at = 0
        while at < tokens.count {
            let isStart = kept.last.map { $0.isJoining || $0.kind == .openParen } ?? true
            guard isStart, tokens[at].isName else {
                kept.append(tokens[at])
                at += 1
                continue
            }
            var end = at + 1
            if end < tokens.count, case .binary(let sign) = tokens[end].kind, sign.comparison != nil { end += 1 }
            guard end == tokens.count || tokens[end].isJoining || tokens[end].kind == .closeParen else {
                kept.append(tokens[at])
                at += 1
                continue
            }
            at = end
            if kept.last?.isJoining == true {
                kept.removeLast()
            } else if at < tokens.count, tokens[at].isJoining {
                at += 1
            } else if !kept.isEmpty {
                // Nothing is left in its parentheses.
                return false
            }
        }
        tokens = kept
        return kept.last?.isJoining != true && kept.first?.isJoining != true
    }
}

extension Token {
    fileprivate var isJoining: Bool { kind == .binary(.and) || kind == .binary(.or) }

    fileprivate var isName: Bool {
        switch kind {
        case .field: true
        case .word(let word): Literal(keyword: word) == nil
        default: false
        }
    }
}
