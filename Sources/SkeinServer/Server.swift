// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import NIOHTTP1
import ServiceLifecycle
import SkeinAPI
import SkeinBase
import SkeinEngine
import SkeinPipeline
import SkeinReceivers
import SkeinStore
import SkeinWeb
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
        let memory = MemoryPlan(byteCount: configuration.memoryBytes)
        memory.register(in: telemetry)
        let keeper = try await StoreKeeper.open(configuration, memory: memory, logger: logger)
        let budget = memory.requests
        let pipeline = Pipeline(store: keeper.store, budget: budget, telemetry: telemetry)
        let readiness = Readiness()
        let directory = Directory(configuration, startedUnixNanos: startedUnixNanos)

        var doors: [(name: ListenerName, listener: any Listener)] = []
        for name in ListenerName.allCases {
            guard let address = configuration.listeners[name] else { continue }
            let listener: any Listener
            switch name {
            case .web:
                let service = WebService(
                    api: API(
                        store: keeper.store,
                        clock: clock,
                        answers: memory.queries,
                        traceSpanCountMax: configuration.traceSpansMax,
                        serverStatus: { directory.status }
                    ),
                    assets: configuration.webDirectory.map(WebAssets.directory) ?? .embedded,
                    gate: QueryGate(
                        limit: configuration.queriesMax,
                        timeout: configuration.queryTimeout,
                        telemetry: telemetry
                    ),
                    operations: Operations(store: keeper.store, telemetry: telemetry, readiness: readiness),
                    basePath: configuration.basePath,
                    logger: logger
                )
                var limits = HTTPLimits()
                limits.bodyBytesMax = min(16 << 20, configuration.requestBytesMax)
                listener = HTTPListener(
                    name: "web",
                    address: address,
                    limits: limits,
                    budget: budget,
                    telemetry: telemetry,
                    service: service
                )
            case .otlpHTTP:
                let counters = IngestCounters(protocol: "otlp-http", in: telemetry)
                directory.add(counters)
                var limits = HTTPLimits()
                limits.bodyBytesMax = configuration.requestBytesMax
                listener = HTTPListener(
                    name: "otlp-http",
                    address: address,
                    limits: limits,
                    budget: budget,
                    telemetry: telemetry,
                    service: OTLPHTTPService(export(pipeline, counters))
                )
            case .otlpGRPC:
                let counters = IngestCounters(protocol: "otlp-grpc", in: telemetry)
                directory.add(counters)
                var limits = GRPCLimits()
                limits.messageBytesMax = configuration.requestBytesMax
                listener = GRPCListener(
                    name: "otlp-grpc",
                    address: address,
                    limits: limits,
                    budget: budget,
                    telemetry: telemetry,
                    service: OTLPGRPCService(export(pipeline, counters))
                )
            case .jaegerCompact:
                let compact = JaegerCompactListener(
                    name: "jaeger-compact",
                    address: address,
                    pipeline: pipeline,
                    telemetry: telemetry
                )
                directory.add(compact.ingestCounters)
                listener = compact
            }
            doors.append((name, listener))
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
        var group = ServiceGroupConfiguration(
            services: [
                .init(service: keeper),
                .init(service: MemoryKeeper(memory)),
                .init(service: Doors(doors.map(\.listener), readiness, whenReady: { announce("ready") })),
            ],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: quiet
        )
        group.maximumGracefulShutdownDuration = .seconds(15)
        try await ServiceGroup(configuration: group).run()
    }

    private func export(_ pipeline: Pipeline, _ counters: IngestCounters) -> TraceExport {
        TraceExport(pipeline: pipeline, counters: counters, bytesMax: configuration.requestBytesMax, clock: clock)
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
