// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// Changes texts and values of a batch, whoever they belong to, so that nothing of what was there before is left in it.
package struct SpanBatchRewriter {
    /// What becomes of an attribute.
    package enum Change: Equatable {
        case keep
        case drop
        /// Another value, in its encoded form (see ``EncodedValue``).
        case replace([UInt8])
    }

    private var batch: SpanBatch
    /// Whether the batch is another than it was.
    private var isChanged = false

    package init(_ batch: SpanBatch) { self.batch = batch }

    /// Asks about every attribute of spans, events, links, resources and scopes, by its key and value.
    package mutating func changeAttributes(_ change: (SpanBatch.Ref, SpanBatch.Ref) -> Change) {
        rewrite(\.attributes, count: batch.count, change)
        rewrite(\.events.attributes, count: batch.events.nameRefs.count, change)
        rewrite(\.links.attributes, count: batch.links.spanIDs.count, change)
        rewrite(\.resources.attributes, count: batch.resources.count, change)
        rewrite(\.scopes.attributes, count: batch.scopes.count, change)
    }

    /// Changes attributes of spans by their places in the table, and adds what `marks` says of a row behind them.
    package mutating func changeSpans(_ changes: [Int: Change], adding marks: [Int: [Attribute]]) {
        let added = marks.mapValues { attributes in
            attributes.map { attribute in
                var out = ByteWriter()
                EncodedValue.append(attribute.value, to: &out)
                return (key: add(Array(attribute.key.utf8)), value: add(out.array()))
            }
        }
        rewrite(\.attributes, count: batch.count, changes, adding: added)
    }

    /// Changes attributes of events by their places in the table.
    package mutating func changeEvents(_ changes: [Int: Change]) {
        rewrite(\.events.attributes, count: batch.events.nameRefs.count, changes)
    }

    /// Asks about every key of an attribute: the bytes that stand in its place, `nil` to keep it.
    package mutating func changeKeys(_ change: (SpanBatch.Ref) -> [UInt8]?) {
        rewrite(\.attributes.keyRefs, change)
        rewrite(\.events.attributes.keyRefs, change)
        rewrite(\.links.attributes.keyRefs, change)
        rewrite(\.resources.attributes.keyRefs, change)
        rewrite(\.scopes.attributes.keyRefs, change)
    }

    /// Asks about every name of a span, event or scope, every version of a scope and every message of a status: the bytes that
    /// stand in its place, `nil` to keep it.
    package mutating func changeTexts(_ change: (SpanBatch.Ref) -> [UInt8]?) {
        rewrite(\.nameRefs, change)
        rewrite(\.statusMessageRefs, change)
        rewrite(\.events.nameRefs, change)
        rewrite(\.scopes.nameRefs, change)
        rewrite(\.scopes.versionRefs, change)
    }

    /// Asks about the trace state of every span and link as ``changeTexts(_:)`` does. Weights stay as they are.
    package mutating func changeTraceStates(_ change: (SpanBatch.Ref) -> [UInt8]?) {
        rewrite(\.traceStateRefs, change)
        rewrite(\.links.traceStateRefs, change)
    }

    /// The batch as it was changed.
    package consuming func finish() -> SpanBatch {
        guard isChanged else { return batch }
        for row in 0..<batch.resources.count { renameService(row) }
        // What nobody refers to is not copied: the dictionary would keep it otherwise.
        var builder = SpanBatchBuilder()
        var merger = SpanBatchMerger(from: batch)
        for row in 0..<batch.count { merger.append(row, to: &builder) }
        return builder.finish(receivedUnixNanos: batch.receivedUnixNanos)
    }

    private mutating func rewrite(
        _ path: WritableKeyPath<SpanBatch, [SpanBatch.Ref]>,
        _ change: (SpanBatch.Ref) -> [UInt8]?
    ) {
        for index in batch[keyPath: path].indices {
            guard let bytes = change(batch[keyPath: path][index]) else { continue }
            batch[keyPath: path][index] = add(bytes)
            isChanged = true
        }
    }

    private mutating func rewrite(
        _ path: WritableKeyPath<SpanBatch, SpanBatch.AttributeTable>,
        count: Int,
        _ change: (SpanBatch.Ref, SpanBatch.Ref) -> Change
    ) {
        let table = batch[keyPath: path]
        var changes: [Int: Change] = [:]
        for pair in table.keyRefs.indices {
            let found = change(table.keyRefs[pair], table.valueRefs[pair])
            if found != .keep { changes[pair] = found }
        }
        rewrite(path, count: count, changes)
    }

    private mutating func rewrite(
        _ path: WritableKeyPath<SpanBatch, SpanBatch.AttributeTable>,
        count: Int,
        _ changes: [Int: Change],
        adding added: [Int: [(key: SpanBatch.Ref, value: SpanBatch.Ref)]] = [:]
    ) {
        guard !changes.isEmpty || !added.isEmpty else { return }
        let table = batch[keyPath: path]
        isChanged = true
        var rewritten = SpanBatch.AttributeTable()
        rewritten.ends.reserveCapacity(count)
        for owner in 0..<count {
            for pair in table.range(of: owner) {
                var value = table.valueRefs[pair]
                switch changes[pair] {
                case .drop: continue
                case .replace(let bytes): value = add(bytes)
                case .keep, nil: break
                }
                rewritten.keyRefs.append(table.keyRefs[pair])
                rewritten.valueRefs.append(value)
            }
            for pair in added[owner] ?? [] {
                rewritten.keyRefs.append(pair.key)
                rewritten.valueRefs.append(pair.value)
            }
            rewritten.ends.append(UInt32(truncatingIfNeeded: rewritten.keyRefs.count))
        }
        batch[keyPath: path] = rewritten
    }

    /// The service's name is told apart from its attribute.
    private mutating func renameService(_ row: Int) {
        guard batch.resources.serviceNameRefs[row] != 0 else { return }
        let table = batch.resources.attributes
        let pair = table.range(of: row).first { batch.dictionary.string(table.keyRefs[$0]) == "service.name" }
        guard let pair, case .string(let name) = batch.dictionary.value(table.valueRefs[pair]) else {
            batch.resources.serviceNameRefs[row] = 0
            return
        }
        batch.resources.serviceNameRefs[row] = add(Array(name.utf8))
    }

    private mutating func add(_ bytes: [UInt8]) -> SpanBatch.Ref {
        guard !bytes.isEmpty else { return 0 }
        batch.dictionary.bytes += bytes
        batch.dictionary.offsets.append(UInt32(truncatingIfNeeded: batch.dictionary.bytes.count))
        return UInt32(truncatingIfNeeded: batch.dictionary.count - 1)
    }
}
