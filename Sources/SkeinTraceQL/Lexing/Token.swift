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
        /// An operator between spansets, such as `>>`.
        case structural(String)
        /// A name without scope: a keyword, an intrinsic, or an attribute of the bare form.
        case word(String)
        case field(Field)
        case literal(Literal)
        case end
    }
}
