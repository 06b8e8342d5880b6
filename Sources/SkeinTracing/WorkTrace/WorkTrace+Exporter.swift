// SPDX-License-Identifier: Apache-2.0
import Logging
public import SkeinRecording
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension WorkTrace {
    /// Where a client sends its spans that has a tracer of its own.
    public struct Exporter: Sendable {
        private enum Target { case otlp(String), hub(String) }
        private let target: Target

        /// A receiver of OTLP over HTTP, such as `http://localhost:4318`; `/v1/traces` is added to an address that does not end
        /// with it.
        public static func otlpHTTP(_ url: String) -> Exporter {
            let isWhole = url.prefix { $0 != "?" && $0 != "#" }.hasSuffix("/v1/traces")
            return Exporter(target: .otlp(isWhole ? url : OTLPConfiguration.endpoint(base: url, .httpProtobuf)))
        }

        /// The WorkTrace API of a Skein, such as `http://localhost:16686`: it shows sessions and steps while they go on. They are told
        /// once a second.
        public static func hub(_ url: String) -> Exporter { Exporter(target: .hub(url)) }

        /// A tracer of its own for the agent `name`; what keeps it from sending is told in the log.
        fileprivate func tracer(for name: String) -> SkeinTracer {
            let logger = Logger(label: "skein.sdk")
            switch target {
            case .otlp(let endpoint):
                var configuration = TracingConfiguration()
                configuration.serviceName = name
                let overrides = [
                    "OTEL_CONFIG_FILE": "", "OTEL_TRACES_EXPORTER": "otlp",
                    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": OTLPConfiguration.Transport.httpProtobuf.rawValue,
                    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": endpoint,
                ]
                return SkeinTracer.standalone(configuration, overrides: overrides, logger: logger)
            case .hub(let url):
                var batches = BatchConfiguration()
                batches.scheduledDelay = .seconds(1)
                batches.queueSizeMax = 20_000
                do {
                    let live = LiveSpanProcessor(try HubSpanExporter(url), configuration: batches) {
                        logger.warning("\($0)")
                    }
                    return SkeinTracer(processors: [live])
                } catch {
                    logger.warning("sessions of \(name) go nowhere: \(error)")
                    return SkeinTracer(processors: [])
                }
            }
        }
    }

    /// A client with a tracer of its own, for a process that traces nothing else: its spans go to `exporter`, in batches, and what
    /// waits at the end of the process is sent first, for 10 s at most. For ``Exporter/otlpHTTP(_:)`` the agent's name is that of the
    /// service unless `OTEL_SERVICE_NAME` says another, and what else the environment says (`OTEL_*`) holds.
    public init(
        exporter: Exporter,
        agent: Agent,
        recordsContent: Bool = false,
        contentByteCountMax: Int = 64 << 10
    ) {
        let tracer = exporter.tracer(for: agent.name)
        OwnTracers.add(tracer)
        self.init(
            agent: agent,
            tracer: tracer,
            recordsContent: recordsContent,
            contentByteCountMax: contentByteCountMax
        )
    }

    /// Sends all that ended before this call, by a tracer of ours; returns at the latest after `timeout`.
    @discardableResult
    public func forceFlush(timeout: Duration = .seconds(10)) async -> FlushResult {
        guard let tracer = tracer as? SkeinTracer else { return .done }
        return await tracer.forceFlush(timeout: timeout)
    }
}

/// Tracers that clients have of their own, which nobody else ends.
enum OwnTracers {
    private static let tracers = Mutex<[SkeinTracer]>([])

    static func add(_ tracer: SkeinTracer) {
        let isFirst = tracers.withLock { tracers in
            tracers.append(tracer)
            return tracers.count == 1
        }
        guard isFirst else { return }
        atexit { Skein.flushAtExit() }
        ExitSignals.watch { Skein.flushAtExit() }
    }

    /// Exports what waits, on the thread of the caller, and lets go of them.
    static func shutdown(by deadline: ContinuousClock.Instant) -> [FlushResult] {
        let ended = tracers.withLock { tracers in
            defer { tracers.removeAll() }
            return tracers
        }
        return ended.map { $0.shutdownAndWait(by: deadline) }
    }
}
