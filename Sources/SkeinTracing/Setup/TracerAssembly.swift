// SPDX-License-Identifier: Apache-2.0
import Logging
import SkeinExport
import SkeinModel
import SkeinPropagation
import SkeinRecording

/// Makes the tracer that a configuration describes. Never fails: what cannot be made is left out and told.
struct TracerAssembly {
    let configuration: TracingConfiguration
    let surroundings: Surroundings
    /// Where the SDK's own words go.
    let logger: Logger
    private(set) var problems: [ConfigurationProblem]
    /// What else stops with the tracer.
    private var remoteSamplers: [(sampler: JaegerRemoteSampler, fetcher: HTTPSender)] = []

    init(
        _ resolved: ResolvedConfiguration,
        in surroundings: Surroundings,
        logger: Logger = Logger(label: "skein.sdk")
    ) {
        configuration = resolved.configuration
        self.surroundings = surroundings
        problems = resolved.problems
        var logger = logger
        logger.logLevel = configuration.logLevel
        self.logger = logger
    }

    /// The tracer, with `more` processors in front of the configured ones, and `sampler` in place of the configured one.
    mutating func tracer(sampler: (any Sampler)?, processors more: [any SpanProcessor]) -> SkeinTracer {
        let propagator = configuration.propagator
        let resource = configuration.resource(in: surroundings)
        guard !configuration.isDisabled else {
            return SkeinTracer.passing(resource: resource, propagator: propagator)
        }
        let sampler = sampler ?? makeSampler(service: resource.serviceName)
        var processors = more
        for (index, processor) in configuration.processors.enumerated() {
            if let made = make(processor, at: index) { processors.append(made) }
        }
        if configuration.recordsStackTraces && !StackTrace.isAvailable {
            tell(
                "recordsStackTraces",
                "needs the module Runtime of Swift, which this platform lacks",
                instead: "errors have their type and message alone"
            )
        }
        if !remoteSamplers.isEmpty { processors.append(RemoteSamplerStop(samplers: remoteSamplers)) }
        return SkeinTracer(
            sampler: sampler,
            processors: processors,
            resource: resource,
            propagator: propagator,
            limits: configuration.limits,
            hasStrictSpanIDs: configuration.hasStrictSpanIDs,
            recordsStackTraces: configuration.recordsStackTraces
        )
    }

    /// The configured sampler; where it cannot be made, all roots and what their parents decided.
    mutating func makeSampler(service: String) -> any Sampler {
        makeSampler(configuration.sampler, service) ?? ParentBasedSampler(root: AlwaysOnSampler())
    }

    private mutating func makeSampler(_ configuration: SamplerConfiguration, _ service: String) -> (any Sampler)? {
        configuration.sampler { part in
            switch part {
            case .probability(let share): ProbabilitySampler(probability: share)
            case .rateLimiting(let rate): RateLimitingSampler(tracesPerSecond: rate)
            case .composite(let composable): CompositeSampler(composable.sampler)
            case .jaegerRemote(let endpoint, let interval, let initial):
                remoteSampler(endpoint, interval, initial, service)
            case .alwaysOn, .alwaysOff, .traceIDRatio, .parentBased: nil
            }
        }
    }

    private mutating func remoteSampler(
        _ endpoint: String,
        _ interval: Duration,
        _ initial: SamplerConfiguration,
        _ service: String
    ) -> (any Sampler)? {
        let probability: Double
        switch initial {
        case .alwaysOn: probability = 1
        case .alwaysOff: probability = 0
        case .traceIDRatio(let share), .probability(let share): probability = share
        case .rateLimiting, .composite, .jaegerRemote, .parentBased: probability = 0.001
        }
        do {
            let fetcher = try HTTPSender(.strategies(at: endpoint))
            let logger = logger
            let sampler = JaegerRemoteSampler(
                service: service,
                initialProbability: probability,
                pollingInterval: interval,
                log: { logger.warning("\($0)") },
                source: { service, deadline in fetcher.strategy(of: service, by: deadline) }
            )
            remoteSamplers.append((sampler, fetcher))
            return sampler
        } catch {
            tell("sampler", "\(error)", instead: "all traces are sampled")
            return nil
        }
    }

    private mutating func make(_ processor: SpanProcessorConfiguration, at index: Int) -> (any SpanProcessor)? {
        if case .console = processor.exporter { return ConsoleExporter() }
        do {
            guard let exporter = try exporter(processor.exporter) else {
                tell("processors[\(index)]", "has no address that could be sent to", instead: "spans go nowhere")
                return nil
            }
            let logger = logger
            return BatchSpanProcessor(exporter, configuration: processor.batch ?? .atOnce) { logger.warning("\($0)") }
        } catch {
            tell("processors[\(index)]", "cannot be made: \(error)", instead: "its spans go nowhere")
            return nil
        }
    }

    private func exporter(_ configuration: SpanExporterConfiguration) throws -> (any SpanExporter)? {
        switch configuration {
        case .otlp(let otlp): return try exporter(otlp)
        case .zipkin(let zipkin):
            var target = HTTPTarget(url: zipkin.endpoint)
            target.timeout = zipkin.timeout.orForEver
            return try HTTPSpanExporter(.zipkinJSON, to: target)
        case .jaegerHTTP(let jaeger):
            var target = HTTPTarget(url: jaeger.endpoint)
            target.timeout = jaeger.timeout.orForEver
            if let user = jaeger.user {
                target.headers = [("authorization", BasicAuthentication.header(user, jaeger.password ?? ""))]
            }
            return try HTTPSpanExporter(.jaegerThrift, to: target)
        case .jaegerUDP(let jaeger):
            return UInt16(exactly: jaeger.port).map { JaegerUDPExporter(host: jaeger.host, port: $0) }
        case .console: return nil
        }
    }

    private func exporter(_ otlp: OTLPConfiguration) throws -> (any SpanExporter)? {
        guard let endpoint = otlp.target else { return nil }
        switch otlp.transport {
        case .httpProtobuf, .httpJSON:
            var target = HTTPTarget(url: endpoint.description)
            target.headers = otlp.headers.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
            target.isCompressed = otlp.compression == .gzip
            target.timeout = otlp.timeout.orForEver
            target.certificateFile = otlp.certificateFile
            target.clientKeyFile = otlp.clientKeyFile
            target.clientCertificateFile = otlp.clientCertificateFile
            return try HTTPSpanExporter(otlp.transport == .httpJSON ? .otlpJSON : .otlpProtobuf, to: target)
        case .grpc:
            #if GRPC
                return try GRPCSpanExporter(otlp, at: endpoint)
            #else
                throw AssemblyError(
                    """
                    OTLP over gRPC needs the package trait GRPC; add it to the dependency on skein, or set \
                    OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
                    """
                )
            #endif
        }
    }

    private mutating func tell(_ name: String, _ reason: String, instead: String) {
        problems.append(ConfigurationProblem(.field, name, reason: reason, instead: instead))
    }
}

/// What keeps an exporter from being made.
struct AssemblyError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

extension BatchConfiguration {
    /// What is simple: each span at once, yet nobody who ends one waits for the network.
    fileprivate static var atOnce: BatchConfiguration {
        var configuration = BatchConfiguration()
        configuration.scheduledDelay = .zero
        return configuration
    }
}

/// Stops samplers that ask a server together with the tracer.
private struct RemoteSamplerStop: SpanProcessor {
    let samplers: [(sampler: JaegerRemoteSampler, fetcher: HTTPSender)]

    func onEnd(_ span: FinishedSpan) {}
    func forceFlush(by deadline: ContinuousClock.Instant) -> FlushResult { .done }

    func shutdown(by deadline: ContinuousClock.Instant) -> FlushResult {
        for (sampler, fetcher) in samplers {
            sampler.shutdown()
            fetcher.shutdown()
        }
        return .done
    }
}

extension Duration {
    /// Zero is no limit where a time may be left out.
    fileprivate var orForEver: Duration { self > .zero ? self : .seconds(Int64(Int32.max)) }
}
