// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Instrumentation
import Logging
public import ServiceLifecycle
public import SkeinRecording
import Synchronization
import Tracing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension Skein {
    /// What was started in this process, and where its own words go.
    private static let started = Mutex<(skein: Skein, logger: Logger)?>(nil)

    /// How long the end of the process may be held until spans are exported.
    private static let exitTimeout = Duration.seconds(10)

    /// Starts tracing of this process: `withSpan` and its like of swift-distributed-tracing record from here on, and what they
    /// record is exported in the background. At the end of the process, and when it is asked to end by SIGTERM or SIGINT and
    /// nobody else handles these, what waits is exported first, for 10 s at most.
    ///
    ///     let skein = Skein.start(service: "order-service")
    ///
    /// What `configuration` says is overridden by the environment (`OTEL_*`), and that by the file that `OTEL_CONFIG_FILE` names;
    /// docs/sdk.md has all of it. What makes no sense there is told in the log, label `skein.sdk`, and left out. `sampler`, where there
    /// is one, stands in place of all that; `processors` stand in front of the configured ones.
    ///
    /// Called again, it warns and returns what was started first.
    @discardableResult
    public static func start(
        service: String? = nil,
        _ configuration: TracingConfiguration = TracingConfiguration(),
        sampler: (any Sampler)? = nil,
        processors: [any SpanProcessor] = []
    ) -> Skein {
        startOnce(service, configuration, sampler, processors).skein
    }

    /// Starts tracing unless it is started already, and says whether it did.
    private static func startOnce(
        _ service: String?,
        _ configuration: TracingConfiguration,
        _ sampler: (any Sampler)?,
        _ processors: [any SpanProcessor]
    ) -> (skein: Skein, isFirst: Bool) {
        started.withLock { started in
            if let started {
                started.logger.warning(
                    """
                    Skein was started again; what was started first goes on, or stays ended if it has ended, and this call \
                    changes nothing
                    """
                )
                return (started.skein, false)
            }
            var configuration = configuration
            if let service { configuration.serviceName = service }
            let surroundings = Surroundings.current()
            var assembly = TracerAssembly(ResolvedConfiguration(configuration, in: surroundings), in: surroundings)
            let tracer = assembly.tracer(sampler: sampler, processors: processors)
            for problem in assembly.problems { assembly.logger.warning("\(problem)") }
            let skein = Skein(tracer: tracer)
            started = (skein, assembly.logger)
            Skein.adopt(tracer)
            install(tracer, assembly.logger)
            atexit { Skein.flushAtExit() }
            ExitSignals.watch { Skein.flushAtExit() }
            return (skein, true)
        }
    }

    /// Makes `tracer` the one that swift-distributed-tracing's own functions use, unless there is another.
    private static func install(_ tracer: SkeinTracer, _ logger: Logger) {
        // A second bootstrap would end the process.
        guard InstrumentationSystem.instrument is NoOpInstrument else {
            logger.warning(
                """
                InstrumentationSystem has another tracer already, which its functions go on using; Skein.withSpan uses this \
                one. Call Skein.start before anything else bootstraps, or put both into a MultiplexInstrument
                """
            )
            return
        }
        InstrumentationSystem.bootstrap(tracer)
    }

    /// Exports what waits, on the thread of the caller. Only the first call finds any.
    static func flushAtExit() {
        for result in OwnTracers.shutdown(by: .now + exitTimeout) { tell(result) }
        guard let skein = started.withLock({ $0?.skein }) else { return }
        tell(skein.shutdownAndWait(by: .now + exitTimeout))
    }

    /// Says at the end what is lost.
    fileprivate static func tell(_ result: FlushResult) {
        let logger = started.withLock { $0?.logger }
        switch result {
        case .done: return
        case .timedOut(let count):
            logger?.warning("lost \(count.spans) at the end: not exported within \(exitTimeout)")
        case .failed(let count, let reason): logger?.warning("lost \(count.spans) at the end: \(reason)")
        }
    }

    /// Runs a service with tracing started, and exports all of it before it returns or throws. When the process is asked to end
    /// by SIGTERM or SIGINT, and nothing in `operation` handles these, `operation` is cancelled and has 30 s to end. Another signal
    /// ends the process at once. Where tracing is started already, only `operation` is run: who started it ends it.
    ///
    ///     @main struct Orders {
    ///         static func main() async throws {
    ///             try await Skein.run(service: "order-service") { try await serve() }
    ///         }
    ///     }
    public static func run<Value: Sendable>(
        service: String? = nil,
        _ configuration: TracingConfiguration = TracingConfiguration(),
        sampler: (any Sampler)? = nil,
        processors: [any SpanProcessor] = [],
        _ operation: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let (skein, isFirst) = startOnce(service, configuration, sampler, processors)
        // What somebody else started, somebody else ends.
        guard isFirst else { return try await operation() }
        let end = DispatchSemaphore(value: 0)
        let task = Task { try await operation() }
        ExitSignals.set(.init(cancel: { task.cancel() }, end: end))
        let result = await withTaskCancellationHandler {
            await task.result
        } onCancel: {
            task.cancel()
        }
        end.signal()
        tell(await skein.shutdown(timeout: exitTimeout))
        ExitSignals.set(nil)
        return try result.get()
    }
}

/// Waits in a group of services, and exports what waits when the group stops: put it first, so that it stops last.
extension Skein: Service {
    public func run() async throws {
        // Cancelled or asked to stop, both mean that the spans are to be exported.
        try? await gracefulShutdown()
        // A task that is cancelled still waits here; the time is bounded.
        Skein.tell(await shutdown())
    }
}
