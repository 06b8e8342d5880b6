// SPDX-License-Identifier: Apache-2.0
public import SkeinBase
public import SkeinModel
public import SkeinStore

/// The store inside the process: a data folder with a write-ahead log and blocks, and the newest spans in memory.
///
/// It keeps the promises of ``SpanStore`` through any end of the process and, with ``Durability/always``, through loss of
/// power. One process at a time owns a folder.
public final class EmbeddedStore: SpanStore {
    /// How a store is opened.
    public struct Configuration: Sendable {
        /// The data folder; it is made when missing.
        public var directory: String
        /// What an acknowledged append survives. Default ``Durability/always``.
        public var durability = Durability.always
        /// Where the time comes from.
        public var clock: any WallClock = SystemClock()
        /// Where files are kept.
        package var disk: any Disk = PosixDisk()

        /// A configuration with defaults for all but the folder.
        public init(directory: String) { self.directory = directory }
    }

    private let configuration: Configuration
    /// Held as long as the store lives.
    private let lock: any DiskLock
    let contents: Contents
    private let commit: GroupCommit
    /// What opening found and did.
    public let recovery: RecoveryReport

    private init(
        configuration: Configuration,
        lock: any DiskLock,
        contents: Contents,
        commit: GroupCommit,
        recovery: RecoveryReport
    ) {
        self.configuration = configuration
        self.lock = lock
        self.contents = contents
        self.commit = commit
        self.recovery = recovery
    }

    /// Opens the folder, reads its log back and mends what the last stop left behind.
    ///
    /// Throws ``StoreError/Code/unusable`` without changing anything when the folder is in use, cannot be written or was
    /// written by a later version.
    public static func open(_ configuration: Configuration) async throws(StoreError) -> EmbeddedStore {
        let started = configuration.clock.monotonicNanos
        let disk = configuration.disk
        let folder = StoreFolder(root: configuration.directory)
        let lock = try folder.claim(disk)
        var report = RecoveryReport()
        let replay = LogReplay(disk: disk, folder: folder)
        let segments: [UInt64]
        do throws(DiskError) { segments = try replay.segments() } catch { throw StoreError(read: error) }
        let contents = Contents(active: HeadPart(firstSegment: segments.first ?? 1), frozen: [], services: [])
        for number in segments { contents.keep(try replay.read(number, &report).batches) }
        let log = LogWriter(disk: disk, folder: folder.log, segment: (segments.last ?? 0) + 1)
        let commit = GroupCommit(log: log, durability: configuration.durability, contents: contents)
        report.durationNanos = configuration.clock.monotonicNanos &- started
        return EmbeddedStore(
            configuration: configuration,
            lock: lock,
            contents: contents,
            commit: commit,
            recovery: report
        )
    }

    /// Does the work that time asks for; returns when its task is cancelled.
    public func run() async {
        if case .interval(let interval) = configuration.durability {
            while (try? await configuration.clock.sleep(nanos: interval.nanos)) != nil { await commit.sync() }
        } else {
            while (try? await configuration.clock.sleep(nanos: 1_000_000_000)) != nil {}
        }
    }

    /// Finishes the appends under way and lets the folder go. Appends that come later are refused.
    public func close() async { await commit.close() }

    public func append(_ batch: SpanBatch) async throws(StoreError) {
        if !batch.isEmpty { try await commit.append(batch) }
    }

    public func status() async -> StoreStatus {
        var status = StoreStatus()
        for part in contents.headFigures where part.spanCount > 0 {
            status.spanCount += part.spanCount
            status.oldestUnixNanos = min(status.oldestUnixNanos ?? .max, part.oldestStart)
            status.newestUnixNanos = max(status.newestUnixNanos ?? 0, part.newestStart)
            status.figures["head_bytes", default: 0] += part.byteCount
        }
        status.figures["head_spans"] = status.spanCount
        let log = commit.figures
        status.figures["log_bytes"] = log.openByteCount
        status.figures["log_syncs"] = log.counters.syncCount
        status.figures["log_syncs_failed"] = log.counters.failedSyncCount
        status.figures["log_written_bytes"] = log.counters.writtenByteCount
        return status
    }
}
