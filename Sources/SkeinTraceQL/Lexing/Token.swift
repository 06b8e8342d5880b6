// SPDX-License-Identifier: Apache-2.0
import SkeinStore

/// A word, sign or value of a query.
struct Token: Hashable, Sendable {
    var kind: Kind
    /// UTF-8 offsets into the query.
    var range: Range<Int>

    enum Kind: Hashable, Sendable {
        case openBrace, closeBrace, openParen, closeParen, comma, pipe
        case binary(BinaryOperator)
        case not
        /// An operator between spansets that is none between values, such as `>>`.
        case structural(SpansetOperator)
        /// A name without scope: a keyword, an intrinsic, or an attribute of the bare form.
        case word(String)
        case field(Field)
        case literal(Literal)
        case end
    }
}

extension Token {
    /// What it says of two spansets, when it stands between such.
    var relation: SpansetOperator? {
        switch kind {
        case .structural(let relation): relation
        case .binary(.and): SpansetOperator(.and)
        case .binary(.or): SpansetOperator(.or)
        case .binary(.greater): SpansetOperator(.child)
        case .binary(.less): SpansetOperator(.parent)
        case .binary(.notMatches): SpansetOperator(.sibling, .negated)
        default: nil
        }
    }
}

/// How words are read, which depends on where they stand.
enum Reading {
    /// In conditions without braces: every word is a name or a value.
    case bare
    /// In braces and between the stages of a pipeline: words are those of the language only.
    case braces
    /// In the parentheses of a function, in Skein's dialect: as in braces, but other words name attributes too.
    case arguments
}
