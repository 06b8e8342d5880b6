// SPDX-License-Identifier: Apache-2.0
import SkeinBase
public import SkeinModel
public import SkeinStore
import Synchronization

/// The store inside the process: a data folder with a write-ahead log and blocks, and the newest spans in memory.
///
/// It keeps the promises of ``SpanStore`` through any end of the process and, with ``Durability/always``, through loss of
/// power. One process at a time owns a folder. Appends and reads work from ``open(_:)`` to ``close()``; ``run()`` does the
/// work that time asks for.
public final class EmbeddedStore: SpanStore {
    let configuration: Configuration
    private let folder: StoreFolder
    /// Held as long as the store is open.
    private let lock: Mutex<(any DiskLock)?>
    let contents: Contents
    let reads: ReadQueue
    let names = StoreNames()
    let values = StoreValues()
    /// Of a trace that is asked for whole.
    let traceLimits: StoredTrace.Limits
    private let cache: PartCache
    let sealer: Sealer
    private let commit: GroupCommit
    let compactor: Compactor
    let removalLog: RemovalLog
    private let queryFile: SavedQueryFile
    /// Queries that people keep.
    package var savedQueries: any SavedQueries { queryFile }

    /// The records of a user of the data folder: files of its folder `worktrace/` that end with `.` and `name`. To be asked for
    /// once for each name. `isChain` says that records build on each other, so that none is taken behind one that was lost.
    package func recordLog(
        _ name: String,
        segmentBytesMax: Int,
        isChain: Bool
    ) throws(StoreError) -> any RecordLog {
        try SegmentLog(
            on: meter,
            in: folder.workTrace,
            suffix: "." + name,
            segmentBytesMax: segmentBytesMax,
            syncs: configuration.durability != .os,
            isChain: isChain
        )
    }
    let pinFile: PinFile
    /// Traces that late sampling and retention by age leave alone.
    package var pins: any PinnedTraces { pinFile }
    private let pinned: PinnedBlocks
    private let thinning: Thinning
    let late: LateThinning
    /// What opening found and did.
    public let recovery: RecoveryReport
    /// What knows how many bytes the folder takes.
    private let meter: MeteredDisk
    private let quota: Quota?
    let records: EmbeddedLogRecords?
    /// Log records of traces.
    package var logRecords: (any LogRecordStore)? { records }
    /// Why the last attempt to remove old blocks failed.
    private let retentionFailure = Mutex<StoreError?>(nil)
    /// When deletions that failed are gone on with, by the monotonic clock.
    let deletionRest = Mutex<UInt64>(0)
    /// Deletions of which no log record is left.
    let clearedDeletions = Mutex<Set<Int>>([])
    static let deletionRestNanos: UInt64 = 10_000_000_000

    init(_ configuration: Configuration) throws(StoreError) {
        let started = configuration.clock.monotonicNanos
        self.configuration = configuration
        folder = StoreFolder(root: configuration.directory)
        lock = Mutex(try folder.claim(configuration.disk))
        traceLimits = StoredTrace.Limits(
            spanCount: configuration.traceSpanCountMax,
            byteCount: min(configuration.traceByteCountMax, StoredTrace.Limits().byteCount)
        )
        let memory = configuration.memory ?? configuration.ownMemory
        reads = ReadQueue(budget: memory.reads, clock: configuration.clock)
        cache = PartCache(budget: memory.cache)
        memory.cache.onShortage { [weak cache] byteCount in cache?.giveUp(byteCount) }
        meter = MeteredDisk(
            configuration.disk,
            folders: configuration.keepsLogRecords ? folder.meteredWithLogRecords : folder.metered
        )
        quota = configuration.quota
        // Blocks stay open as long as the store, and may be many.
        let disk = PooledDisk(meter)
        var opening = Opening(
            disk: disk,
            folder: folder,
            cache: cache,
            limits: configuration.headLimits,
            memory: memory
        )
        let opened = try opening.open(nowNanos: started)
        removalLog = try RemovalLog(meter, folder)
        queryFile = try SavedQueryFile(meter, folder)
        pinFile = if let shared = configuration.pins { shared } else { try PinFile(meter, folder) }
        pinned = PinnedBlocks(pinFile)
        late = try LateThinning(configuration.lateSampling, pinFile, meter, folder)
        thinning = Thinning(
            rules: configuration.retentionRules,
            defaultAgeNanos: configuration.retentionAge?.nanos,
            pins: pinFile
        )
        contents = opened.contents
        sealer = Sealer(
            disk: disk,
            folder: folder,
            contents: opened.contents,
            state: Sealer.State(catalog: opened.catalog, marks: opened.marks, orphans: opened.orphans),
            cache: cache,
            limits: configuration.headLimits,
            retention: Retention(
                ageNanos: thinning.longestAgeNanos,
                byteCount: quota?.byteCount,
                pastByteCount: quota?.rollupByteCount ?? 0
            ),
            quota: quota.map { [meter] in ($0, meter) },
            pinned: pinned,
            memory: memory,
            clock: configuration.clock
        )
        commit = GroupCommit(
            log: opened.log,
            durability: configuration.durability,
            limits: configuration.headLimits,
            clock: configuration.clock,
            contents: opened.contents,
            head: memory.head,
            sealer: sealer
        )
        compactor = Compactor(
            disk: meter,
            folder: folder,
            clock: configuration.clock,
            plan: configuration.compactionPlan,
            limits: configuration.mergeLimits,
            sealer: sealer,
            budget: memory.merging,
            isBusy: { [contents, reads, clock = configuration.clock] in
                let isAsked = reads.runningCount > 0
                let isSent = clock.monotonicNanos &- contents.lastAppendNanos < Self.busyNanos
                return (isAsked || isSent) && contents.smallBlockCount < Self.smallBlockCountMax
            }
        )
        records =
            configuration.keepsLogRecords
            ? try EmbeddedLogRecords(beside: configuration, pins: pinFile, on: meter, in: folder) : nil
        var report = opening.report
        report.durationNanos = configuration.clock.monotonicNanos &- started
        if let problem = late.problem { report.problems.append(problem) }
        if configuration.pins == nil, let problem = pinFile.problem { report.problems.append(problem) }
        recovery = report
        sealer.onChange { [weak commit, reads] failure in
            commit?.headChanged(failure: failure)
            reads.stopOldestOfTooMany()
        }
        sealer.keepApart(removalLog.lastSegments)
        compactor.beforeMerges { [weak self] in self?.rewriteOldBlocks() }
        compactor.afterMerges { [weak self] in _ = try? self?.sampleLate() }
        if configuration.pins == nil {
            pinFile.onUnpin { [weak self] in
                self?.thinning.forgetLooks()
                self?.late.forgetLooks()
            }
        }
        reads.onDamage { [weak compactor] error in compactor?.noteDamage(error) }
        sealer.schedule()
        sealer.openRollups()
    }

    /// Takes all spans of these traces out of the folder, and answers how many.
    func drop(_ ids: Set<TraceID>) async throws(StoreError) -> Int {
        try await seal()
        let done = try await compactor.rewrite(inBackground: false) { block throws(StoreError) in
            try block.block.holds(anyOf: ids) ? BlockMerge.Cut(dropped: ids) : nil
        }
        try await sealer.removeSuperseded()
        return done.cutCount
    }

    /// Masks the values of these keys in all spans of these traces, and answers in how many.
    func mask(_ keys: [String], in ids: Set<TraceID>) async throws(StoreError) -> Int {
        try await seal()
        let cut = BlockMerge.Cut(masked: ids, masking: Masking(keys: keys, range: .all, predicate: .true))
        let done = try await compactor.rewrite(inBackground: false) { block throws(StoreError) in
            guard let masking = cut.masking, try masking.mayChange(block.block) else { return nil }
            return try block.block.holds(anyOf: ids) ? cut : nil
        }
        try await sealer.removeSuperseded()
        return done.maskedCount
    }

    /// Opens the folder, reads its log back and mends what the last stop left behind.
    ///
    /// Throws ``StoreError/Code/unusable`` without changing anything when the folder is in use, cannot be written or was
    /// written by a later version.
    public static func open(_ configuration: Configuration) async throws(StoreError) -> EmbeddedStore {
        try EmbeddedStore(configuration)
    }

    /// Does the work that time asks for: old head parts become blocks, old blocks go, `interval` syncs happen. Returns
    /// when its task is cancelled.
    public func run() async {
        await withTaskGroup { group in
            group.addTask { await self.tick() }
            if let records = self.records { group.addTask { await records.run() } }
            if case .interval(let interval) = self.configuration.durability {
                group.addTask { await self.syncEvery(interval.nanos) }
            }
        }
    }

    private func tick() async {
        var wasIdle = false
        while (try? await configuration.clock.sleep(nanos: Self.tickNanos)) != nil {
            commit.refuseWaiting(longerThan: Self.appendWaitNanosMax)
            if isHeadDue() { await commit.freezeHead() }
            // What could not be sealed is tried again.
            sealer.schedule()
            await removeExpired()
            // What fails is tried again with the next tick; until then the deletion is not done.
            try? await finishDeletionsOfLogRecords()
            try? await clearLateLogRecords()
            compactor.schedule(isIdle: isIdle)
            if isIdle, !wasIdle { configuration.onIdle() }
            wasIdle = isIdle
        }
    }

    private func syncEvery(_ nanos: UInt64) async {
        while (try? await configuration.clock.sleep(nanos: nanos)) != nil { await commit.sync() }
    }

    /// How often ``run()`` looks.
    private static let tickNanos: UInt64 = 1_000_000_000
    /// How long after an append others are thought to want the machine.
    private static let busyNanos: UInt64 = 100_000_000
    /// With this many blocks that were never merged, merging no longer gives way.
    private static let smallBlockCountMax = 64
    /// How long without appends until nobody sends.
    private static let idleNanos: UInt64 = 30_000_000_000
    /// How long an append waits for room in the head.
    private static let appendWaitNanosMax: UInt64 = 5_000_000_000
    /// A head with fewer spans is not worth a block until it is really old.
    private static let idleSpanCountMin = 4_096

    private var isIdle: Bool { configuration.clock.monotonicNanos &- contents.lastAppendNanos > Self.idleNanos }

    /// Whether the head's newest part should become a block although it is not full.
    private func isHeadDue() -> Bool {
        let figures = contents.activeFigures
        guard figures.spanCount > 0 else { return false }
        let now = configuration.clock.monotonicNanos
        let age = now &- figures.firstAppendNanos
        let idle = now &- figures.lastAppendNanos
        if age > configuration.headAge.nanos * 6 { return true }
        for shortest in [thinning.shortestAgeNanos, configuration.lateSampling?.hotWindow.nanos].compactMap(\.self)
        where age > shortest / 8 { return true }
        return figures.spanCount >= Self.idleSpanCountMin
            && (idle > configuration.headIdle.nanos || age > configuration.headAge.nanos)
    }

    private static let dayNanos: UInt64 = 86_400_000_000_000

    /// Rollups of spans that are gone are merged within a day, and after thirty days have hours only, merged within thirty.
    private var rollupTending: PastRollups.Tending {
        PastRollups.Tending(
            ageNanos: configuration.rollupRetention?.nanos,
            windowNanos: Self.dayNanos,
            minuteAgeNanos: 30 * Self.dayNanos,
            hourWindowNanos: 30 * Self.dayNanos
        )
    }

    /// Removes the blocks that retention no longer keeps, and rollups much later.
    package func removeExpired() async {
        do throws(StoreError) {
            try await sealer.removeExpired()
            try await sealer.tendRollups(rollupTending)
            retentionFailure.withLock { $0 = nil }
        } catch {
            retentionFailure.withLock { $0 = error }
        }
    }

    /// Takes out of old blocks what the rules of retention and late sampling no longer keep, and what deletions left that did
    /// not finish.
    package func thin() async {
        try? await finishDeletionsOfLogRecords()
        _ = try? await compactor.onThread { () throws(StoreError) in self.rewriteOldBlocks() }
        while (try? await sampleLateOnce()) ?? false {}
    }

    /// Takes all spans of these traces out of the folder, of those that it may hold.
    func dropHeld(_ ids: Set<TraceID>) async throws(StoreError) {
        let snapshot = contents.snapshot()
        let held = ids.filter { snapshot.mayHold($0) }
        if !held.isEmpty { _ = try await drop(held) }
    }

    /// On the compactor's thread. What fails is tried again, and told by the compactor.
    private func rewriteOldBlocks() {
        try? finishDeletions(inBackground: true)
        guard pinFile.problem == nil else { return }
        let now = configuration.clock.unixNanos
        if !pinFile.isEmpty {
            dropUnpinned { block throws(StoreError) in
                try sealer.retention.isPast(block.footer.receivedMax, now) ? pinned.surplus(block) : nil
            }
        }
        guard !configuration.retentionRules.isEmpty else { return }
        dropUnpinned { block throws(StoreError) in
            try thinning.cut(block, in: contents.snapshot(), nowUnixNanos: now)
        }
    }

    /// Takes traces out of blocks, but for those that were pinned meanwhile. What goes from a block cannot be pinned until the
    /// block is written anew.
    private func dropUnpinned(_ cut: (StoredBlock) throws(StoreError) -> BlockMerge.Cut?) {
        var leaving: PinFile.Departure?
        func noteGone() {
            if let leaving { pinFile.noteGone(leaving) }
            leaving = nil
        }
        _ = try? compactor.rewriteNow(true) { block throws(StoreError) in
            noteGone()
            guard var cut = try cut(block) else { return nil }
            let (departure, pinned) = pinFile.letGo(cut.dropped)
            leaving = departure
            cut.dropped.subtract(pinned)
            return cut.dropped.isEmpty ? nil : cut
        }
        noteGone()
    }

    /// Makes a block of all that is in memory, for tests, backups and a tidy end. Throws when the disk refuses.
    public func seal() async throws(StoreError) {
        await commit.freezeHead()
        try await sealer.finish()
    }

    /// Returns when nothing goes on that the start, finished appends or reads set going: for tests that look at the files
    /// between two steps.
    package func settle() async {
        await commit.settle()
        await compactor.settle()
        var sealCount: Int
        repeat {
            // A part that became a block may be followed by another.
            sealCount = sealer.figures.sealCount
            try? await sealer.onThread { () throws(StoreError) in }
        } while sealer.figures.sealCount != sealCount
    }

    /// Merges all blocks that are worth it, as if nobody had sent spans for a while. Throws when the last merge failed.
    public func compact() async throws(StoreError) {
        await compactor.finish(isIdle: true)
        if let failure = compactor.failure { throw failure }
    }

    /// Finishes the appends and the sealing under way and lets the folder go. Appends that come later are refused.
    public func close() async {
        await records?.close()
        await compactor.close()
        await commit.close()
        await sealer.close()
        lock.withLock { $0 = nil }
    }

    public func append(_ batch: SpanBatch) async throws(StoreError) {
        if batch.isEmpty { return }
        var tables = TableSize()
        tables.add(batch)
        guard tables.byteCount <= TableSize.byteCountMax else {
            throw StoreError(
                .limit,
                "the resources, scopes and operations of these spans take \(tables.byteCount) bytes when each is written "
                    + "out, the limit is \(TableSize.byteCountMax): shorten their names and values, or send smaller batches"
            )
        }
        try await commit.append(batch)
    }

    public func status() async -> StoreStatus {
        var status = StoreStatus()
        let snapshot = contents.snapshot()
        func note(_ spanCount: Int, _ oldest: UInt64, _ newest: UInt64) {
            guard spanCount > 0 else { return }
            status.spanCount += spanCount
            status.oldestUnixNanos = min(status.oldestUnixNanos ?? .max, oldest)
            status.newestUnixNanos = max(status.newestUnixNanos ?? 0, newest)
        }
        for part in snapshot.head.map(\.part.figures) {
            note(part.spanCount, part.oldestStart, part.newestStart)
            status.figures["head_bytes", default: 0] += part.byteCount
        }
        status.figures["head_spans"] = status.spanCount
        for footer in snapshot.blocks.map(\.footer) {
            note(footer.spanCount, footer.start.lowerBound, footer.start.upperBound)
            status.figures["block_bytes", default: 0] += footer.byteCount
        }
        status.figures["blocks"] = snapshot.blocks.count
        status.figures["log_records"] = await records?.recordCount() ?? 0
        let rollups = snapshot.blocks.compactMap(\.knownRollup) + snapshot.pastRollups
        status.figures["rollups"] = rollups.count
        status.figures["rollup_bytes"] = rollups.reduce(0) { $0 + $1.byteCount }
        let oldest = snapshot.blocks.map(\.footer.receivedMin).min()
        status.figures["oldest_received_unix_seconds"] = oldest.map { Int($0 / 1_000_000_000) } ?? 0
        addFigures(to: &status)
        await addDiskFigures(to: &status)
        addProblems(to: &status)
        return status
    }

    private func addFigures(to status: inout StoreStatus) {
        let log = commit.figures
        status.figures["log_bytes"] = log.openByteCount
        status.figures["log_syncs"] = log.counters.syncCount
        status.figures["log_syncs_failed"] = log.counters.failedSyncCount
        status.figures["log_written_bytes"] = log.counters.writtenByteCount
        let sealing = sealer.figures
        status.figures["folder_bytes"] = meter.byteCount
        status.figures["seals"] = sealing.sealCount
        status.figures["blocks_removed"] = sealing.removedBlockCount
        status.figures["rollup_overflow_spans"] = sealing.rollupOverflowCount
        status.figures["pinned_traces"] = pinFile.all().count
        status.figures["service_numbers"] = contents.serviceNumbers.numbers.count
        status.figures["service_numbers_refused"] = contents.serviceNumbers.refusedCount
        let compaction = compactor.figures
        status.figures["merges"] = compaction.mergeCount
        status.figures["merged_spans"] = compaction.mergedSpanCount
        status.figures["merged_spans_copied"] = compaction.copiedSpanCount
        status.figures["merged_bytes"] = compaction.writtenByteCount
        status.figures["blocks_thinned"] = compaction.rewriteCount
        status.figures["spans_thinned"] = compaction.cutSpanCount
        status.figures["duplicates_dropped"] = compaction.droppedSpanCount
        let mending = compactor.mending
        status.figures["damaged_blocks"] = mending.waiting.count
        status.figures["blocks_mended"] = mending.blockCount
        status.figures["spans_lost"] = mending.lostSpanCount
        let cached = cache.figures
        status.figures["cache_hits"] = cached.hitCount
        status.figures["cache_misses"] = cached.missCount
        status.figures["cache_bytes"] = cached.byteCount
    }

    /// What only the disk knows, which may make us wait.
    private func addDiskFigures(to status: inout StoreStatus) async {
        let (disk, folder) = (configuration.disk, folder)
        let figures = try? await reads.run { _, _ throws(StoreError) -> [String: Int] in
            var figures: [String: Int] = [:]
            figures["log_segments"] = (try? disk.list(folder.log))?.count ?? 0
            figures["quarantined"] = Quarantine(disk: disk, folder: folder).count
            figures["disk_free_bytes"] = try? disk.freeBytes(folder.root)
            return figures
        }
        status.figures.merge(figures ?? [:]) { $1 }
    }

    private func addProblems(to status: inout StoreStatus) {
        status.problems = recovery.problems
        status.problems += [removalLog.problem, queryFile.problem].compactMap(\.self)
        status.problems += removalLog.unfinished
        let numbers = contents.serviceNumbers
        if numbers.refusedCount > 0 {
            status.problems.append(
                "\(numbers.refusedCount) service names got no number, since they are longer than "
                    + "\(ServiceNumbers.nameByteCountMax) bytes or \(ServiceNumbers.countMax) others came before: their colours "
                    + "are made of their names. Look whether a client sends something else as service.name."
            )
        }
        if let failure = sealer.figures.failure { status.problems.append("\(failure)") }
        status.problems += compactor.mending.problems
        if let failure = compactor.failure, failure.code != .corrupt { status.problems.append("\(failure)") }
        if let failure = retentionFailure.withLock({ $0 }) { status.problems.append("\(failure)") }
        let excess = sealer.figures.excessByteCount
        if excess > 0, let quota { status.problems.append(quota.problem(excess: excess)) }
        let quarantined = sealer.figures.quarantineExcessByteCount
        if quarantined > 0, let quota { status.problems.append(quota.quarantineProblem(excess: quarantined)) }
        let log = commit.figures
        if log.counters.failedSyncCount > 0 {
            status.problems.append(
                "The disk failed to make the log durable \(log.counters.failedSyncCount) times since the start."
            )
        }
        if let failure = log.lastFailure { status.problems.append("Spans are being refused: \(failure)") }
    }
}
