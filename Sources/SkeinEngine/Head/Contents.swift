// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import Synchronization

/// What the store holds at this moment, under one mutex: the head's parts and the open blocks.
///
/// Everything that readers can see changes here in single steps, so that a snapshot never shows a span twice because
/// its head part became a block, nor misses it in between.
final class Contents: Sendable {
    /// A part that no longer grows and waits to become a block.
    struct FrozenPart: Sendable {
        let part: HeadPart
        let lastSegment: UInt64
        /// By the monotonic clock.
        let frozenNanos: UInt64
        /// Whether only a block can make durable what is here.
        let isDoubtful: Bool

        var blockID: BlockID { BlockID(firstSegment: part.firstSegment, lastSegment: lastSegment) }
    }

    private struct State {
        var active: HeadPart
        /// Oldest first.
        var frozen: [FrozenPart] = []
        /// By id.
        var blocks: [StoredBlock] {
            didSet { blocksVersion += 1 }
        }
        /// Another for other blocks.
        var blocksVersion: UInt64 = 0
        /// Rollups of blocks that retention removed, by id.
        var pastRollups: [StoredRollup]
        var services: ServiceNumbers
    }

    private let state: Mutex<State>
    private let budget: ByteBudget
    private let lastAppend = Atomic<UInt64>(0)
    private let countingRows = CountingRowsCache()
    private let sharedTraces = SharedTraces()

    /// When spans came last, by the monotonic clock.
    var lastAppendNanos: UInt64 { lastAppend.load(ordering: .relaxed) }

    /// Contents of a store just opened, whose head is counted against `budget`.
    init(
        firstSegment: UInt64,
        blocks: [StoredBlock],
        pastRollups: [StoredRollup] = [],
        services: [ExactText: Int],
        budget: ByteBudget
    ) {
        self.budget = budget
        state = Mutex(
            State(
                active: HeadPart(firstSegment: firstSegment, budget: budget),
                blocks: blocks.sorted { $0.id < $1.id },
                pastRollups: pastRollups.sorted { $0.id < $1.id },
                services: ServiceNumbers(services)
            )
        )
    }

    /// All that a read looks at.
    struct Snapshot: Sendable {
        /// In order of arrival.
        var head: [HeadSnapshot]
        /// In order of arrival; all before the head.
        var blocks: [StoredBlock]
        /// Another for other blocks.
        var blocksVersion: UInt64
        /// Of spans that are gone.
        var pastRollups: [StoredRollup]
        /// What is known of large traces.
        var countingRows: CountingRowsCache
        /// What is known of traces that lie in several places.
        var sharedTraces: SharedTraces
    }

    func snapshot() -> Snapshot {
        state.withLock { state in
            Snapshot(
                head: (state.frozen.map(\.part) + [state.active]).map { $0.snapshot() },
                blocks: state.blocks,
                blocksVersion: state.blocksVersion,
                pastRollups: state.pastRollups,
                countingRows: countingRows,
                sharedTraces: sharedTraces
            )
        }
    }

    // MARK: The log's thread, in the order of the log

    /// Shows batches to readers that start from now on. They take `logByteCount` bytes of the log.
    func keep(_ batches: [SpanBatch], logByteCount: Int, nowNanos: UInt64) {
        let active = state.withLock { state in
            for batch in batches {
                for ref in batch.resources.serviceNameRefs where ref != 0 {
                    state.services.add(batch.dictionary.string(ref))
                }
            }
            return state.active
        }
        active.note(logByteCount: logByteCount)
        for batch in batches where !batch.isEmpty { active.append(batch, nowNanos: nowNanos) }
        lastAppend.store(nowNanos, ordering: .relaxed)
    }

    /// Figures of the part that grows.
    var activeFigures: HeadPart.Figures { state.withLock { $0.active }.figures }

    /// Ends the active part, whose spans lie in segments up to `lastSegment`, and starts another.
    func freeze(lastSegment: UInt64, nextSegment: UInt64, nowNanos: UInt64, isDoubtful: Bool = false) {
        state.withLock { state in
            if state.active.figures.spanCount > 0 {
                state.frozen.append(
                    FrozenPart(
                        part: state.active,
                        lastSegment: lastSegment,
                        frozenNanos: nowNanos,
                        isDoubtful: isDoubtful
                    )
                )
            }
            state.active = HeadPart(firstSegment: nextSegment, budget: budget)
        }
    }

    // MARK: The thread of background work

    /// The part to make a block of next.
    var oldestFrozen: FrozenPart? { state.withLock { $0.frozen.first } }

    /// Whether no span waits to become a block.
    var isHeadEmpty: Bool { state.withLock { $0.frozen.isEmpty && $0.active.figures.spanCount == 0 } }

    /// The part to make a block of last, of those there are.
    var newestFrozen: FrozenPart? { state.withLock { $0.frozen.last } }

    /// The head's parts that came after `frozen`.
    func parts(after frozen: FrozenPart) -> [HeadPart] {
        state.withLock { state in
            state.frozen.map(\.part).filter { $0.firstSegment > frozen.part.firstSegment } + [state.active]
        }
    }

    /// Puts a block in the place of the part it was made of.
    func replace(_ frozen: FrozenPart, with block: StoredBlock) {
        state.withLock { state in
            state.frozen.removeAll { $0.part === frozen.part }
            state.blocks.append(block)
            state.blocks.sort { $0.id < $1.id }
        }
        sharedTraces.note(frozen.part, rowCount: frozen.part.figures.spanCount, became: block)
    }

    /// Puts a block in the place of those it was made of.
    func replace(_ inputs: [StoredBlock], with block: StoredBlock) {
        state.withLock { state in
            state.blocks.removeAll { known in inputs.contains { $0 === known } }
            state.blocks.append(block)
            state.blocks.sort { $0.id < $1.id }
        }
        sharedTraces.note(inputs, became: block)
    }

    /// The first log segment of each head part.
    var headSegments: [UInt64] {
        state.withLock { state in state.frozen.map(\.part.firstSegment) + [state.active.firstSegment] }
    }

    /// Hides blocks from readers that start from now on, and shows their rollups still.
    func remove(_ ids: Set<BlockID>, rollups: [StoredRollup]) {
        state.withLock { state in
            state.blocks.removeAll { ids.contains($0.id) }
            state.pastRollups += rollups
            state.pastRollups.sort { $0.id < $1.id }
        }
    }

    /// Puts a rollup, or none, in the place of those it was made of.
    func replacePast(_ inputs: [StoredRollup], with rollup: StoredRollup?) {
        state.withLock { state in
            state.pastRollups.removeAll { known in inputs.contains { $0 === known } }
            if let rollup { state.pastRollups.append(rollup) }
            state.pastRollups.sort { $0.id < $1.id }
        }
    }

    // MARK: Any thread

    /// The numbers that service names got, whether or not spans of them are still stored.
    var serviceNumbers: ServiceNumbers { state.withLock { $0.services } }

    /// The number of each of these names.
    func ordinals(ofServices names: [String]) -> [Int] {
        state.withLock { state in names.map { state.services.ordinal(of: $0) } }
    }

    /// Blocks as the head makes them.
    var smallBlockCount: Int {
        state.withLock { $0.blocks.count { $0.footer.spanCount < CompactionPlan.tierSpanCount } }
    }

    var blocks: [StoredBlock] { state.withLock { $0.blocks } }

    /// By id.
    var pastRollups: [StoredRollup] { state.withLock { $0.pastRollups } }

    /// Figures of each head part, the active one last.
    var headFigures: [HeadPart.Figures] {
        state.withLock { state in (state.frozen.map(\.part) + [state.active]).map(\.figures) }
    }
}
