// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

/// What many traces tell about how their services are instrumented.
///
/// A finding is told for each service and operation, with how often it came. At most ``findingCountMax`` are told apart, those
/// that came first. What parts of the traces tell adds up to what all do.
package struct InstrumentationHygiene: TraceAnalysis {
    /// Most findings that are told apart.
    package static let findingCountMax = 5_000

    /// Traces added.
    package private(set) var traceCount = 0
    /// Their spans.
    package private(set) var spanCount = 0
    private var groups = BoundedGroups<Key, HygieneFigures>(limit: findingCountMax)
    private var names = NameHygiene()
    private var propagation = PropagationHygiene()

    package var byteCount: Int { groups.values.count * 512 + names.byteCount + propagation.byteCount }

    private struct Key: Hashable, Sendable {
        var kind: HygieneFinding.Kind
        var name: OperationName
        @ExactText var what: String
    }

    /// What was told of no traces.
    package init() {}

    /// Adds a trace; `batch` holds all of its spans, each once, with attributes, events and details.
    package mutating func add(_ batch: SpanBatch) {
        guard !batch.isEmpty else { return }
        let tree = TraceTree(batch)
        traceCount += 1
        spanCount += tree.count
        var found: [Key: HygieneFigures] = [:]
        var reader = TraceHygiene(tree, batch)
        reader.read { kind, row, what in
            let key = Key(kind: kind, name: tree.name(at: row), what: what)
            found[key, default: HygieneFigures()].add(Int(tree.batchRows[row]), of: batch)
        }
        for (key, figures) in found { groups.update(key, first: HygieneFigures()) { $0.add(figures) } }
        names.add(tree, batch)
        propagation.add(tree, batch)
    }

    /// Adds what other traces tell.
    package mutating func merge(_ other: InstrumentationHygiene) {
        traceCount += other.traceCount
        spanCount += other.spanCount
        groups.merge(other.groups, first: HygieneFigures()) { $0.add($1) }
        names.merge(other.names)
        propagation.merge(other.propagation)
    }

    /// By kind in the order of ``HygieneFinding/Kind``, most frequent first, ties by service and operation.
    package var findings: [HygieneFinding] {
        let own = groups.values.map { $0.value.finding($0.key.kind, $0.key.name, $0.key.what) }
        let kinds = HygieneFinding.Kind.allCases
        let order = Dictionary(uniqueKeysWithValues: zip(kinds, 0...))
        return (own + names.findings + propagation.findings).sorted { a, b in
            if a.kind != b.kind { return order[a.kind, default: 0] < order[b.kind, default: 0] }
            if a.count != b.count { return a.count > b.count }
            return (a.service, a.operation, a.what) < (b.service, b.operation, b.what)
        }
    }
}

/// How often something was seen, and where.
struct HygieneFigures: Sendable {
    private(set) var count = 0.0
    private(set) var traceCount = 0
    private var exemplars = RecentTraces()

    init() {}

    /// Adds a span that shows it, of a trace that is the only one so far.
    mutating func add(_ row: Int, of batch: SpanBatch) {
        count += batch.weight(at: row)
        traceCount = 1
        exemplars.add(batch.traceIDs[row], seenUnixNanos: batch.startUnixNanos[row])
    }

    /// The same, seen in one trace however often it came there.
    var ofOneTrace: HygieneFigures {
        var one = self
        one.traceCount = 1
        return one
    }

    mutating func add(_ other: HygieneFigures) {
        count += other.count
        traceCount += other.traceCount
        exemplars.add(other.exemplars)
    }

    func finding(_ kind: HygieneFinding.Kind, _ name: OperationName, _ what: String) -> HygieneFinding {
        HygieneFinding(
            kind: kind,
            what: what,
            service: name.service,
            operation: name.operation,
            count: count,
            traceCount: traceCount,
            exemplars: exemplars.ids
        )
    }
}
