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

    /// Where a batch is.
    enum Source: Sendable {
        case memory(SpanBatch)
        case spilled(any SpilledBatch)
    }

    /// A row that no longer waits.
    struct Released {
        /// Of the batch; no other has it.
        var serial: UInt64
        /// In the batch as it is now.
        var row: Int
        var link: Link
    }

    /// A batch that is being written elsewhere.
    struct Spilling: Sendable {
        let batch: SpanBatch
        fileprivate let slot: UInt32
        fileprivate let serial: UInt64
    }

    private struct Held {
        /// Empty when it was spilled.
        var batch = SpanBatch()
        var spilled: (any SpilledBatch)?
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
    /// The batches in memory, the newest last, and some that are no longer.
    private var resident: [(slot: UInt32, serial: UInt64)] = []
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
        noteResident(slot)
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
        noteResident(slot)
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
    mutating func release(from first: Link, _ body: (Released, () -> Source) -> Void) {
        var link = first
        while link != .end {
            if link.slot == gatheringSlot { closeGathering() }
            let slot = Int(link.slot)
            let place = slots[slot].place(of: link.row)
            // A batch is large to hand over; it is asked for once, and not for each row.
            body(Released(serial: slots[slot].serial, row: place, link: link)) {
                slots[slot].spilled.map(Source.spilled) ?? .memory(slots[slot].batch)
            }
            slots[slot].isWaiting[place] = false
            slots[slot].waitingCount -= 1
            let next = slots[slot].next[place]
            // A spilled batch has no rows in memory to be rid of.
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
            noteResident(slot)
        }
        sparse.removeAll(keepingCapacity: true)
    }

    // MARK: Spilling

    /// Batches in memory of so many bytes together, or all there are. They stay where they are until ``put(_:_:)``.
    ///
    /// The newest go first: what was there before is due earlier, and what stays until it is due was never written.
    mutating func spillings(byteCount: Int) -> [Spilling] {
        var found: [Spilling] = []
        var left = byteCount
        while left > 0, let (slot, serial) = resident.popLast() {
            guard slots[Int(slot)].serial == serial else { continue }
            left -= slots[Int(slot)].byteCount
            found.append(Spilling(batch: slots[Int(slot)].batch, slot: slot, serial: serial))
        }
        return found
    }

    /// Lets go of a batch that is elsewhere now, or goes on holding it where `spilled` is `nil`. Does nothing when the batch
    /// is no longer needed.
    mutating func put(_ spilling: Spilling, _ spilled: (any SpilledBatch)?) {
        let slot = Int(spilling.slot)
        guard slots[slot].serial == spilling.serial else { return }
        guard let spilled else { return noteResident(spilling.slot) }
        slots[slot].batch = SpanBatch()
        slots[slot].spilled = spilled
        sparse.remove(spilling.slot)
        let rows = slots[slot].next.count
        count(Self.spilledByteCount + 9 * rows + 4 * slots[slot].originalRows.count, of: spilling.slot)
    }

    /// What a spilled batch takes beside its links.
    private static let spilledByteCount = 256

    private mutating func noteResident(_ slot: UInt32) {
        if resident.count > 2 * slots.count + 64 { resident.removeAll { slots[Int($0.slot)].serial != $0.serial } }
        resident.append((slot, slots[Int(slot)].serial))
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
