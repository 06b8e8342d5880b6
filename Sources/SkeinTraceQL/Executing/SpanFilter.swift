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
        if (asksEvents && events.isEmpty) || (asksLinks && links.isEmpty) {
            return try term.withoutChildren(fields).isTrue { place throws(StoreError) in
                try reader.value(place, row: row)
            }
        }
        for event in asksEvents ? events : 0..<1 {
            for link in asksLinks ? links : 0..<1 {
                let children = FieldReader.Children(
                    event: asksEvents ? event : nil,
                    link: asksLinks ? link : nil
                )
                if try holds(row, reader, children) { return true }
            }
        }
        return false
    }
}

extension Term {
    /// The term for a span without events or links: nothing that is asked of them is true, be it that they lack something.
    fileprivate func withoutChildren(_ fields: [Field]) -> Term {
        switch self {
        case .isNil(.field(let place), true) where fields[place].isOfEvents || fields[place].isOfLinks:
            .literal(.bool(false))
        case .not(let inner): .not(inner.withoutChildren(fields))
        case .and(let left, let right): .and(left.withoutChildren(fields), right.withoutChildren(fields))
        case .or(let left, let right): .or(left.withoutChildren(fields), right.withoutChildren(fields))
        default: self
        }
    }
}
