// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// One `{ … }`, ready to be asked of tables.
///
/// What the store's columns can tell is asked of them; the rows that are left are looked at one by one when that was not
/// the whole condition. All that a condition asks of events it asks of one event, and likewise of links.
struct SpanFilter: Sendable {
    /// Every span that satisfies the filter satisfies this.
    let predicate: SpanPredicate
    /// Whether the predicate says all of it.
    let isExact: Bool
    let fields: [Field]
    private let compiled: CompiledPredicate
    private let term: Term
    private let asksEvents: Bool
    private let asksLinks: Bool

    /// The filter of a checked expression; `nil` for `{ }`.
    init(_ expression: Expression?) {
        (predicate, isExact) = Lowering.predicate(expression)
        compiled = CompiledPredicate(predicate)
        var terms = Terms()
        term = expression.map { terms.term($0) } ?? .literal(.bool(true))
        fields = terms.fields
        asksEvents = fields.contains { $0.isOfEvents }
        asksLinks = fields.contains { $0.isOfLinks }
    }

    /// Whether only a table of whole traces can tell.
    var needsWholeTraces: Bool { !isExact && fields.contains { $0.needsWholeTrace } }

    /// The columns that it is asked of.
    var columns: SpanColumns { fields.reduce(predicate.columns) { $0.union($1.columns) } }

    /// The rows of a table that satisfy it.
    func rows(of table: any SpanTable) throws(StoreError) -> RowSet {
        let rows = try table.rows(matching: compiled)
        return isExact ? rows : try refined(rows, of: table)
    }

    /// Those of `rows`, which satisfy the predicate, that satisfy the filter.
    func refined(_ rows: RowSet, of table: any SpanTable) throws(StoreError) -> RowSet {
        if isExact || rows.isEmpty { return rows }
        let reader = FieldReader(table, fields)
        var rows = rows
        for row in rows.rows {
            let holds = asksEvents || asksLinks ? try holdsForAny(row, reader) : try holds(row, reader, .none)
            if !holds { rows[row] = false }
        }
        return rows
    }

    private func holds(
        _ row: Int,
        _ reader: FieldReader,
        _ children: FieldReader.Children
    ) throws(StoreError) -> Bool {
        try term.isTrue { place throws(StoreError) in try reader.value(place, row: row, children) }
    }

    /// Whether there is an event, and a link, of which it is true; without any, what is asked of them is false.
    private func holdsForAny(_ row: Int, _ reader: FieldReader) throws(StoreError) -> Bool {
        let (events, links) = try reader.children(of: row)
        let term = term.without(events: events.isEmpty, links: links.isEmpty, fields)
        for event in asksEvents && !events.isEmpty ? events.map(Int?.init) : [nil] {
            for link in asksLinks && !links.isEmpty ? links.map(Int?.init) : [nil] {
                let children = FieldReader.Children(event: event, link: link)
                let holds = try term.isTrue { place throws(StoreError) in
                    try reader.value(place, row: row, children)
                }
                if holds { return true }
            }
        }
        return false
    }
}

extension Term {
    /// The term for a span without events, or without links: nothing that is asked of them is true, be it that they lack
    /// something.
    fileprivate func without(events: Bool, links: Bool, _ fields: [Field]) -> Term {
        guard events || links else { return self }
        func within(_ term: Term) -> Term { term.without(events: events, links: links, fields) }
        switch self {
        case .isNil(let inner, _) where inner.asks { events && fields[$0].isOfEvents || links && fields[$0].isOfLinks }:
            return .literal(.bool(false))
        case .not(let inner): return .not(within(inner))
        case .and(let left, let right): return .and(within(left), within(right))
        case .or(let left, let right): return .or(within(left), within(right))
        default: return self
        }
    }

    /// Whether any field that it names, by place, is one of these.
    private func asks(_ isWanted: (Int) -> Bool) -> Bool {
        switch self {
        case .literal: false
        case .field(let place): isWanted(place)
        case .not(let inner), .negative(let inner), .matches(let inner, _, _), .isNil(let inner, _):
            inner.asks(isWanted)
        case .and(let left, let right), .or(let left, let right), .compare(_, let left, let right),
            .arithmetic(_, let left, let right):
            left.asks(isWanted) || right.asks(isWanted)
        }
    }
}
