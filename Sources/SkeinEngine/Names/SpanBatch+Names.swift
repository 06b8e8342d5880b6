// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore

/// What rows of a batch say of names, each looked at once for all rows that share it.
extension SpanBatch {
    /// Calls `body` with kind, service, name and number of spans of each operation in `rows`; an operation may come twice.
    func forEachOperation(
        _ rows: Range<Int>,
        _ body: (_ kind: UInt8, _ service: UnsafeRawBufferPointer, _ name: UnsafeRawBufferPointer, _ spanCount: Int) ->
            Void
    ) {
        var counts: [OperationRefs: Int] = [:]
        for row in rows {
            let service = resources.serviceNameRefs[Int(resourceRows[row])]
            counts[OperationRefs(service: service, name: nameRefs[row], kind: kinds[row]), default: 0] += 1
        }
        for (refs, count) in counts {
            dictionary.withBytes(refs.service) { service in
                dictionary.withBytes(refs.name) { body(refs.kind, service, $0, count) }
            }
        }
    }

    private struct OperationRefs: Hashable {
        var service: Ref
        var name: Ref
        var kind: UInt8
    }

    /// Calls `body` with scope, name, types and number of each attribute key in `rows`, as a block's tables say them.
    func forEachKey(
        _ rows: Range<Int>,
        _ body: (_ scope: AttributeScope, _ name: UnsafeRawBufferPointer, _ types: UInt8, _ count: Int) -> Void
    ) {
        guard let first = rows.first, let last = rows.last else { return }
        func children(_ ends: (Int) -> Range<Int>) -> Range<Int> {
            ends(first).lowerBound..<Swift.max(ends(first).lowerBound, ends(last).upperBound)
        }
        let tables: [(AttributeScope, AttributeTable, Range<Int>)] = [
            (.span, attributes, rows), (.event, events.attributes, children(events.range(of:))),
            (.link, links.attributes, children(links.range(of:))),
        ]
        for (scope, table, owners) in tables where !table.ends.isEmpty && !owners.isEmpty {
            var counts = KeyCounts(dictionary)
            let pairs =
                table.range(of: owners.lowerBound).lowerBound..<table.range(of: owners.upperBound - 1).upperBound
            for pair in pairs { counts.add(table.keyRefs[pair], 1, table.valueRefs[pair]) }
            counts.forEach { body(scope, $0, $1, $2) }
        }
        let shared: [(AttributeScope, AttributeTable, [UInt32])] = [
            (.resource, resources.attributes, resourceRows), (.instrumentation, scopes.attributes, scopeRows),
        ]
        for (scope, table, owners) in shared where !table.ends.isEmpty {
            var spans = [Int](repeating: 0, count: table.ends.count)
            for row in rows { spans[Int(owners[row])] += 1 }
            var counts = KeyCounts(dictionary)
            for owner in spans.indices where spans[owner] > 0 {
                var seen: Set<Ref> = []
                for pair in table.range(of: owner) {
                    let isFirst = seen.insert(table.keyRefs[pair]).inserted
                    counts.add(table.keyRefs[pair], isFirst ? spans[owner] : 0, table.valueRefs[pair])
                }
            }
            counts.forEach { body(scope, $0, $1, $2) }
        }
    }

    /// What is known of each key of a batch.
    private struct KeyCounts {
        private let dictionary: ByteDictionary
        /// By ref. A key that only lacks spans is there all the same, so its types say whether it came.
        private var counts: [Int]
        private var types: [UInt8]
        private var keys: [Ref] = []

        init(_ dictionary: ByteDictionary) {
            self.dictionary = dictionary
            counts = [Int](repeating: 0, count: dictionary.count)
            types = [UInt8](repeating: 0, count: dictionary.count)
        }

        mutating func add(_ key: Ref, _ count: Int, _ value: Ref) {
            if types[Int(key)] == 0 { keys.append(key) }
            counts[Int(key)] &+= count
            types[Int(key)] |= dictionary.withBytes(value) { EncodedValue.typeBit(of: $0) }
        }

        func forEach(_ body: (UnsafeRawBufferPointer, UInt8, Int) -> Void) {
            for key in keys { dictionary.withBytes(key) { body($0, types[Int(key)], counts[Int(key)]) } }
        }
    }
}
