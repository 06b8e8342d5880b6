// SPDX-License-Identifier: Apache-2.0

extension PromQL {
    /// A piece of a query.
    struct Token {
        var kind: Kind
        /// UTF-8 offsets.
        var range: Range<Int>

        enum Kind: Hashable {
            /// A name or a word of the language; colons are part of it.
            case word(String)
            case number(Double)
            /// In milliseconds.
            case duration(Int)
            case string(String)
            /// As in `(`, `=~` and `==`.
            case sign(String)
            case end
        }
    }
}
