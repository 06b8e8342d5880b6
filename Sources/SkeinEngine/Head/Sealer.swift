// SPDX-License-Identifier: Apache-2.0
import Dispatch
import SkeinBase
import SkeinModel
import SkeinStore
import Synchronization

/// Makes blocks of frozen head parts and keeps the catalog: one thing at a time, on a thread of its own.
final class Sealer: Sendable {
    struct State: ~Copyable {
        var catalog: Catalog
        /// Blocks that are gone though the disk was too full to tell the catalog.
        var unrecorded: Set<BlockID> = []
        /// Those of them, and some of before, that have a mark.
        var marks: Set<BlockID> = []
        var isClosed = false
        /// Traces of the part sealed last that go on in the one after.
        var unfinished: Set<TraceID> = []
        /// Files that count by their names although they were given up: nobody knows whether the catalog on the device
        /// says that their inputs are gone, so they stay until it surely does not.
        var orphans: Set<BlockID> = []
    }

    /// Figures and troubles for the operator.
    struct Progress: Sendable {
        var sealCount = 0
        var removedBlockCount = 0
        /// Bytes by which the folder is over its quota although nothing more can be removed.
        var excessByteCount = 0
        /// Bytes in quarantine beyond the share of the quota that they may take.
        var quarantineExcessByteCount = 0
        /// Spans and calls whose rollup has no name for them, see ``SeriesNumbers/Limits``.
        var rollupOverflowCount = 0
        /// Why the last attempt to seal failed; `nil` when it did not.
        var failure: StoreError?
    }

    let disk: any Disk
    let folder: StoreFolder
    let contents: Contents
    let retention: Retention
    /// The quota, and the disk that knows what the folder takes.
    let quota: (limit: Quota, meter: MeteredDisk)?
    let pinned: PinnedBlocks
    let clock: any WallClock
    private let cache: PartCache
    private let memory: EmbeddedStore.Memory
    private let limits: HeadLimits
    let rollups: RollupFiles
    let thread = DispatchQueue(label: "skein.seal")
    /// Only touched on ``thread``.
    let state: Mutex<State>
    let progress = Mutex(Progress())
    /// Whether ``sealNext()`` waits for its turn.
    private let isScheduled = Mutex(false)
    /// Whether somebody waits for room in the head, so that no part is given time to ripen.
    private let isPressed = Atomic<Bool>(false)
    /// Segments beyond which no block reaches that holds them; see ``keepApart(_:)``.
    private let bounds = Mutex<Set<UInt64>>([])
    private let changed = Mutex<(@Sendable (StoreError?) -> Void)?>(nil)

    /// How long a part waits for the traces in it to go on in the next, at most.
    private static let ripeningNanosMax: UInt64 = 1_000_000_000

    init(
        disk: any Disk,
        folder: StoreFolder,
        contents: Contents,
        state: consuming State,
        cache: PartCache,
        limits: HeadLimits,
        retention: Retention,
        quota: (limit: Quota, meter: MeteredDisk)?,
        pinned: PinnedBlocks,
        memory: EmbeddedStore.Memory,
        clock: any WallClock
    ) {
        self.limits = limits
        self.disk = disk
        self.folder = folder
        self.contents = contents
        self.cache = cache
        self.memory = memory
        self.retention = retention
        self.quota = quota
        self.pinned = pinned
        self.clock = clock
        rollups = RollupFiles(disk: disk, folder: folder, cache: cache)
        self.state = Mutex(state)
    }

    var figures: Progress { progress.withLock { $0 } }

    /// Says whom to tell that the head became smaller, or why it could not.
    func onChange(_ tell: @escaping @Sendable (StoreError?) -> Void) { changed.withLock { $0 = tell } }

    /// Makes blocks of all frozen parts that are ripe, soon: each once the next part is a quarter full or a second has passed,
    /// since until then traces go on in the next part, and the block had better know which.
    ///
    /// One after the other with a turn for others in between: under load there is always another, and retention and
    /// merging would never come to theirs.
    ///
    /// - Parameter isPressed: Whether somebody waits for room in the head: then the oldest part becomes one, ripe or not.
    func schedule(isPressed: Bool = false) {
        if isPressed { self.isPressed.store(true, ordering: .relaxed) }
        let isNew = isScheduled.withLock { isScheduled in
            defer { isScheduled = true }
            return !isScheduled
        }
        if isNew { thread.async { self.sealNext() } }
    }

    private func sealNext() {
        isScheduled.withLock { $0 = false }
        guard let oldest = contents.oldestFrozen else { return }
        let isPressed = isPressed.exchange(false, ordering: .relaxed)
        guard isPressed || isRipe(oldest), (try? sealNow(oldest)) != nil else { return }
        if contents.oldestFrozen != nil { schedule() }
    }

    /// Opens the rollups of all blocks, soon, and makes those anew that are missing. What fails is tried again when
    /// somebody asks for it.
    func openRollups() {
        for block in contents.blocks { thread.async { _ = try? block.rollup() } }
    }

    /// Returns when all parts frozen before are blocks. Throws when one of them could not be made so.
    func finish() async throws(StoreError) {
        try await onThread { () throws(StoreError) in
            guard let last = self.contents.newestFrozen?.lastSegment else { return }
            while let oldest = self.contents.oldestFrozen, oldest.lastSegment <= last { try self.sealNow(oldest) }
        }
    }

    /// Keeps blocks from being merged over the ends of these segments.
    func keepApart(_ segments: Set<UInt64>) { bounds.withLock { $0 = segments } }

    /// Blocks that lie side by side in order of arrival: between two runs is something that no block may cover, such as a
    /// block that cannot be read at present.
    var neighbours: [[StoredBlock]] {
        thread.sync {
            let blocks = contents.blocks.sorted { $0.id < $1.id }
            let known = Set(blocks.map(\.id))
            var walls = state.withLock { $0.catalog.state.blocks }.subtracting(known).map(\.firstSegment)
            walls += contents.headSegments + contents.pastRollups.map(\.id.firstSegment)
            walls += bounds.withLock { $0 }.map { $0 + 1 }
            walls.sort()
            var runs: [[StoredBlock]] = []
            for block in blocks {
                let isParted = walls.contains { wall in
                    runs.last?.last.map { $0.id.firstSegment < wall } ?? false && wall <= block.id.lastSegment
                }
                if runs.isEmpty || isParted { runs.append([]) }
                runs[runs.count - 1].append(block)
            }
            return runs
        }
    }

    /// Gives a finished file its name as a block, and its rollup its own, and puts it in the place of the blocks it was made
    /// of: several neighbours, or one of which something was left out and whose rollup stays. Returns false, and removes
    /// both, when one of them is gone or the store is closed. With `damage` the files of the inputs go to quarantine.
    func replace(
        _ inputs: [StoredBlock],
        with id: BlockID,
        from temporary: String,
        because damage: String?
    ) throws(StoreError) -> Bool {
        try waitingForThread { () throws(StoreError) in
            do throws(StoreError) {
                return try self.replaceNow(inputs, with: id, from: temporary, because: damage)
            } catch {
                try? disk.remove(temporary)
                if inputs.count > 1 { removeRollup(id) }
                throw error
            }
        }
    }

    private func replaceNow(
        _ inputs: [StoredBlock],
        with id: BlockID,
        from temporary: String,
        because damage: String?
    ) throws(StoreError) -> Bool {
        let present = contents.blocks
        guard !state.withLock({ $0.isClosed }), inputs.allSatisfy({ input in present.contains { $0 === input } }) else {
            try? disk.remove(temporary)
            if inputs.count > 1 { removeRollup(id) }
            return false
        }
        if let damage {
            // Before the file can go at a start.
            let quarantine = Quarantine(disk: disk, folder: folder)
            for input in inputs {
                _ = try? quarantine.link(input.id.fileName, from: folder.blocks, reason: damage)
            }
        }
        try clearOrphans()
        // From here on the file counts, whatever happens: its name says what it supersedes.
        state.withLock { _ = $0.orphans.insert(id) }
        try Self.orFailure { () throws(DiskError) in
            // A block that is only written anew keeps its rollup, which has the name of its segments.
            if inputs.count > 1 { try rollups.publish(id) }
            try disk.rename(temporary, to: folder.block(id))
            try disk.syncDirectory(folder.blocks)
        }
        let block = try StoredBlock.open(id, disk: disk, folder: folder, cache: cache, budget: memory.blocks)
        try Self.orFailure { () throws(DiskError) in
            try state.withLock { state throws(DiskError) in
                try state.catalog.commit(inputs.map { .removeBlock($0.id) } + [.addBlock(id)])
                state.orphans.remove(id)
            }
        }
        contents.replace(inputs, with: block)
        _ = try? block.rollup()
        for input in inputs {
            if inputs.count > 1 { rollups.remove(input.id) }
        }
        unlink(Set(inputs.map(\.id)))
        return true
    }

    /// Removes files that were given up, once the catalog surely does not count on them. Whatever else is to be removed
    /// for good waits for that.
    func clearOrphans() throws(StoreError) {
        try Self.orFailure { () throws(DiskError) in
            try state.withLock { state throws(DiskError) in
                guard !state.orphans.isEmpty else { return }
                try state.catalog.commit([])
                for id in state.orphans {
                    do throws(DiskError) {
                        try disk.remove(folder.block(id))
                    } catch {
                        guard error.code == .notFound else { throw error }
                    }
                }
                try disk.syncDirectory(folder.blocks)
                state.orphans.removeAll()
            }
        }
    }

    /// Stops for good; what is under way is finished.
    func close() async {
        await withCheckedContinuation { done in
            thread.async {
                self.state.withLock { $0.isClosed = true }
                done.resume()
            }
        }
    }

    private func isRipe(_ frozen: Contents.FrozenPart) -> Bool {
        let later = contents.parts(after: frozen)
        return frozen.isDoubtful || later.count > 1 || later.contains { limits.isUnderWay($0.figures) }
            || clock.monotonicNanos &- frozen.frozenNanos > Self.ripeningNanosMax
    }

    /// Makes a block of a frozen part, and says how that went.
    private func sealNow(_ frozen: Contents.FrozenPart) throws(StoreError) {
        if state.withLock({ $0.isClosed }) { throw StoreError(.unavailable, "the store is closed") }
        // What cannot be removed is told by the next look that time asks for.
        try? removeExpiredNow()
        do throws(StoreError) {
            try seal(frozen)
            progress.withLock { progress in
                progress.sealCount += 1
                progress.failure = nil
            }
            changed.withLock { $0 }?(nil)
        } catch {
            progress.withLock { $0.failure = error }
            changed.withLock { $0 }?(error)
            throw error
        }
    }

    /// Block file, catalog, contents, log: in this order, so that a stop at any moment loses nothing, and what is there
    /// twice is known by its name.
    private func seal(_ frozen: Contents.FrozenPart) throws(StoreError) {
        let id = frozen.blockID
        let unfinished = try writeBlock(id, of: frozen)
        let block = try StoredBlock.open(id, disk: disk, folder: folder, cache: cache, budget: memory.blocks)
        try Self.orFailure { () throws(DiskError) in
            try state.withLock { state throws(DiskError) in
                let (known, numbers) = (state.catalog.state.services, contents.serviceNumbers.numbers)
                let new = numbers.count == known.count ? [:] : numbers.filter { known[$0.key] == nil }
                try state.catalog.commit(
                    new.sorted { $0.value < $1.value }.map { .addService($0.key.text, $0.value) }
                        + [.addBlock(id), .startLog(id.lastSegment + 1)]
                )
            }
        }
        contents.replace(frozen, with: block)
        frozen.part.move(to: memory.reads)
        state.withLock { $0.unfinished = unfinished }
        _ = try? block.rollup()
        // Not removing a segment costs space, no more: the next start does it.
        for name in (try? disk.list(folder.log)) ?? [] {
            guard let segment = LogSegment.number(ofFile: name), id.covers(segment) else { continue }
            try? disk.remove(folder.segment(segment))
        }
    }

    /// Returns the traces that go on in the part after. The rollup has its name before the block has: so a block under
    /// its name has its rollup.
    private func writeBlock(_ id: BlockID, of frozen: Contents.FrozenPart) throws(StoreError) -> Set<TraceID> {
        var taken = memory.sealing.reservation()
        taken.resizeAnyway(to: SealingCost.byteCount(ofSpans: frozen.part.figures.byteCount))
        let batches = frozen.part.snapshot().pieces.map(\.batch)
        var unfinished: Set<TraceID> = []
        let order = RowOrder(batches, before: state.withLock { $0.unfinished }) { traces in
            for part in contents.parts(after: frozen) { unfinished.formUnion(part.holding(traces)) }
            return unfinished
        }
        let temporary = folder.block(id) + StoreFolder.temporarySuffix
        try? disk.remove(temporary)
        do throws(StoreError) {
            let file = try Self.orFailure { () throws(DiskError) in try disk.open(temporary, .create) }
            var encoder = try BlockEncoder(groupByteCount: limits.groupByteCount, countsRollup: true) {
                bytes throws(StoreError) in
                try Self.orFailure { () throws(DiskError) in try file.append(bytes) }
            }
            try encoder.append(batches, order: order)
            let rollup = encoder.takeRollup()
            progress.withLock { $0.rollupOverflowCount += rollup.overflowCount }
            let footer = try encoder.finish()
            try Self.orFailure { () throws(DiskError) in try file.sync() }
            let received = min(footer.receivedMin, footer.receivedMax)...footer.receivedMax
            try rollups.write(id, rollup, received: received)
        } catch {
            try? disk.remove(temporary)
            throw error
        }
        try Self.orFailure { () throws(DiskError) in
            try rollups.publish(id)
            try disk.rename(temporary, to: folder.block(id))
            try disk.syncDirectory(folder.blocks)
        }
        return unfinished
    }

    private func removeRollup(_ id: BlockID) {
        try? disk.remove(rollups.temporary(id))
        rollups.remove(id)
    }

    /// What the disk refuses, as an error of the store that begins with `failing`.
    static func orFailure<T>(
        _ failing: String = "the newest spans cannot be moved from the log to a block",
        _ body: () throws(DiskError) -> T
    ) throws(StoreError) -> T {
        do throws(DiskError) {
            return try body()
        } catch {
            throw StoreError(failing, error)
        }
    }
}

extension StoreError {
    /// What the disk refused, and what helps where it is full; `failing` says what could not be done.
    init(_ failing: String, _ error: DiskError) {
        let isFull = error.code == .noSpace
        let remedy = isFull ? "; make space on the disk of the data folder, or raise its quota" : ""
        self.init(isFull ? .full : .io, "\(failing): \(error)\(remedy)", place: error.path)
    }
}
