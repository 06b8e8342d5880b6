// SPDX-License-Identifier: Apache-2.0
import Logging
import SkeinRecording
import SkeinTracing
import Synchronization

/// Where the spans of a proxy go: to a collector, in the background, and never at the expense of what is proxied.
///
/// Beside what it is told the variables of OpenTelemetry hold (`OTEL_*`, docs/sdk.md). Spans that find no room, or no collector, are
/// dropped and counted; of that a word is said once.
package struct ProxyTracing: Sendable {
    let tracer: SkeinTracer

    /// How long the end of a proxy may be held until spans are exported.
    private static let shutdownTimeout = Duration.seconds(2)

    /// `endpoint` is that of OTLP's traces, whole; `nil` for what the environment says, or this machine. What goes wrong is told to
    /// `say` as a sentence, the first time, or whenever it is if it `isVerbose`.
    package init(
        endpoint: String?,
        service: String?,
        isVerbose: Bool,
        say: @escaping @Sendable (String) -> Void
    ) {
        var batch = BatchConfiguration()
        // Somebody may be looking at the trace of an agent that is at work.
        batch.scheduledDelay = .seconds(1)
        var configuration = TracingConfiguration()
        configuration.serviceName = "mcp-proxy"
        configuration.processors = [SpanProcessorConfiguration(.otlp(OTLPConfiguration()), batch: batch)]
        var overrides: [String: String] = [:]
        overrides["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = endpoint
        overrides["OTEL_SERVICE_NAME"] = service
        let logger = Logger(label: "skein.mcp-proxy") { _ in
            SentenceLog(isVerbose: isVerbose, say: say)
        }
        tracer = SkeinTracer.standalone(configuration, overrides: overrides, logger: logger)
    }

    /// A proxy's spans go to `tracer`.
    init(tracer: SkeinTracer) { self.tracer = tracer }

    /// Exports what waits, for two seconds at most.
    package func shutdown() async { _ = await tracer.shutdown(timeout: Self.shutdownTimeout) }
}

/// Says what is logged, each as a line, or only the first.
private struct SentenceLog: LogHandler {
    let isVerbose: Bool
    let say: @Sendable (String) -> Void
    private let hasSpoken = SaidOnce()

    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.warning

    init(isVerbose: Bool, say: @escaping @Sendable (String) -> Void) {
        self.isVerbose = isVerbose
        self.say = say
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        guard event.level >= .warning, isVerbose || hasSpoken.first() else { return }
        say("\(event.message)")
    }
}

/// Whether something has been said.
private final class SaidOnce: Sendable {
    private let hasSaid = Mutex(false)

    func first() -> Bool {
        hasSaid.withLock { hasSaid in
            defer { hasSaid = true }
            return !hasSaid
        }
    }
}
