// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore

/// Holds a block's filters to the rows: what is in a row group, its filter must not deny.
struct CheckedFilters {
    private let block: Block
    private let traceRows: [UInt8]
    private let valueRows: [UInt8]

    /// Reads the filters whole.
    init(_ block: Block) throws(StoreError) {
        self.block = block
        traceRows = try block.filterRows(of: block.footer.traceFilters)
        valueRows = try block.filterRows(of: block.footer.valueFilters)
    }

    /// Throws when the filters of row group `group` deny one of its traces, or anything in its rows.
    func check(_ group: Int, _ traces: [TraceID], _ batch: SpanBatch) throws(StoreError) {
        for id in traces where !admits(FilterHash.of(id), group, traceRows, block.footer.traceFilters) {
            throw block.reader.corrupt(
                "the filter of a row group does not know the trace \(id)",
                at: block.footer.traceFilters.offset
            )
        }
        if block.footer.groups[group].filtersLinks {
            for id in Set(batch.links.traceIDs)
            where !admits(FilterHash.of(linkTo: id), group, valueRows, block.footer.valueFilters) {
                throw block.reader.corrupt(
                    "the filter of a row group does not know a link to the trace \(id)",
                    at: block.footer.valueFilters.offset
                )
            }
        }
        var pairs = Set<Pair>()
        func add(_ owner: FilterHash.Owner, _ values: [SpanBatch.Ref]) {
            for value in values { pairs.insert(Pair(owner: owner, key: nil, value: value)) }
        }
        func add(_ owner: FilterHash.Owner, _ table: SpanBatch.AttributeTable) {
            for (key, value) in zip(table.keyRefs, table.valueRefs) {
                pairs.insert(Pair(owner: owner, key: key, value: value))
            }
        }
        add(.spanName, batch.nameRefs)
        add(.eventName, batch.events.nameRefs)
        add(.serviceName, batch.resources.serviceNameRefs)
        add(.span, batch.attributes)
        add(.resource, batch.resources.attributes)
        add(.event, batch.events.attributes)
        add(.link, batch.links.attributes)
        for pair in pairs where !admits(hash(of: pair, in: batch), group, valueRows, block.footer.valueFilters) {
            let name = pair.key.map { batch.dictionary.string($0) } ?? "\(pair.owner)"
            throw block.reader.corrupt(
                "the filter of a row group does not know a value of \(name)",
                at: block.footer.valueFilters.offset
            )
        }
    }

    private struct Pair: Hashable {
        var owner: FilterHash.Owner
        var key: SpanBatch.Ref?
        var value: SpanBatch.Ref
    }

    private func hash(of pair: Pair, in batch: SpanBatch) -> UInt64 {
        guard let key = pair.key else {
            return batch.dictionary.withBytes(pair.value) { FilterHash.of($0, key: FilterHash.key(pair.owner)) }
        }
        let keyHash = batch.dictionary.withBytes(key) { FilterHash.key(pair.owner, name: $0) }
        return batch.dictionary.withBytes(pair.value) { FilterHash.of(encoded: $0, key: keyHash) }
    }

    private func admits(_ hash: UInt64, _ group: Int, _ rows: [UInt8], _ table: FilterTable) -> Bool {
        let rowByteCount = FilterTable.rowByteCount(groups: block.footer.groups.count)
        let start =
            FilterTable.line(of: hash, lineBits: table.lineBits) * rowByteCount + group * FilterTable.lineByteCount
        let line = Array(rows[start..<(start + FilterTable.lineByteCount)])
        return FilterTable.groups(holding: hash, in: line, count: 1)[0]
    }
}
