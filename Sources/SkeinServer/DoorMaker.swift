// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import SkeinAPI
import SkeinAgents
import SkeinBase
import SkeinPipeline
import SkeinReceivers
import SkeinStore
import SkeinWeb

/// Makes the listeners out of what they share.
struct DoorMaker {
    let configuration: ServerConfiguration
    let clock: any WallClock
    let pipeline: Pipeline
    let logs: LogPipeline?
    let sampling: SamplingAnswers
    let memory: MemoryPlan
    let telemetry: Telemetry
    let directory: Directory
    let operations: Operations
    let api: API
    let queries: QueryGate
    let tails: TailGate
    let logger: Logger

    /// The largest body or message of a question.
    private var questionBytesMax: Int { min(16 << 20, configuration.requestBytesMax) }

    init(
        _ configuration: ServerConfiguration,
        store: any SpanStore,
        savedQueries: any SavedQueries,
        pins: any PinnedTraces,
        logRecords: (any LogRecordStore)?,
        pipeline: Pipeline,
        work: WorkTrace?,
        prices: ModelPriceBook,
        logStages: [any IntakeStage],
        sampling: SamplingAnswers,
        memory: MemoryPlan,
        telemetry: Telemetry,
        directory: Directory,
        readiness: Readiness,
        clock: any WallClock,
        logger: Logger
    ) {
        self.configuration = configuration
        self.clock = clock
        self.pipeline = pipeline
        logs = logRecords.map { store in
            LogPipeline(store: store, stages: logStages, budget: pipeline.budget, telemetry: telemetry)
        }
        self.sampling = sampling
        self.memory = memory
        self.telemetry = telemetry
        self.directory = directory
        self.logger = logger
        operations = Operations(store: store, telemetry: telemetry, readiness: readiness)
        let imports = IngestCounters(protocol: "import", isImport: true, in: telemetry)
        directory.add(imports)
        api = API(
            store: store,
            clock: clock,
            answers: memory.queries,
            traceSpanCountMax: configuration.traceSpansMax,
            live: pipeline.live,
            savedQueries: savedQueries,
            pins: pins,
            logRecords: logRecords,
            zipkin: configuration.zipkin,
            importing: ImportIntake(
                pipeline: pipeline,
                counters: imports,
                itemsMax: configuration.spanItemsMax,
                clock: clock
            ),
            work: work,
            prices: prices,
            basePath: configuration.basePath,
            samplingPolicies: SamplingFile.policies,
            serverStatus: { directory.status }
        )
        queries = QueryGate(limit: configuration.queriesMax, timeout: configuration.queryTimeout, telemetry: telemetry)
        tails = TailGate(limit: configuration.tailsMax, telemetry: telemetry)
    }

    /// A listener that is not bound yet.
    func listener(_ name: ListenerName, _ address: ListenAddress) -> any Listener {
        switch name {
        case .web:
            let service = WebService(
                answers: answers(of: nil),
                assets: configuration.webDirectory.map(WebAssets.directory) ?? .embedded,
                operations: operations,
                basePath: configuration.basePath
            )
            // Files are imported there.
            return httpListener("web", address, configuration.requestBytesMax, service)
        case .tempo:
            return httpAndGRPCListener(
                "tempo",
                address,
                questionBytesMax,
                FamilyService(answers: answers(of: .tempo)),
                calls("tempo-grpc", of: TempoGRPC(api))
            )
        case .zipkin:
            let intake = ZipkinIntake(self.intake(IngestCounters(protocol: "zipkin", in: telemetry)))
            return httpAndGRPCListener(
                "zipkin",
                address,
                configuration.requestBytesMax,
                shared(
                    ZipkinHTTPService(
                        intake,
                        other: FamilyService(answers: answers(of: .zipkin)),
                        origins: configuration.corsOrigins
                    )
                ),
                ZipkinGRPCService(intake)
            )
        case .jaegerQueryGRPC:
            return grpcListener(
                "jaeger-query-grpc",
                address,
                questionBytesMax,
                calls("jaeger-query-grpc", of: JaegerQueries(api))
            )
        case .otlpHTTP:
            let exports = exports(IngestCounters(protocol: "otlp-http", in: telemetry))
            return httpListener("otlp-http", address, configuration.requestBytesMax, shared(OTLPHTTPService(exports)))
        case .otlpGRPC:
            let exports = exports(IngestCounters(protocol: "otlp-grpc", in: telemetry))
            return grpcListener("otlp-grpc", address, configuration.requestBytesMax, OTLPGRPCService(exports))
        case .jaegerCompact: return agentListener("jaeger-compact", .compact, address)
        case .jaegerBinary: return agentListener("jaeger-binary", .binary, address)
        case .jaegerHTTP:
            return httpListener(
                "jaeger-http",
                address,
                configuration.requestBytesMax,
                JaegerHTTPService(
                    intake(IngestCounters(protocol: "jaeger-http", in: telemetry)),
                    other: { [sampling] head in sampling.answer(toCollector: head) }
                )
            )
        case .jaegerGRPC:
            return grpcListener(
                "jaeger-grpc",
                address,
                configuration.requestBytesMax,
                JaegerGRPCService(
                    intake(IngestCounters(protocol: "jaeger-grpc", in: telemetry)),
                    other: { [sampling] path in SamplingGRPCService.method(at: path, sampling) }
                )
            )
        case .jaegerSampling:
            let refusals = RefusalCounters(protocol: "jaeger-sampling", in: telemetry)
            let service = SamplingHTTPService(answers: sampling, refusals: refusals)
            return httpListener("jaeger-sampling", address, SamplingGRPCService.messageBytesMax, service)
        case .jaegerSamplingGRPC:
            let refusals = RefusalCounters(protocol: "jaeger-sampling-grpc", in: telemetry)
            let service = SamplingGRPCService(answers: sampling, refusals: refusals)
            return grpcListener("jaeger-sampling-grpc", address, SamplingGRPCService.messageBytesMax, service)
        }
    }

    private func agentListener(
        _ name: StaticString,
        _ encoding: JaegerAgentListener.Encoding,
        _ address: ListenAddress
    ) -> JaegerAgentListener {
        let listener = JaegerAgentListener(
            name: name,
            encoding: encoding,
            address: address,
            pipeline: pipeline,
            itemsMax: configuration.spanItemsMax,
            telemetry: telemetry
        )
        directory.add(listener.ingestCounters)
        return listener
    }

    private func httpListener(
        _ name: StaticString,
        _ address: ListenAddress,
        _ bodyBytesMax: Int,
        _ service: any HTTPService
    ) -> HTTPListener {
        var limits = HTTPLimits()
        limits.bodyBytesMax = bodyBytesMax
        return HTTPListener(
            name: name,
            address: address,
            limits: limits,
            budget: pipeline.budget,
            telemetry: telemetry,
            service: service
        )
    }

    private func httpAndGRPCListener<Service: GRPCService>(
        _ name: StaticString,
        _ address: ListenAddress,
        _ bodyBytesMax: Int,
        _ httpService: any HTTPService,
        _ grpcService: Service
    ) -> HTTPAndGRPCListener<Service> {
        var httpLimits = HTTPLimits()
        httpLimits.bodyBytesMax = bodyBytesMax
        var grpcLimits = GRPCLimits()
        grpcLimits.messageBytesMax = bodyBytesMax
        return HTTPAndGRPCListener(
            name: name,
            address: address,
            httpLimits: httpLimits,
            grpcLimits: grpcLimits,
            budget: pipeline.budget,
            telemetry: telemetry,
            http: httpService,
            grpc: grpcService
        )
    }

    private func grpcListener<Service: GRPCService>(
        _ name: StaticString,
        _ address: ListenAddress,
        _ messageBytesMax: Int,
        _ service: Service
    ) -> GRPCListener<Service> {
        var limits = GRPCLimits()
        limits.messageBytesMax = messageBytesMax
        return GRPCListener(
            name: name,
            address: address,
            limits: limits,
            budget: pipeline.budget,
            telemetry: telemetry,
            service: service
        )
    }

    /// The answers of one family, or of all side by side.
    private func answers(of family: APIFamily?) -> QueryAnswers {
        QueryAnswers(
            respond: { [api] request in
                if let family { return await api.respond(to: request, family: family) }
                return await api.respond(to: request)
            },
            family: family,
            queries: queries,
            tails: tails,
            logger: logger
        )
    }

    private func calls(_ name: StaticString, of service: any APIStreamService) -> CallService {
        CallService(
            service: service,
            queries: queries,
            memory: memory.queries,
            messageBytesMax: questionBytesMax,
            refusals: RefusalCounters(protocol: name, in: telemetry),
            logger: logger
        )
    }

    /// A service that pages of other origins may use as far as the configuration lets them.
    private func shared(_ service: any HTTPService) -> any HTTPService {
        configuration.corsOrigins.isEmpty
            ? service : CrossOriginService(service, origins: configuration.corsOrigins)
    }

    private func exports(_ counters: IngestCounters) -> OTLPExports {
        let bytesMax = configuration.requestBytesMax
        return OTLPExports(
            traces: TraceExport(intake(counters)),
            logs: logs.map {
                LogExport(pipeline: $0, bytesMax: bytesMax, itemsMax: configuration.spanItemsMax, clock: clock)
            },
            metrics: MetricExport(budget: pipeline.budget, telemetry: telemetry, bytesMax: bytesMax, clock: clock)
        )
    }

    private func intake(_ counters: IngestCounters) -> SpanIntake {
        directory.add(counters)
        return SpanIntake(
            pipeline: pipeline,
            counters: counters,
            bytesMax: configuration.requestBytesMax,
            itemsMax: configuration.spanItemsMax,
            clock: clock
        )
    }
}

/// Jaeger's query services of both versions on one port.
private struct JaegerQueries: APIStreamService {
    private let services: [any APIStreamService]

    init(_ api: API) { services = [JaegerQueryService(api), JaegerV3QueryService(api)] }

    func call(_ path: String, _ message: [UInt8]) -> APIStreamAnswer? {
        services.lazy.compactMap { $0.call(path, message) }.first
    }
}
