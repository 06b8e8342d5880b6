// SPDX-License-Identifier: Apache-2.0
import Logging
import ServiceLifecycle
import SkeinAPI
import SkeinAgents
import SkeinBase
import SkeinEngine
import SkeinPipeline
import SkeinReceivers
import SkeinStore

/// Keeps the store open and working until everything that may write to it has ended, then closes it.
struct StoreKeeper: Service, CustomStringConvertible {
    let store: EmbeddedStore

    var description: String { "store" }

    /// Opens the data folder, and says in the log what had to be mended.
    static func open(
        _ configuration: ServerConfiguration,
        memory: MemoryPlan,
        sampling: LateSampling?,
        logger: Logger
    ) async throws(StoreError) -> StoreKeeper {
        var settings = EmbeddedStore.Configuration(directory: configuration.dataDirectory)
        settings.durability = configuration.durability
        settings.retentionAge = configuration.retention
        settings.rollupRetention = configuration.rollupRetention
        settings.retentionByteCount = configuration.retentionBytes
        settings.retentionRules = configuration.retentionRules.map(\.rule)
        settings.lateSampling = sampling
        memory.apply(to: &settings)
        settings.traceSpanCountMax = configuration.traceSpansMax
        settings.onIdle = { Allocator.trim() }
        let store = try await EmbeddedStore.open(settings)
        let report = store.recovery
        logger.info(
            "opened \(configuration.dataDirectory)",
            metadata: [
                "blocks": "\(report.blockCount)", "spans_replayed": "\(report.replayedSpanCount)",
                "torn_bytes": "\(report.tornByteCount)", "quarantined": "\(report.quarantinedCount)",
                "millis": "\(report.durationNanos / 1_000_000)",
            ]
        )
        for problem in report.problems { logger.warning("\(problem)") }
        return StoreKeeper(store: store)
    }

    func run() async throws {
        await cancelWhenGracefulShutdown { await store.run() }
        await store.close()
    }
}

/// Decides about traces whose time has come, and about all of them at the end: after the listeners, before the store.
struct SamplingService: Service, CustomStringConvertible {
    let sampler: TailSampler

    var description: String { "sampling" }

    init(
        _ configuration: SamplingConfiguration,
        into store: any SpanStore,
        _ live: LiveTraces,
        _ memory: ByteBudget,
        spill: (any SpanSpill)?,
        _ clock: any WallClock,
        _ telemetry: Telemetry,
        _ logger: Logger
    ) {
        sampler = TailSampler(
            configuration.policies,
            configuration.settings,
            budget: memory,
            spill: spill,
            clock: clock,
            telemetry: telemetry,
            note: { logger.warning("\($0)") }
        ) { batch throws(Refusal) in
            try await Pipeline.append(batch, to: store, showing: live)
        }
    }

    /// Where spans that wait go when memory is full, in the data folder, which is open; what an earlier process left there is
    /// removed in any case.
    static func spill(_ configuration: ServerConfiguration, _ logger: Logger) -> (any SpanSpill)? {
        guard configuration.sampling?.tail != nil, let byteCountMax = configuration.tailSpillBytesMax else {
            SpillFolder.clear(in: configuration.dataDirectory)
            return nil
        }
        do throws(StoreError) {
            return try SpillFolder(in: configuration.dataDirectory, byteCountMax: byteCountMax)
        } catch {
            logger.warning("traces will be decided early when memory is full: \(error)")
            return nil
        }
    }

    func run() async throws {
        await cancelWhenGracefulShutdown { await sampler.run() }
        await sampler.finish()
    }
}

/// Keeps open work in order while the listeners take more of it: after them, before the store.
struct WorkService: Service, CustomStringConvertible {
    let trace: WorkTrace

    var description: String { "worktrace" }

    /// Segments of messages are ended at this size, and go as a whole.
    private static let segmentBytesMax = 8 << 20

    /// Reads what was open when the last process ended, and says in the log what of it cannot be read.
    static func open(
        _ configuration: ServerConfiguration,
        store: EmbeddedStore,
        intake: WorkIntake,
        sampling: PrioritySampling?,
        prices: ModelPriceBook,
        clock: any WallClock,
        logger: Logger
    ) async throws(StoreError) -> WorkService {
        var limits = WorkLimits()
        limits.idleNanos = UInt64(clamping: configuration.workIdleTimeout.components.seconds) &* 1_000_000_000
        let trace: WorkTrace
        do throws(StoreError) {
            trace = try WorkTrace(
                journal: store.recordLog("journal", segmentBytesMax: segmentBytesMax, isChain: true),
                messageLog: store.recordLog("messages", segmentBytesMax: segmentBytesMax, isChain: false),
                intake: intake,
                limits: limits,
                content: configuration.workContent,
                sampling: sampling ?? PrioritySampling(nil, clock: clock),
                prices: prices,
                options: configuration.workOptions,
                messageAgeNanos: configuration.retention.map {
                    UInt64(clamping: $0.components.seconds) &* 1_000_000_000
                },
                clock: clock,
                store: store,
                warn: { logger.warning("\($0)") }
            )
        } catch {
            await store.close()
            throw error
        }
        for problem in trace.problems { logger.warning("\(problem)") }
        return WorkService(trace: trace)
    }

    func run() async throws { await cancelWhenGracefulShutdown { await trace.run() } }
}

/// All listeners as one service, so that they go down together and not one after the other.
struct Doors: Service, CustomStringConvertible {
    private let listeners: [any Listener]
    private let readiness: Readiness
    private let whenReady: @Sendable () -> Void

    var description: String { "listeners" }

    /// `whenReady` is called once the group runs: from then on a signal to end is heard and obeyed.
    init(_ listeners: [any Listener], _ readiness: Readiness, whenReady: @escaping @Sendable () -> Void) {
        self.listeners = listeners
        self.readiness = readiness
        self.whenReady = whenReady
    }

    func run() async throws {
        try await withGracefulShutdownHandler {
            readiness.set(true)
            whenReady()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for listener in listeners { group.addTask { try await listener.run() } }
                try await group.waitForAll()
            }
        } onGracefulShutdown: { [readiness] in
            readiness.set(false)
        }
    }
}
