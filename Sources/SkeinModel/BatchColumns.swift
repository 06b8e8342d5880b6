// SPDX-License-Identifier: Apache-2.0
import SkeinBase

// The tables of a batch while it grows; each has the shape of its table in `SpanBatch`, where the columns are described.

/// The columns that have one element per span.
struct SpanColumns: ~Copyable {
    private var traceIDs = Column<TraceID>()
    private var spanIDs = Column<SpanID>()
    private var parentSpanIDs = Column<SpanID>()
    private var starts = Column<UInt64>()
    private var durations = Column<UInt64>()
    private var kinds = Column<UInt8>()
    private var statusCodes = Column<UInt8>()
    private var names = Column<SpanBatch.Ref>()
    private var resources = Column<UInt32>()
    private var scopes = Column<UInt32>()
    private var flags = OptionalColumn<UInt32>(default: 0)
    private var statusMessages = OptionalColumn<SpanBatch.Ref>(default: 0)
    private var traceStates = OptionalColumn<SpanBatch.Ref>(default: 0)
    private var droppedAttributes = OptionalColumn<UInt32>(default: 0)
    private var droppedEvents = OptionalColumn<UInt32>(default: 0)
    private var droppedLinks = OptionalColumn<UInt32>(default: 0)
    private var weights = OptionalColumn<Double>(default: 1)
    private var marks = OptionalColumn<SpanBatch.Marks>(default: [])

    var count: Int { spanIDs.count }

    mutating func append(_ fields: SpanBatchBuilder.SpanFields) {
        let row = count
        let (duration, endsBeforeStart) = fields.endUnixNanos.subtractingReportingOverflow(fields.startUnixNanos)
        traceIDs.append(fields.traceID)
        spanIDs.append(fields.spanID)
        parentSpanIDs.append(fields.parentSpanID)
        starts.append(fields.startUnixNanos)
        durations.append(endsBeforeStart ? 0 : duration)
        kinds.append(fields.kind)
        statusCodes.append(fields.statusCode)
        names.append(fields.name)
        resources.append(fields.resource)
        scopes.append(fields.scope)
        flags.append(fields.flags, row: row)
        statusMessages.append(fields.statusMessage, row: row)
        traceStates.append(fields.traceState, row: row)
        droppedAttributes.append(fields.droppedAttributesCount, row: row)
        droppedEvents.append(fields.droppedEventsCount, row: row)
        droppedLinks.append(fields.droppedLinksCount, row: row)
        weights.append(fields.weight, row: row)
        marks.append(endsBeforeStart ? .endsBeforeStart : [], row: row)
    }

    mutating func assign(resource: UInt32, from first: Int) {
        for row in first..<count { resources[row] = resource }
    }

    mutating func assign(scope: UInt32, from first: Int) {
        for row in first..<count { scopes[row] = scope }
    }

    mutating func truncate(to length: Int) {
        traceIDs.truncate(to: length)
        spanIDs.truncate(to: length)
        parentSpanIDs.truncate(to: length)
        starts.truncate(to: length)
        durations.truncate(to: length)
        kinds.truncate(to: length)
        statusCodes.truncate(to: length)
        names.truncate(to: length)
        resources.truncate(to: length)
        scopes.truncate(to: length)
        flags.truncate(to: length)
        statusMessages.truncate(to: length)
        traceStates.truncate(to: length)
        droppedAttributes.truncate(to: length)
        droppedEvents.truncate(to: length)
        droppedLinks.truncate(to: length)
        weights.truncate(to: length)
        marks.truncate(to: length)
    }

    mutating func finish(into batch: inout SpanBatch) {
        batch.traceIDs = traceIDs.finish()
        batch.spanIDs = spanIDs.finish()
        batch.parentSpanIDs = parentSpanIDs.finish()
        batch.startUnixNanos = starts.finish()
        batch.durationNanos = durations.finish()
        batch.kinds = kinds.finish()
        batch.statusCodes = statusCodes.finish()
        batch.nameRefs = names.finish()
        batch.resourceRows = resources.finish()
        batch.scopeRows = scopes.finish()
        batch.flags = flags.finish()
        batch.statusMessageRefs = statusMessages.finish()
        batch.traceStateRefs = traceStates.finish()
        batch.droppedAttributesCounts = droppedAttributes.finish()
        batch.droppedEventsCounts = droppedEvents.finish()
        batch.droppedLinksCounts = droppedLinks.finish()
        batch.weights = weights.finish()
        batch.marks = marks.finish()
    }
}

struct AttributeColumns: ~Copyable {
    var ends = Column<UInt32>()
    var keys = Column<SpanBatch.Ref>()
    var values = Column<SpanBatch.Ref>()

    /// Adds a pair to the owner that ``close()`` will end.
    @inline(__always)
    mutating func append(_ key: SpanBatch.Ref, _ value: SpanBatch.Ref) {
        keys.append(key)
        values.append(value)
    }

    /// Ends the present owner.
    mutating func close() { ends.append(UInt32(truncatingIfNeeded: keys.count)) }

    /// Drops the pairs of the owner that is not ended.
    mutating func discard() {
        let end = Int(ends.last ?? 0)
        keys.truncate(to: end)
        values.truncate(to: end)
    }

    /// Keeps the first `owners` owners.
    mutating func truncate(to owners: Int) {
        ends.truncate(to: owners)
        discard()
    }

    mutating func finish() -> SpanBatch.AttributeTable {
        var table = SpanBatch.AttributeTable()
        // A table without pairs holds no ends either.
        if keys.isEmpty { ends.removeAll() }
        table.ends = ends.finish()
        table.keyRefs = keys.finish()
        table.valueRefs = values.finish()
        return table
    }
}

struct EventColumns: ~Copyable {
    var ends = Column<UInt32>()
    private var times = Column<UInt64>()
    var names = Column<SpanBatch.Ref>()
    private var droppedAttributes = OptionalColumn<UInt32>(default: 0)
    var attributes = AttributeColumns()

    mutating func add(_ time: UInt64, _ name: SpanBatch.Ref, _ dropped: UInt32) {
        droppedAttributes.append(dropped, row: names.count)
        times.append(time)
        names.append(name)
        attributes.close()
    }

    mutating func truncate(to count: Int) {
        times.truncate(to: count)
        names.truncate(to: count)
        droppedAttributes.truncate(to: count)
        attributes.truncate(to: count)
    }

    mutating func finish() -> SpanBatch.EventTable {
        var table = SpanBatch.EventTable()
        if names.isEmpty { ends.removeAll() }
        table.ends = ends.finish()
        table.timeUnixNanos = times.finish()
        table.nameRefs = names.finish()
        table.droppedAttributesCounts = droppedAttributes.finish()
        table.attributes = attributes.finish()
        return table
    }
}

struct LinkColumns: ~Copyable {
    var ends = Column<UInt32>()
    private var traceIDs = Column<TraceID>()
    var spanIDs = Column<SpanID>()
    private var traceStates = OptionalColumn<SpanBatch.Ref>(default: 0)
    private var flags = OptionalColumn<UInt32>(default: 0)
    private var droppedAttributes = OptionalColumn<UInt32>(default: 0)
    var attributes = AttributeColumns()

    mutating func add(
        _ traceID: TraceID,
        _ spanID: SpanID,
        _ traceState: SpanBatch.Ref,
        _ flag: UInt32,
        _ dropped: UInt32
    ) {
        let row = spanIDs.count
        traceIDs.append(traceID)
        spanIDs.append(spanID)
        traceStates.append(traceState, row: row)
        flags.append(flag, row: row)
        droppedAttributes.append(dropped, row: row)
        attributes.close()
    }

    mutating func truncate(to count: Int) {
        traceIDs.truncate(to: count)
        spanIDs.truncate(to: count)
        traceStates.truncate(to: count)
        flags.truncate(to: count)
        droppedAttributes.truncate(to: count)
        attributes.truncate(to: count)
    }

    mutating func finish() -> SpanBatch.LinkTable {
        var table = SpanBatch.LinkTable()
        if spanIDs.isEmpty { ends.removeAll() }
        table.ends = ends.finish()
        table.traceIDs = traceIDs.finish()
        table.spanIDs = spanIDs.finish()
        table.traceStateRefs = traceStates.finish()
        table.flags = flags.finish()
        table.droppedAttributesCounts = droppedAttributes.finish()
        table.attributes = attributes.finish()
        return table
    }
}

struct ResourceColumns: ~Copyable {
    var serviceNames = Column<SpanBatch.Ref>(capacity: 4)
    private var schemaURLs = Column<SpanBatch.Ref>(capacity: 4)
    private var droppedAttributes = Column<UInt32>(capacity: 4)
    var attributes = AttributeColumns()
    private var known = OwnerIndex()

    /// The row of the resource with these fields and the waiting attributes, which is new or not.
    mutating func close(_ serviceName: SpanBatch.Ref, _ schemaURL: SpanBatch.Ref, _ dropped: UInt32) -> UInt32 {
        let hash = known.hash(of: attributes, [serviceName, schemaURL, dropped])
        if let row = known.row(hash, attributes),
            serviceNames[row] == serviceName, schemaURLs[row] == schemaURL, droppedAttributes[row] == dropped
        {
            attributes.discard()
            return UInt32(row)
        }
        serviceNames.append(serviceName)
        schemaURLs.append(schemaURL)
        droppedAttributes.append(dropped)
        attributes.close()
        return known.add(hash)
    }

    mutating func finish() -> SpanBatch.ResourceTable {
        attributes.discard()
        known.removeAll()
        var table = SpanBatch.ResourceTable()
        table.serviceNameRefs = serviceNames.finish()
        table.schemaURLRefs = schemaURLs.finish()
        table.droppedAttributesCounts = droppedAttributes.finish()
        table.attributes = attributes.finish()
        return table
    }
}

struct ScopeColumns: ~Copyable {
    var names = Column<SpanBatch.Ref>(capacity: 4)
    private var versions = Column<SpanBatch.Ref>(capacity: 4)
    private var schemaURLs = Column<SpanBatch.Ref>(capacity: 4)
    private var droppedAttributes = Column<UInt32>(capacity: 4)
    var attributes = AttributeColumns()
    private var known = OwnerIndex()

    /// The row of the scope with these fields and the waiting attributes, which is new or not.
    mutating func close(
        _ name: SpanBatch.Ref,
        _ version: SpanBatch.Ref,
        _ schemaURL: SpanBatch.Ref,
        _ dropped: UInt32
    ) -> UInt32 {
        let hash = known.hash(of: attributes, [name, version, schemaURL, dropped])
        if let row = known.row(hash, attributes),
            names[row] == name, versions[row] == version, schemaURLs[row] == schemaURL,
            droppedAttributes[row] == dropped
        {
            attributes.discard()
            return UInt32(row)
        }
        names.append(name)
        versions.append(version)
        schemaURLs.append(schemaURL)
        droppedAttributes.append(dropped)
        attributes.close()
        return known.add(hash)
    }

    mutating func finish() -> SpanBatch.ScopeTable {
        attributes.discard()
        known.removeAll()
        var table = SpanBatch.ScopeTable()
        table.nameRefs = names.finish()
        table.versionRefs = versions.finish()
        table.schemaURLRefs = schemaURLs.finish()
        table.droppedAttributesCounts = droppedAttributes.finish()
        table.attributes = attributes.finish()
        return table
    }
}

/// Finds the row that has the same attributes as the ones that wait; the owner compares its other fields.
private struct OwnerIndex {
    private var rows: [UInt64: UInt32] = [:]
    private var count: UInt32 = 0

    /// A number of the waiting pairs and of the fields beside them.
    func hash(of table: borrowing AttributeColumns, _ fields: [UInt32]) -> UInt64 {
        var state: UInt64 = 0
        for field in fields { state = Hash.of(state ^ UInt64(field)) }
        for pair in Int(table.ends.last ?? 0)..<table.keys.count {
            state = Hash.of(state ^ (UInt64(table.keys[pair]) << 32 | UInt64(table.values[pair])))
        }
        return state
    }

    /// The row that was added with this number, if its pairs are the waiting ones.
    func row(_ hash: UInt64, _ table: borrowing AttributeColumns) -> Int? {
        guard let row = rows[hash].map({ Int($0) }) else { return nil }
        let start = row == 0 ? 0 : Int(table.ends[row - 1])
        let waiting = Int(table.ends.last ?? 0)
        let count = Int(table.ends[row]) - start
        guard table.keys.count - waiting == count else { return nil }
        for pair in 0..<count
        where table.keys[start + pair] != table.keys[waiting + pair]
            || table.values[start + pair] != table.values[waiting + pair]
        {
            return nil
        }
        return row
    }

    /// Notes the next row.
    mutating func add(_ hash: UInt64) -> UInt32 {
        rows[hash] = count
        count += 1
        return count - 1
    }

    mutating func removeAll() {
        rows.removeAll(keepingCapacity: rows.count < 256)
        count = 0
    }
}
