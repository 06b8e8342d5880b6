// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// Traces that wait for their decision, in the order in which it is due.
///
/// All wait equally long from their first span on, and equally long from their root on, so two lists in the order of arrival
/// are all the order there is. Looking one up, adding and removing one takes the same time however many there are.
struct WaitingTraces {
    /// One trace.
    struct Entry {
        fileprivate(set) var digest: TraceDigest
        /// Its newest row.
        var rows = HeldBatches.Link.end
        /// The row that will say why the trace was kept: the earliest root, or the earliest of all where no root came.
        private(set) var chief = HeldBatches.Link.end
        private var reasonSpan = ReasonSpan()
        fileprivate(set) var dueNanos: UInt64
        fileprivate var isRooted = false
        fileprivate var previous = WaitingTraces.none
        fileprivate var next = WaitingTraces.none

        fileprivate init(_ id: TraceID, dueNanos: UInt64) {
            digest = TraceDigest(traceID: id)
            self.dueNanos = dueNanos
        }

        /// Says where row `row` of `batch`, which is one of the trace's, waits.
        mutating func note(_ link: HeldBatches.Link, _ row: Int, of batch: SpanBatch) {
            rows = link
            if reasonSpan.takes(row, of: batch) { chief = link }
        }
    }

    private struct Ends {
        var first = WaitingTraces.none
        var last = WaitingTraces.none
    }

    private static let none = UInt32.max

    private var entries: [Entry] = []
    private var freeNumbers: [UInt32] = []
    private var numbers: [TraceID: UInt32] = [:]
    private var waiting = Ends()
    private var rooted = Ends()

    /// Traces there are.
    var count: Int { numbers.count }
    /// Memory that a trace takes beside its rows and what its digest allocates.
    static let byteCountOfTrace = MemoryLayout<Entry>.stride + 64
    /// Memory that the traces take, their rows aside.
    var byteCount: Int { count * Self.byteCountOfTrace + heapByteCount }
    private var heapByteCount = 0

    /// The number of a trace, which it keeps until it is removed.
    func number(of id: TraceID) -> UInt32? { numbers[id] }

    subscript(number: UInt32) -> Entry {
        _read { yield entries[Int(number)] }
        _modify { yield &entries[Int(number)] }
    }

    /// Changes the digest of a trace.
    mutating func updateDigest(of number: UInt32, _ update: (inout TraceDigest) -> Void) {
        let before = entries[Int(number)].digest.heapByteCount
        update(&entries[Int(number)].digest)
        heapByteCount += entries[Int(number)].digest.heapByteCount - before
    }

    /// Adds a trace that is not there; its decision is due no earlier than that of any trace added before.
    mutating func add(_ id: TraceID, dueNanos: UInt64) -> UInt32 {
        let entry = Entry(id, dueNanos: dueNanos)
        let number: UInt32
        if let free = freeNumbers.popLast() {
            number = free
            entries[Int(number)] = entry
        } else {
            number = UInt32(entries.count)
            entries.append(entry)
        }
        numbers[id] = number
        append(number, to: \.waiting)
        return number
    }

    /// Says that the root of a trace came, so that its decision is due at `nanos` unless it is due earlier anyway.
    mutating func root(_ number: UInt32, dueNanos nanos: UInt64) {
        guard !entries[Int(number)].isRooted, nanos < entries[Int(number)].dueNanos else { return }
        unlink(number)
        entries[Int(number)].isRooted = true
        entries[Int(number)].dueNanos = nanos
        append(number, to: \.rooted)
    }

    /// The trace whose decision is due first.
    var first: UInt32? {
        switch (waiting.first, rooted.first) {
        case (Self.none, Self.none): nil
        case (let first, Self.none), (Self.none, let first): first
        case (let a, let b): entries[Int(a)].dueNanos <= entries[Int(b)].dueNanos ? a : b
        }
    }

    /// Removes a trace and hands out what is known of it.
    mutating func remove(_ number: UInt32) -> Entry {
        unlink(number)
        let entry = entries[Int(number)]
        numbers[entry.digest.traceID] = nil
        heapByteCount -= entry.digest.heapByteCount
        // What a digest holds on to goes at once, not when the place is taken again.
        entries[Int(number)].digest = TraceDigest(traceID: .zero)
        freeNumbers.append(number)
        return entry
    }

    private mutating func append(_ number: UInt32, to ends: WritableKeyPath<WaitingTraces, Ends>) {
        let last = self[keyPath: ends].last
        entries[Int(number)].previous = last
        entries[Int(number)].next = Self.none
        if last == Self.none {
            self[keyPath: ends].first = number
        } else {
            entries[Int(last)].next = number
        }
        self[keyPath: ends].last = number
    }

    private mutating func unlink(_ number: UInt32) {
        let entry = entries[Int(number)]
        let ends = entry.isRooted ? \WaitingTraces.rooted : \WaitingTraces.waiting
        if entry.previous == Self.none {
            self[keyPath: ends].first = entry.next
        } else {
            entries[Int(entry.previous)].next = entry.next
        }
        if entry.next == Self.none {
            self[keyPath: ends].last = entry.previous
        } else {
            entries[Int(entry.next)].previous = entry.previous
        }
    }
}
