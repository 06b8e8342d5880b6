// SPDX-License-Identifier: Apache-2.0
public import SkeinStore

/// The query language: TraceQL, the same with some additions, and the bare form, conditions of one `{ … }` without the
/// braces for people in a hurry, which stages may follow: `error = true | rate() by (service)`.
///
/// Where the two differ:
///
/// |  | `{ … }` | bare |
/// | --- | --- | --- |
/// | joining | `&&`, `\|\|` of equal rank, from left to right, as Tempo does | also `and`, `or` in any case; `and` binds tighter |
/// | negation | `!` of the next operand: `!(.a = 1)` | `not` and `!` of the whole comparison after it |
/// | names | intrinsics, `.name`, `span.name` … | also any other word, an attribute of span or resource; `service`, `operation`, `error` |
/// | text | in quotes | a single word needs none |
/// | `duration > 500` | nanoseconds | refused: a unit was forgotten |
///
/// In the parentheses of functions words are names as in the bare form, all else is as in braces. See ``Dialect`` for who
/// may use what, and ``Query`` for what a checked query promises.
///
/// Every input is answered in time linear in its length, or refused by ``Limits``.
public enum TraceQL {
    /// What keeps a query small.
    public enum Limits {
        /// Most UTF-8 bytes of a query.
        public static let queryBytesMax = 16 * 1024
        /// How deep parentheses and negations may nest.
        public static let depthMax = 64
        /// Most operators of a query.
        public static let operatorsMax = 512
    }

    /// The condition that `text` states, for places that take one condition on spans and no more than that. Empty text and
    /// `{}` match every span.
    public static func plan(_ text: String) throws(QueryError) -> SpanPredicate {
        try parse(text).condition()
    }

    /// The fields that `text` names, joined by commas, as in the parentheses of `select()`; at least one.
    package static func fields(_ text: String) throws(QueryError) -> [Field] {
        var parser = try Parser(text, .skein, reading: .arguments)
        return try parser.parseFieldList()
    }

    /// What `text` asks for, checked for sense.
    package static func parse(_ text: String, _ dialect: Dialect = .skein) throws(QueryError) -> Query {
        var parser = try Parser(text, dialect)
        return try parser.parse()
    }
}
