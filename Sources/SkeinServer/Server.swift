// SPDX-License-Identifier: Apache-2.0
import Logging
import ServiceLifecycle
import SkeinAPI
import SkeinAgents
import SkeinBase
import SkeinEngine
import SkeinPipeline
import SkeinReceivers
import UnixSignals

/// The composition root: a configuration becomes a store, doors and one group of services.
package struct Server: Sendable {
    private let configuration: ServerConfiguration
    private let logger: Logger
    private let clock: any WallClock = SystemClock()

    /// A server that is not running. It logs to standard error.
    package init(_ configuration: ServerConfiguration) {
        self.configuration = configuration
        logger = Logger(label: "skein") { _ in LineLogHandler(level: configuration.logLevel) }
    }

    /// Opens the store and every listener, calls `announce` with a line for each and then `ready`, and serves until it
    /// is cancelled or told to end (SIGTERM, SIGINT). Returns when what was taken is stored and the store is closed.
    package func run(announce: @escaping @Sendable (String) -> Void) async throws {
        let startedUnixNanos = clock.unixNanos
        DescriptorLimit.raise()
        Allocator.limitHeaps()
        if configuration.insecureNoAuth { warnOfOpenDoors(announce) }
        let telemetry = Telemetry()
        ProcessFigures.register(in: telemetry, startedUnixNanos: startedUnixNanos)
        let memory = MemoryPlan(byteCount: configuration.memoryBytes, samples: configuration.sampling?.tail != nil)
        memory.register(in: telemetry)
        let weighing = try Sampling(configuration, clock: clock, telemetry: telemetry, logger: logger)
        let intake = try Intake(configuration, sampling: weighing.stages, clock: clock, telemetry: telemetry)
        let sessions = configuration.sessionSampling.map {
            SessionPolicyFile($0, clock: clock, telemetry: telemetry, logger: logger)
        }
        let prices = configuration.modelPrices.map { ModelPriceService($0, telemetry: telemetry, logger: logger) }
        let book = prices?.book ?? ModelPriceBook()
        let keeper = try await StoreKeeper.open(
            configuration,
            memory: memory,
            sampling: try configuration.storedSampling(sessions?.sampling, prices: book, telemetry: telemetry),
            logger: logger
        )
        let live = LiveTraces()
        let spill = SamplingService.spill(configuration, logger)
        let sampling = configuration.sampling?.tail.map { policies in
            SamplingService(policies, into: keeper.store, live, memory.sampling, spill: spill, clock, telemetry, logger)
        }
        let pipeline = Pipeline(
            store: keeper.store,
            traceLimit: intake.traceLimit,
            stages: intake.stages,
            sampler: sampling?.sampler,
            budget: memory.requests,
            telemetry: telemetry,
            live: live
        )
        let readiness = Readiness()
        let directory = Directory(configuration, startedUnixNanos: startedUnixNanos)
        let counters = IngestCounters(protocol: "worktrace", in: telemetry)
        directory.add(counters)
        let work = try await WorkService.open(
            configuration,
            store: keeper.store,
            intake: WorkIntake(pipeline: pipeline, counters: counters),
            sampling: sessions?.sampling,
            prices: book,
            clock: clock,
            logger: logger
        )
        let maker = DoorMaker(
            configuration,
            store: keeper.store,
            savedQueries: keeper.store.savedQueries,
            pins: keeper.store.pins,
            logRecords: keeper.store.logRecords,
            pipeline: pipeline,
            work: work.trace,
            prices: book,
            logStages: intake.logStages,
            sampling: weighing.answers,
            memory: memory,
            telemetry: telemetry,
            directory: directory,
            readiness: readiness,
            clock: clock,
            logger: logger
        )
        let doors = ListenerName.allCases.compactMap { name in
            configuration.listeners[name].map { (name, maker.listener(name, $0)) }
        }
        do {
            for (name, listener) in doors {
                let address = try await listener.bind()
                directory.add(name, address)
                announce(Self.line(name, address))
            }
        } catch {
            await keeper.store.close()
            throw error
        }
        // Those that come last go down first.
        var services: [any Service] = [keeper, MemoryKeeper(memory)]
        if let sampling { services.append(sampling) }
        services += weighing.services
        if let sessions { services.append(sessions) }
        if let prices { services.append(prices) }
        services += [work, Doors(doors.map(\.1), readiness, whenReady: { announce("ready") })]
        var group = ServiceGroupConfiguration(
            services: services.map { .init(service: $0) },
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: quiet
        )
        group.maximumGracefulShutdownDuration = .seconds(15)
        try await ServiceGroup(configuration: group).run()
    }

    /// The lifecycle of services concerns only whoever looks for a fault in it.
    private var quiet: Logger {
        var logger = logger
        if logger.logLevel < .warning, logger.logLevel > .debug { logger.logLevel = .warning }
        return logger
    }

    private static func line(_ name: ListenerName, _ address: ListenAddress) -> String {
        let width = ListenerName.allCases.map(\.rawValue.count).max() ?? 0
        return name.rawValue + String(repeating: " ", count: width + 2 - name.rawValue.count) + name.url(address)
    }

    private func warnOfOpenDoors(_ announce: (String) -> Void) {
        let open = configuration.listeners.filter { !$0.value.isLoopback }.map { "\($0.key.rawValue) on \($0.value)" }
        guard !open.isEmpty else { return }
        announce("WARNING: --insecure-no-auth is set. Anybody who reaches this machine can read and write all traces:")
        for door in open.sorted() { announce("WARNING:   \(door)") }
    }
}
