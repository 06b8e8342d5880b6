// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// The names in what is stored: from the tables of blocks and from the batches of the head.
struct Catalogues {
    private let snapshot: Contents.Snapshot
    private let cancellation: Cancellation

    /// Distinct values that are counted; more of them are passed over.
    private static let distinctValuesMax = 100_000

    init(_ snapshot: Contents.Snapshot, _ cancellation: Cancellation) {
        self.snapshot = snapshot
        self.cancellation = cancellation
    }

    private func forEachPiece(_ body: (SpanBatch) throws(StoreError) -> Void) throws(StoreError) {
        for part in snapshot.head {
            for piece in part.pieces {
                try cancellation.check()
                try body(piece.batch)
            }
        }
    }

    /// Service names, the empty one left out.
    func services() throws(StoreError) -> Set<String> {
        var names: Set<String> = []
        for stored in snapshot.blocks {
            try cancellation.check()
            for operation in try stored.catalogue().operations { names.insert(operation.service) }
        }
        try forEachPiece { batch throws(StoreError) in
            for ref in Set(batch.resources.serviceNameRefs) { names.insert(batch.dictionary.string(ref)) }
        }
        names.remove("")
        return names
    }

    func operations(ofService service: String) throws(StoreError) -> [Operation] {
        var found: Set<Operation> = []
        for stored in snapshot.blocks {
            try cancellation.check()
            for operation in try stored.catalogue().operations where operation.service == service {
                found.insert(Operation(name: operation.name, kind: operation.kind))
            }
        }
        try forEachPiece { batch throws(StoreError) in
            let owners = batch.resources.serviceNameRefs.map { batch.dictionary.string($0) == service }
            guard owners.contains(true) else { return }
            var seen: Set<UInt64> = []
            for row in 0..<batch.count where owners[Int(batch.resourceRows[row])] {
                let (name, kind) = (batch.nameRefs[row], batch.kinds[row])
                guard seen.insert(UInt64(name) << 8 | UInt64(kind)).inserted else { continue }
                found.insert(
                    Operation(name: batch.dictionary.string(name), kind: Span.Kind(rawValue: kind) ?? .unspecified)
                )
            }
        }
        return found.sorted { $0.name != $1.name ? $0.name.precedes($1.name) : $0.kind.rawValue < $1.kind.rawValue }
    }

    func attributeKeys(prefix: String, limit: Int) throws(StoreError) -> [AttributeKey] {
        var found: [KeyName: Set<ValueType>] = [:]
        for stored in snapshot.blocks {
            try cancellation.check()
            for entry in try stored.catalogue().keys where entry.key.name.utf8.starts(with: prefix.utf8) {
                found[KeyName(entry.key.scope, entry.key.name), default: []].formUnion(entry.key.types)
            }
        }
        try forEachPiece { batch throws(StoreError) in
            for (scope, table) in batch.attributeTables {
                var types: [SpanBatch.Ref: Set<ValueType>] = [:]
                var seen: Set<UInt64> = []
                for (key, value) in zip(table.keyRefs, table.valueRefs)
                where seen.insert(UInt64(key) << 32 | UInt64(value)).inserted {
                    let type = batch.dictionary.value(value).type
                    types[key, default: []].formUnion([type].compactMap(\.self))
                }
                for (key, types) in types {
                    let name = batch.dictionary.string(key)
                    if name.utf8.starts(with: prefix.utf8) { found[KeyName(scope, name), default: []].formUnion(types) }
                }
            }
        }
        let order = AttributeScope.allCases
        let keys = found.map { name, types in
            AttributeKey(scope: name.scope, name: name.name, types: ValueType.allCases.filter(types.contains))
        }
        let sorted = keys.sorted { a, b in
            a.name != b.name
                ? a.name.precedes(b.name)
                : (order.firstIndex(of: a.scope) ?? 0) < (order.firstIndex(of: b.scope) ?? 0)
        }
        return Array(sorted.prefix(max(limit, 0)))
    }

    private struct KeyName: Hashable {
        var scope: AttributeScope
        var name: String

        init(_ scope: AttributeScope, _ name: String) {
            self.scope = scope
            self.name = name
        }
    }

    func values(of field: SpanField, prefix: String, limit: Int) throws(StoreError) -> [ValueCount] {
        var counter = ValueCounter(field: field, prefix: prefix, distinctMax: Self.distinctValuesMax)
        try forEachPiece { batch throws(StoreError) in counter.add(batch) }
        for stored in snapshot.blocks { try counter.add(stored, cancellation) }
        return counter.mostFrequent(limit)
    }
}

extension SpanBatch {
    /// All attributes by whose they are.
    fileprivate var attributeTables: [(AttributeScope, AttributeTable)] {
        [
            (.span, attributes), (.resource, resources.attributes), (.instrumentation, scopes.attributes),
            (.event, events.attributes), (.link, links.attributes),
        ]
    }
}
