// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// Batches whose rows wait for decisions, whole and uncopied; small ones are gathered into a larger one, since a batch takes a
/// kilobyte beside its rows.
///
/// The rows of one trace are a chain through all batches, newest first: a link in each row leads to the next. So a row
/// costs eight bytes and a trace no list of its own. A batch goes when its last row does; of one most of whose rows have gone
/// the others are copied together, so that a slow trace pins no more than itself.
struct HeldBatches: ~Copyable {
    /// A row of a held batch.
    struct Link: Hashable, Sendable {
        fileprivate var slot: UInt32
        /// In the batch as it came.
        fileprivate var row: UInt32

        static let end = Link(slot: .max, row: .max)
    }

    private struct Held {
        var batch = SpanBatch()
        var serial: UInt64 = 0
        /// By row of `batch`.
        var next: [Link] = []
        var isWaiting = RowSet(count: 0)
        var waitingCount = 0
        /// Whether rows of it may yet be made to wait: a decision that is made meanwhile does not free it.
        var isFilling = false
        /// The rows that `batch` had when it came; empty for all of them.
        var originalRows: [UInt32] = []
        var byteCount = 0

        /// Where a row is now.
        func place(of row: UInt32) -> Int {
            guard !originalRows.isEmpty else { return Int(row) }
            var low = 0
            var high = originalRows.count
            while low < high {
                let middle = (low + high) / 2
                if originalRows[middle] < row { low = middle + 1 } else { high = middle }
            }
            return low
        }
    }

    private var slots: [Held] = []
    private var freeSlots: [UInt32] = []
    private var lastSerial: UInt64 = 0
    /// Slots most of whose rows have gone.
    private var sparse: Set<UInt32> = []
    /// Rows of small batches, which become the batch of `gatheringSlot` when they are many, or when one of them is asked for.
    private var gathered = SpanBatchBuilder()
    private var gatheredReceived: UInt64 = 0
    private var gatheringSlot: UInt32?
    /// Bytes of memory that the batches take.
    private(set) var byteCount = 0

    /// Rows of a batch that is held as it is, at least.
    private static let wholeCountMin = 32
    private static let gatheredCountMax = 512

    /// Rows below which a batch is not worth copying.
    private static let compactedCountMin = 64

    /// What holding `batch` takes.
    static func byteCount(of batch: SpanBatch) -> Int { batch.byteCount + 9 * batch.count }

    /// A number that no other batch has.
    mutating func nextSerial() -> UInt64 {
        lastSerial += 1
        return lastSerial
    }

    /// Holds a batch of which no row waits yet; ``settle(_:)`` ends its making. Its first row is row `first` of the slot.
    mutating func add(_ batch: SpanBatch) -> (slot: UInt32, first: Int) {
        if batch.count < Self.wholeCountMin { return gather(batch) }
        let slot = open(rowCount: batch.count)
        slots[Int(slot)].batch = batch
        count(Self.byteCount(of: batch), of: slot)
        return (slot, 0)
    }

    private mutating func gather(_ batch: SpanBatch) -> (slot: UInt32, first: Int) {
        if gathered.count + batch.count > Self.gatheredCountMax { closeGathering() }
        let slot = gatheringSlot ?? open(rowCount: Self.gatheredCountMax)
        gatheringSlot = slot
        slots[Int(slot)].isFilling = true
        let first = gathered.count
        var merger = SpanBatchMerger(from: batch)
        for row in 0..<batch.count { merger.append(row, to: &gathered) }
        gatheredReceived = max(gatheredReceived, batch.receivedUnixNanos)
        count(gathered.byteCount + 1024 + 9 * Self.gatheredCountMax, of: slot)
        return (slot, first)
    }

    /// Makes a batch of what was gathered.
    private mutating func closeGathering() {
        guard let slot = gatheringSlot else { return }
        slots[Int(slot)].batch = gathered.finish(receivedUnixNanos: gatheredReceived)
        gatheredReceived = 0
        gatheringSlot = nil
    }

    /// A slot for a batch of at most so many rows.
    private mutating func open(rowCount: Int) -> UInt32 {
        var held = Held(serial: nextSerial())
        held.next = [Link](repeating: .end, count: rowCount)
        held.isWaiting = RowSet(count: rowCount)
        held.isFilling = true
        guard let slot = freeSlots.popLast() else {
            slots.append(held)
            return UInt32(slots.count - 1)
        }
        slots[Int(slot)] = held
        return slot
    }

    /// Says what a slot takes now.
    private mutating func count(_ bytes: Int, of slot: UInt32) {
        byteCount += bytes - slots[Int(slot)].byteCount
        slots[Int(slot)].byteCount = bytes
    }

    /// Lets row `row` of a slot wait, before the chain that begins with `next`.
    mutating func wait(_ row: Int, of slot: UInt32, before next: Link) -> Link {
        slots[Int(slot)].next[row] = next
        slots[Int(slot)].isWaiting[row] = true
        slots[Int(slot)].waitingCount += 1
        return Link(slot: slot, row: UInt32(row))
    }

    /// Says that all rows that are to wait do.
    mutating func settle(_ slot: UInt32) {
        slots[Int(slot)].isFilling = false
        freeIfDone(slot)
    }

    /// Takes the whole chain out; `body` is lent each row.
    mutating func release(from first: Link, _ body: (SpanBatch, _ serial: UInt64, _ row: Int) -> Void) {
        var link = first
        while link != .end {
            if link.slot == gatheringSlot { closeGathering() }
            let slot = Int(link.slot)
            let place = slots[slot].place(of: link.row)
            body(slots[slot].batch, slots[slot].serial, place)
            slots[slot].isWaiting[place] = false
            slots[slot].waitingCount -= 1
            let next = slots[slot].next[place]
            if slots[slot].waitingCount * 4 < slots[slot].batch.count { sparse.insert(link.slot) }
            freeIfDone(link.slot)
            link = next
        }
    }

    /// Copies what waits in batches that are nearly done. Rows that ``release(from:_:)`` lent lie elsewhere afterwards.
    mutating func compact() {
        for slot in sparse where slots[Int(slot)].batch.count >= Self.compactedCountMin {
            let held = slots[Int(slot)]
            let rows = held.isWaiting.rows
            var copy = Held(batch: held.batch.part(rows), serial: nextSerial())
            copy.next = rows.map { held.next[$0] }
            copy.isWaiting = RowSet(count: rows.count, all: true)
            copy.waitingCount = rows.count
            copy.originalRows = rows.map { held.originalRows.isEmpty ? UInt32($0) : held.originalRows[$0] }
            copy.byteCount = Self.byteCount(of: copy.batch) + 4 * rows.count
            byteCount += copy.byteCount - held.byteCount
            slots[Int(slot)] = copy
        }
        sparse.removeAll(keepingCapacity: true)
    }

    private mutating func freeIfDone(_ slot: UInt32) {
        guard slots[Int(slot)].waitingCount == 0, !slots[Int(slot)].isFilling else { return }
        if slot == gatheringSlot { closeGathering() }
        byteCount -= slots[Int(slot)].byteCount
        slots[Int(slot)] = Held()
        sparse.remove(slot)
        freeSlots.append(slot)
    }
}
