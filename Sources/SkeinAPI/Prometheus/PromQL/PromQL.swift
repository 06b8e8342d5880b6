// SPDX-License-Identifier: Apache-2.0

/// The part of PromQL (Prometheus 3, "Querying basics" and "Operators") that dashboards of services ask of traces.
///
/// |  |  |
/// |---|---|
/// | selectors | `name{a="b",c!="d",e=~"f.*",g!~"h"}`, `offset`, and ranges such as `[5m]` within `rate` and `increase` |
/// | functions | `rate`, `increase`, `histogram_quantile`, `vector` |
/// | aggregations | `sum`, `avg`, `min`, `max`, `count`, `group`, `topk`, `bottomk`, with `by` or `without` |
/// | operators | `+ - * /`, comparisons with or without `bool`, `and`, `or`, `unless`, with `on` or `ignoring` |
///
/// All else is refused by its name. Every input is answered in time linear in its length, or refused by ``Limits``.
enum PromQL {
    /// What keeps a query small.
    enum Limits {
        /// Most UTF-8 bytes of a query.
        static let queryBytesMax = 16 * 1024
        /// How deep parentheses, calls and signs may nest.
        static let depthMax = 64
        /// Most operators between two operands.
        static let operatorsMax = 256
    }

    /// Why a query is none, and where.
    struct Failure: Error, Hashable {
        var message: String
        /// From 1 on.
        var line: Int
        /// From 1 on, in bytes of UTF-8.
        var column: Int
    }

    /// What `text` asks for.
    static func parse(_ text: String) throws(Failure) -> Expression {
        var parser = try Parser(text)
        return try parser.whole()
    }

    /// The selector that `text` is, as in `match[]`.
    static func selector(_ text: String) throws(Failure) -> Selector {
        var parser = try Parser(text)
        return try parser.wholeSelector()
    }
}

extension PromQL.Failure {
    /// What is wrong at byte `offset` of `source`.
    init(_ message: String, at offset: Int, of source: [UInt8]) {
        let before = source.prefix(offset)
        self.message = message
        line = before.count { $0 == 0x0a } + 1
        column = offset - (before.lastIndex(of: 0x0a) ?? -1)
    }
}
