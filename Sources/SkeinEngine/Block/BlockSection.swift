// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore

/// Rows of many batches as one set of columns, in the order of the block.
///
/// Text and values stay where their batches put them: all dictionaries lie one behind the other in one arena, and a
/// *slot* is an entry of that. Equal texts of two batches are two slots; the column encoders bring them together, each
/// within its own small table, which is cheaper than one table for all.
struct BlockSection: ~Copyable {
    let count: Int
    let traces: [RowOrder.Trace]
    var spanIDs: ColumnBuffer<UInt64>
    var parentIDs: ColumnBuffer<UInt64>
    var starts: ColumnBuffer<UInt64>
    var durations: ColumnBuffer<UInt64>
    var kinds: ColumnBuffer<UInt8>
    var statuses: ColumnBuffer<UInt8>
    var names: ColumnBuffer<UInt32>
    /// Entries of the block's tables.
    var resources: ColumnBuffer<UInt32>
    var scopes: ColumnBuffer<UInt32>
    /// Optional columns are empty when every element is the default.
    var flags = ColumnBuffer<UInt64>()
    var statusMessages = ColumnBuffer<UInt32>()
    var traceStates = ColumnBuffer<UInt32>()
    var droppedAttributes = ColumnBuffer<UInt64>()
    var droppedEvents = ColumnBuffer<UInt64>()
    var droppedLinks = ColumnBuffer<UInt64>()
    var weights = ColumnBuffer<UInt64>()
    var marks = ColumnBuffer<UInt64>()
    var attributes = Pairs()
    var events = Events()
    var links = Links()
    var slots = SlotArena()

    /// Attributes of many owners. Keys are numbers of the block's key table, values are slots.
    struct Pairs: ~Copyable {
        /// `owners + 1` numbers; owner `i` has the pairs `starts[i]..<starts[i + 1]`.
        var starts = ColumnBuffer<UInt32>(repeating: 0, count: 1)
        var keys = ColumnBuffer<UInt32>()
        var values = ColumnBuffer<UInt32>()
    }

    struct Events: ~Copyable {
        /// As ``Pairs/starts``, of spans.
        var starts = ColumnBuffer<UInt32>(repeating: 0, count: 1)
        var times = ColumnBuffer<UInt64>()
        var names = ColumnBuffer<UInt32>()
        var droppedAttributes = ColumnBuffer<UInt64>()
        var attributes = Pairs()
    }

    struct Links: ~Copyable {
        /// As ``Pairs/starts``, of spans.
        var starts = ColumnBuffer<UInt32>(repeating: 0, count: 1)
        var traceHighs = ColumnBuffer<UInt64>()
        var traceLows = ColumnBuffer<UInt64>()
        var spanIDs = ColumnBuffer<UInt64>()
        var traceStates = ColumnBuffer<UInt32>()
        var flags = ColumnBuffer<UInt64>()
        var droppedAttributes = ColumnBuffer<UInt64>()
        var attributes = Pairs()
    }

    /// The dictionaries of all batches, one behind the other.
    struct SlotArena: ~Copyable {
        private var offsets = ColumnBuffer<UInt32>(repeating: 0, count: 1)
        private var bytes: ColumnBuffer<UInt8>

        init(byteCount: Int = 0) { bytes = ColumnBuffer(capacity: byteCount) }

        /// Number of slots.
        var count: Int { offsets.count - 1 }
        /// Bytes of all texts.
        var byteCount: Int { bytes.count }

        /// Appends a batch's dictionary: its entry `i` is slot `count + i`.
        mutating func append(_ dictionary: ByteDictionary) {
            let start = offsets[count]
            var before: UInt32 = 0
            for offset in dictionary.offsets.dropFirst() {
                precondition(offset >= before, "a dictionary's offsets do not ascend")
                offsets.append(start + offset)
                before = offset
            }
            precondition(before == dictionary.bytes.count, "a dictionary's offsets do not end with its bytes")
            dictionary.bytes.withUnsafeBufferPointer { bytes.append($0) }
        }

        @inline(__always)
        func entry(_ slot: UInt32) -> UnsafeRawBufferPointer {
            // Offsets ascend and the last one is the number of bytes, as `append` made sure.
            let start = Int(offsets[Int(slot)])
            let count = Int(offsets[Int(slot) &+ 1]) &- start
            return UnsafeRawBufferPointer(start: bytes.base + start, count: count)
        }
    }

    /// Brings the rows into order. The tables gain what they did not know.
    ///
    /// Reads each batch once from front to back and writes to scattered places, 40 ns a span with ten attributes.
    init(_ batches: [SpanBatch], _ order: RowOrder, tables: inout BlockTables) throws(StoreError) {
        count = order.sources.count
        traces = order.traces
        spanIDs = ColumnBuffer(repeating: 0, count: count)
        parentIDs = ColumnBuffer(repeating: 0, count: count)
        starts = ColumnBuffer(repeating: 0, count: count)
        durations = ColumnBuffer(repeating: 0, count: count)
        kinds = ColumnBuffer(repeating: 0, count: count)
        statuses = ColumnBuffer(repeating: 0, count: count)
        names = ColumnBuffer(repeating: 0, count: count)
        resources = ColumnBuffer(repeating: 0, count: count)
        scopes = ColumnBuffer(repeating: 0, count: count)

        let places = Places(batches, order)
        let dictionaryBytes = batches.reduce(0) { $0 + $1.dictionary.bytes.count }
        guard dictionaryBytes <= Int(UInt32.max) else {
            throw StoreError(.limit, "a section of a block holds \(dictionaryBytes) bytes of text; the limit is 4 GiB")
        }
        slots = SlotArena(byteCount: dictionaryBytes)
        var slotFirsts: [UInt32] = []
        // By index: an element taken out is a copy of some thirty arrays.
        for number in batches.indices {
            slotFirsts.append(UInt32(slots.count))
            slots.append(batches[number].dictionary)
            copyFixed(batches[number], places.of(number), slotFirsts[number], &tables)
            copyOptional(batches[number], places.of(number), slotFirsts[number])
        }

        attributes = Pairs(batches.map(\.attributes), places, slotFirsts, batches, .span, &tables)
        if batches.contains(where: { !$0.events.nameRefs.isEmpty }) {
            copyEvents(batches, places, slotFirsts, &tables)
        }
        if batches.contains(where: { !$0.links.spanIDs.isEmpty }) {
            copyLinks(batches, places, slotFirsts, &tables)
        }
    }

    private mutating func copyFixed(
        _ batch: SpanBatch,
        _ places: UnsafeBufferPointer<UInt32>,
        _ slot: UInt32,
        _ tables: inout BlockTables
    ) {
        Self.scatter(batch.spanIDs, places, &spanIDs) { $0.rawValue }
        Self.scatter(batch.parentSpanIDs, places, &parentIDs) { $0.rawValue }
        Self.scatter(batch.startUnixNanos, places, &starts) { $0 }
        Self.scatter(batch.durationNanos, places, &durations) { $0 }
        Self.scatter(batch.kinds, places, &kinds) { $0 }
        Self.scatter(batch.statusCodes, places, &statuses) { $0 }
        Self.scatter(batch.nameRefs, places, &names) { $0 + slot }
        let usedResources = Self.used(batch.resourceRows, places, of: batch.resources.count)
        let resourceNumbers = tables.resources(of: batch, isUsed: usedResources)
        Self.scatter(batch.resourceRows, places, &resources) { resourceNumbers[Int($0)] }
        let usedScopes = Self.used(batch.scopeRows, places, of: batch.scopes.count)
        let scopeNumbers = tables.scopes(of: batch, isUsed: usedScopes)
        Self.scatter(batch.scopeRows, places, &scopes) { scopeNumbers[Int($0)] }
    }

    /// By entry of a batch's table, whether a row that the order names refers to it.
    private static func used(_ entries: [UInt32], _ places: UnsafeBufferPointer<UInt32>, of count: Int) -> [Bool] {
        precondition(entries.count == places.count)
        var isUsed = [Bool](repeating: false, count: count)
        for row in 0..<entries.count where places[row] != .max { isUsed[Int(entries[row])] = true }
        return isUsed
    }

    private mutating func copyOptional(_ batch: SpanBatch, _ places: UnsafeBufferPointer<UInt32>, _ slot: UInt32) {
        Self.scatter(optional: batch.flags, places, &flags, count, absent: 0) { UInt64($0) }
        Self.scatter(optional: batch.statusMessageRefs, places, &statusMessages, count, absent: 0) { $0 + slot }
        Self.scatter(optional: batch.traceStateRefs, places, &traceStates, count, absent: 0) { $0 + slot }
        Self.scatter(optional: batch.droppedAttributesCounts, places, &droppedAttributes, count, absent: 0) {
            UInt64($0)
        }
        Self.scatter(optional: batch.droppedEventsCounts, places, &droppedEvents, count, absent: 0) { UInt64($0) }
        Self.scatter(optional: batch.droppedLinksCounts, places, &droppedLinks, count, absent: 0) { UInt64($0) }
        Self.scatter(optional: batch.weights, places, &weights, count, absent: Self.weightOne) { $0.bitPattern }
        Self.scatter(optional: batch.marks, places, &marks, count, absent: 0) { UInt64($0.rawValue) }
    }

    static let weightOne = (1.0).bitPattern

    @inline(__always)
    private static func scatter<S, T: BitwiseCopyable>(
        _ column: [S],
        _ places: UnsafeBufferPointer<UInt32>,
        _ target: inout ColumnBuffer<T>,
        _ convert: (S) -> T
    ) {
        let base = target.base
        let count = target.count
        column.withUnsafeBufferPointer { column in
            precondition(column.count == places.count)
            for row in 0..<column.count where places[row] != .max {
                assert(Int(places[row]) < count)
                base[Int(places[row])] = convert(column[row])
            }
        }
    }

    @inline(__always)
    private static func scatter<S, T: BitwiseCopyable>(
        optional column: [S],
        _ places: UnsafeBufferPointer<UInt32>,
        _ target: inout ColumnBuffer<T>,
        _ count: Int,
        absent: T,
        _ convert: (S) -> T
    ) {
        guard !column.isEmpty else { return }
        if target.count == 0 { target.reset(repeating: absent, count: count) }
        scatter(column, places, &target, convert)
    }

    private mutating func copyEvents(
        _ batches: [SpanBatch],
        _ places: borrowing Places,
        _ slotFirsts: [UInt32],
        _ tables: inout BlockTables
    ) {
        let children = Places(children: batches.map(\.events.ends), of: places, starts: &events.starts)
        events.times.reset(repeating: 0, count: children.count)
        events.names.reset(repeating: 0, count: children.count)
        for (number, batch) in batches.enumerated() where !batch.events.nameRefs.isEmpty {
            let slot = slotFirsts[number]
            Self.scatter(batch.events.timeUnixNanos, children.of(number), &events.times) { $0 }
            Self.scatter(batch.events.nameRefs, children.of(number), &events.names) { $0 + slot }
            Self.scatter(
                optional: batch.events.droppedAttributesCounts,
                children.of(number),
                &events.droppedAttributes,
                children.count,
                absent: 0
            ) { UInt64($0) }
        }
        events.attributes = Pairs(batches.map(\.events.attributes), children, slotFirsts, batches, .event, &tables)
    }

    private mutating func copyLinks(
        _ batches: [SpanBatch],
        _ places: borrowing Places,
        _ slotFirsts: [UInt32],
        _ tables: inout BlockTables
    ) {
        let children = Places(children: batches.map(\.links.ends), of: places, starts: &links.starts)
        let count = children.count
        links.traceHighs.reset(repeating: 0, count: count)
        links.traceLows.reset(repeating: 0, count: count)
        links.spanIDs.reset(repeating: 0, count: count)
        for (number, batch) in batches.enumerated() where !batch.links.spanIDs.isEmpty {
            let slot = slotFirsts[number]
            let at = children.of(number)
            Self.scatter(batch.links.traceIDs, at, &links.traceHighs) { $0.high }
            Self.scatter(batch.links.traceIDs, at, &links.traceLows) { $0.low }
            Self.scatter(batch.links.spanIDs, at, &links.spanIDs) { $0.rawValue }
            Self.scatter(optional: batch.links.traceStateRefs, at, &links.traceStates, count, absent: 0) { $0 + slot }
            Self.scatter(optional: batch.links.flags, at, &links.flags, count, absent: 0) { UInt64($0) }
            Self.scatter(
                optional: batch.links.droppedAttributesCounts,
                at,
                &links.droppedAttributes,
                count,
                absent: 0
            ) { UInt64($0) }
        }
        links.attributes = Pairs(batches.map(\.links.attributes), children, slotFirsts, batches, .link, &tables)
    }

    /// Where each owner (span, event or link) of each batch goes.
    fileprivate struct Places: ~Copyable {
        /// By batch, then by owner; `.max` for one that the order leaves out.
        private var all: ColumnBuffer<UInt32>
        /// First owner of each batch in `all`, and the number of all.
        private var firsts: [Int] = [0]
        /// Number of owners that go somewhere.
        let count: Int

        init(_ batches: [SpanBatch], _ order: RowOrder) {
            for batch in batches { firsts.append((firsts.last ?? 0) + batch.count) }
            all = ColumnBuffer(repeating: .max, count: firsts.last ?? 0)
            count = order.sources.count
            for (place, source) in order.sources.enumerated() {
                all[firsts[Int(source.batch)] + Int(source.row)] = UInt32(place)
            }
        }

        /// Where children go: those of one owner stay together, in the order of the owners. Fills `starts`.
        init(children ends: [[UInt32]], of owners: borrowing Places, starts: inout ColumnBuffer<UInt32>) {
            for ends in ends { firsts.append((firsts.last ?? 0) + Int(ends.last ?? 0)) }
            starts.reset(repeating: 0, count: owners.count + 1)
            for (number, ends) in ends.enumerated() where !ends.isEmpty {
                let places = owners.of(number)
                for owner in 0..<ends.count where places[owner] != .max {
                    starts[Int(places[owner]) + 1] = UInt32(SpanBatch.range(ends, owner).count)
                }
            }
            for owner in 0..<owners.count { starts[owner + 1] += starts[owner] }
            count = Int(starts[owners.count])
            all = ColumnBuffer(repeating: .max, count: firsts.last ?? 0)
            for (number, ends) in ends.enumerated() where !ends.isEmpty {
                let places = owners.of(number)
                for owner in 0..<ends.count where places[owner] != .max {
                    var place = starts[Int(places[owner])]
                    for child in SpanBatch.range(ends, owner) {
                        all[firsts[number] + child] = place
                        place += 1
                    }
                }
            }
        }

        func of(_ batch: Int) -> UnsafeBufferPointer<UInt32> { all.elements(firsts[batch]..<firsts[batch + 1]) }
    }
}

extension BlockSection.Pairs {
    /// Brings the attribute tables of all batches into the order of their owners.
    fileprivate init(
        _ sources: [SpanBatch.AttributeTable],
        _ places: borrowing BlockSection.Places,
        _ slotFirsts: [UInt32],
        _ batches: [SpanBatch],
        _ scope: AttributeScope,
        _ tables: inout BlockTables
    ) {
        starts.reset(repeating: 0, count: places.count + 1)
        for (number, source) in sources.enumerated() where !source.ends.isEmpty {
            let at = places.of(number)
            precondition(at.count == source.ends.count)
            source.ends.withUnsafeBufferPointer { ends in
                var start: UInt32 = 0
                for owner in 0..<ends.count {
                    if at[owner] != .max { starts[Int(at[owner]) + 1] = ends[owner] - start }
                    start = ends[owner]
                }
            }
        }
        for owner in 0..<places.count { starts[owner + 1] += starts[owner] }
        let count = Int(starts[places.count])
        keys.reset(repeating: 0, count: count)
        values.reset(repeating: 0, count: count)
        for (number, source) in sources.enumerated() where !source.ends.isEmpty {
            tables.translateKeys(of: batches[number].dictionary, scope)
            let at = places.of(number)
            let slot = slotFirsts[number]
            source.ends.withUnsafeBufferPointer { ends in
                source.keyRefs.withUnsafeBufferPointer { keyRefs in
                    source.valueRefs.withUnsafeBufferPointer { valueRefs in
                        var pair = 0
                        for owner in 0..<ends.count {
                            let end = Int(ends[owner])
                            precondition(end <= keyRefs.count && end <= valueRefs.count && pair <= end)
                            if at[owner] == .max {
                                pair = end
                                continue
                            }
                            var target = Int(starts[Int(at[owner])])
                            while pair < end {
                                keys.base[target] = tables.keyNumber(of: keyRefs[pair])
                                values.base[target] = valueRefs[pair] + slot
                                pair += 1
                                target += 1
                            }
                        }
                    }
                }
            }
        }
    }
}
