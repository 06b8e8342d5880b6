// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

/// What the encoder works out about the rows of some traces before it writes them: trees, summaries, differences.
struct GroupRows: ~Copyable {
    /// By row, counted from the first of the traces.
    private var idParents = ColumnBuffer<UInt32>(capacity: 1 << 14)
    private var orders = ColumnBuffer<UInt64>(capacity: 1 << 14)
    private var descendants = ColumnBuffer<UInt64>(capacity: 1 << 14)
    private var startDeltas = ColumnBuffer<UInt64>(capacity: 1 << 14)
    /// By trace.
    private var starts = ColumnBuffer<UInt64>()
    private var durations = ColumnBuffer<UInt64>()
    private var roots = ColumnBuffer<UInt64>()
    private var errors = ColumnBuffer<UInt64>()
    private var flags = ColumnBuffer<UInt64>()
    private var wide = ColumnBuffer<UInt64>(capacity: 1 << 14)
    private var missing = ColumnBuffer<UInt64>()

    init() {}

    /// Reads the rows of `traces`, the first of which begins at `firstRow` of the section.
    mutating func build(
        _ section: borrowing BlockSection,
        traces: Range<Int>,
        firstRow: Int,
        _ tree: inout TraceTree
    ) {
        idParents.removeAll()
        orders.removeAll()
        descendants.removeAll()
        startDeltas.removeAll()
        starts.removeAll()
        durations.removeAll()
        roots.removeAll()
        errors.removeAll()
        flags.removeAll()
        var first = firstRow
        for trace in traces {
            let rows = first..<(first + Int(section.traces[trace].rowCount))
            tree.build(
                spanIDs: section.spanIDs.elements(rows),
                parentIDs: section.parentIDs.elements(rows),
                kinds: section.kinds.elements(rows)
            )
            let start = section.starts[rows.lowerBound]
            var before = start
            var end = start
            var root: UInt64 = 0
            var errorCount: UInt64 = 0
            for row in rows {
                let local = row - rows.lowerBound
                let parent = tree.idParents[local]
                idParents.append(parent == TraceTree.none ? parent : parent + UInt32(rows.lowerBound))
                orders.append((Int64(tree.orders[local]) - Int64(local)).zigZagEncoded)
                descendants.append(UInt64(tree.descendants[local]))
                precondition(section.starts[row] >= before, "the rows of a trace are not ordered by start")
                startDeltas.append(section.starts[row] - before)
                before = section.starts[row]
                let (rowEnd, overflow) = before.addingReportingOverflow(section.durations[row])
                end = max(end, overflow ? .max : rowEnd)
                if root == 0, section.parentIDs[row] == 0 { root = UInt64(local) + 1 }
                if section.statuses[row] == Span.Status.Code.error.rawValue { errorCount += 1 }
            }
            starts.append(start)
            durations.append(end - start)
            roots.append(root)
            errors.append(errorCount)
            flags.append(
                (tree.hasDuplicates ? 1 : 0) | (section.traces[trace].isPartial ? 2 : 0) | (tree.hasSharedIDs ? 4 : 0)
            )
            first = rows.upperBound
        }
    }

    /// Fills in what the footer says of rows `range`, of traces of which the first begins at `traceRow`.
    func describe(
        _ section: borrowing BlockSection,
        _ range: Range<Int>,
        traceRow: Int,
        _ group: inout BlockFooter.Group
    ) {
        group.traceStart = (starts.elements.min() ?? 0)...(starts.elements.max() ?? 0)
        group.start = Self.bounds(section.starts.elements(range))
        group.duration = Self.bounds(section.durations.elements(range))
        for kind in section.kinds.elements(range) { group.kinds |= 1 << min(kind, 7) }
        for status in section.statuses.elements(range) { group.statuses |= 1 << min(status, 7) }
    }

    private static func bounds(_ values: UnsafeBufferPointer<UInt64>) -> ClosedRange<UInt64> {
        var least = UInt64.max
        var most: UInt64 = 0
        for value in values {
            least = min(least, value)
            most = max(most, value)
        }
        return min(least, most)...most
    }

    /// Writes the table of traces: ids (chunk), row counts, starts since the trace before, durations, place of the root
    /// + 1 or 0, errors, flags.
    mutating func writeTraces(_ section: borrowing BlockSection, _ traces: Range<Int>, to columns: inout ColumnWriter) {
        var ids = ByteWriter(capacity: traces.count * 16)
        for trace in traces {
            ids.appendLittleEndian(section.traces[trace].id.high.bigEndian)
            ids.appendLittleEndian(section.traces[trace].id.low.bigEndian)
        }
        columns.chunks.append(ids.bytes, isRandom: true)
        wide.removeAll()
        for trace in traces { wide.append(UInt64(section.traces[trace].rowCount)) }
        columns.append(numbers: wide.elements)
        wide.removeAll()
        var before: UInt64 = 0
        for start in starts.elements {
            wide.append(start &- before)
            before = start
        }
        columns.append(numbers: wide.elements)
        columns.append(numbers: durations.elements)
        columns.append(numbers: roots.elements)
        columns.append(numbers: errors.elements)
        columns.append(numbers: flags.elements)
    }

    /// Writes the columns of spans but for attributes, events and links, in the order that `GroupColumns` names.
    mutating func writeSpans(
        _ section: borrowing BlockSection,
        _ range: Range<Int>,
        traceRow: Int,
        to columns: inout ColumnWriter,
        _ filters: inout FilterWriter
    ) {
        let local = (range.lowerBound - traceRow)..<(range.upperBound - traceRow)
        columns.append(numbers: section.spanIDs.elements(range), isRandom: true)

        // 0: no parent. 1: not in this group, the id follows in the next column. Else the distance in rows.
        wide.removeAll()
        missing.removeAll()
        for row in range {
            let id = section.parentIDs[row]
            let parent = idParents[row - traceRow]
            if id == 0 {
                wide.append(0)
            } else if parent != TraceTree.none, range.contains(Int(parent)) {
                wide.append((Int64(row) - Int64(parent)).zigZagEncoded + 2)
            } else {
                wide.append(1)
                missing.append(id)
            }
        }
        columns.append(numbers: wide.elements)
        columns.chunks.directory.appendVarint(UInt64(missing.count))
        columns.append(numbers: missing.elements, isRandom: true)

        // A part of a long trace counts from the trace's start.
        wide.removeAll()
        for delta in startDeltas.elements(local) { wide.append(delta) }
        if local.lowerBound > 0 { wide[0] = section.starts[range.lowerBound] - starts[0] }
        columns.append(numbers: wide.elements)
        columns.append(numbers: section.durations.elements(range))
        columns.append(numbers: section.kinds.elements(range))
        columns.append(numbers: section.statuses.elements(range))
        columns.append(slots: section.names.elements(range), of: section.slots, areValues: false)
        columns.forEachEntry(of: section.slots) { filters.add(FilterHash.of($0, key: Self.nameKey)) }
        columns.append(numbers: section.resources.elements(range))
        columns.append(numbers: section.scopes.elements(range))
        columns.append(optional: section.flags, range)
        columns.append(optional: section.statusMessages, range, of: section.slots)
        columns.append(optional: section.traceStates, range, of: section.slots)
        columns.append(optional: section.droppedAttributes, range)
        columns.append(optional: section.droppedEvents, range)
        columns.append(optional: section.droppedLinks, range)
        wide.removeAll()
        if section.weights.count > 0 {
            // Absent is 1, so that a weight of 1 is stored as 0.
            for weight in section.weights.elements(range) { wide.append(weight ^ BlockSection.weightOne) }
        }
        columns.append(numbers: wide.elements)
        columns.append(optional: section.marks, range)
        columns.append(numbers: orders.elements(local))
        columns.append(numbers: descendants.elements(local))
    }

    private static let nameKey = FilterHash.key(.spanName)

    /// Adds the rows to what the block's tables say of resources, scopes and operations, and the resources to the filter.
    func note(
        _ section: borrowing BlockSection,
        _ range: Range<Int>,
        in tables: inout BlockTables,
        _ filters: inout FilterWriter
    ) {
        var resources: [UInt32: Int] = [:]
        var scopes: [UInt32: Int] = [:]
        // Equal names of different batches are different slots here, so the table meets an operation a few times.
        var operations = OperationCounts()
        var lastScope = UInt32.max
        var scopeCount = 0
        for row in range {
            let scope = section.scopes[row]
            if scope != lastScope {
                if scopeCount > 0 { scopes[lastScope, default: 0] += scopeCount }
                lastScope = scope
                scopeCount = 0
            }
            scopeCount += 1
            operations.add(section.resources[row], section.names[row], section.kinds[row])
        }
        if scopeCount > 0 { scopes[lastScope, default: 0] += scopeCount }
        for index in 0..<operations.all.count {
            let operation = operations.all[index]
            let count = Int(operation.count)
            resources[operation.resource, default: 0] += count
            tables.note(
                resource: operation.resource,
                name: section.slots.entry(operation.name),
                kind: operation.kind,
                spanCount: count
            )
        }
        for (resource, count) in resources { tables.note(resource: resource, spanCount: count) }
        tables.addHashes(ofResources: resources.keys, to: &filters)
        for (scope, count) in scopes { tables.note(scope: scope, spanCount: count) }
    }
}
