// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import ServiceLifecycle
import SkeinBase
import SkeinModel
import SkeinPipeline
import SkeinReceivers
import SkeinStore
import SkeinWire
import Testing

/// What the receivers stand on in a test, and a listener that runs for the length of a closure.
struct Fixture {
    let store: TestStore
    let telemetry = Telemetry()
    let pipeline: Pipeline
    let counters: IngestCounters
    let intake: SpanIntake
    let exports: OTLPExports
    let logs = LogRecordsAsSpans(in: MemoryStore())
    let logCounters: LogCounters

    init(
        _ store: TestStore = TestStore(),
        bytesMax: Int = 1 << 20,
        budget: Int = 64 << 20,
        traceSpans: Int? = nil,
        logStages: [any IntakeStage] = []
    ) {
        self.store = store
        pipeline = Pipeline(
            store: store,
            traceLimit: traceSpans.map { TraceSpanLimit(spanCountMax: $0) },
            budget: ByteBudget(limit: budget),
            telemetry: telemetry
        )
        counters = IngestCounters(protocol: "test", in: telemetry)
        intake = SpanIntake(pipeline: pipeline, counters: counters, bytesMax: bytesMax)
        let logPipeline = LogPipeline(
            store: logs,
            stages: logStages,
            budget: pipeline.budget,
            telemetry: telemetry
        )
        logCounters = logPipeline.counters
        exports = OTLPExports(
            traces: TraceExport(intake),
            logs: LogExport(pipeline: logPipeline, bytesMax: bytesMax),
            metrics: MetricExport(budget: pipeline.budget, telemetry: telemetry, bytesMax: bytesMax)
        )
    }

    /// Runs an OTLP/HTTP listener on a free port while `body` runs.
    func withHTTP(_ limits: HTTPLimits = HTTPLimits(), _ body: (Int) async throws -> Void) async throws {
        let listener = HTTPListener(
            name: "otlp-http",
            address: ListenAddress(host: "127.0.0.1", port: 0),
            limits: limits,
            budget: pipeline.budget,
            telemetry: telemetry,
            service: OTLPHTTPService(exports)
        )
        try await run(listener, body)
    }

    /// Runs an OTLP/gRPC listener on a free port while `body` runs.
    func withGRPC(_ limits: GRPCLimits = GRPCLimits(), _ body: (Int) async throws -> Void) async throws {
        let listener = GRPCListener(
            name: "otlp-grpc",
            address: ListenAddress(host: "127.0.0.1", port: 0),
            limits: limits,
            budget: pipeline.budget,
            telemetry: telemetry,
            service: OTLPGRPCService(exports)
        )
        try await run(listener, body)
    }

    func run(_ listener: any Listener, _ body: (Int) async throws -> Void) async throws {
        let port = try await listener.bind().port
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await listener.run() }
            do {
                try await body(port)
            } catch {
                group.cancelAll()
                throw error
            }
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    /// Whether no listener has a connection open.
    var hasNoConnection: Bool {
        var text = PrometheusText()
        telemetry.write(to: &text)
        let open = text.text.split(separator: "\n").filter { $0.hasPrefix("skein_open_connections{") }
        return open.allSatisfy { $0.hasSuffix(" 0") }
    }

    /// The names of all stored spans of a trace.
    func names(_ id: TraceID) async throws -> [String] {
        let batch = try await store.memory.trace(id)
        return batch.map { batch in batch.spans.map(\.name) } ?? []
    }
}

/// Requests made of spans.
enum Request {
    static let traceID = TraceID(high: 1, low: 2)

    static func span(_ number: UInt64, name: String = "work", trace: TraceID = traceID) -> SkeinModel.Span {
        var span = SkeinModel.Span(
            traceID: trace,
            spanID: SpanID(number),
            name: name,
            startUnixNanos: 1_700_000_000_000_000_000 + number,
            durationNanos: 1000
        )
        span.resource = Resource(attributes: [Attribute("service.name", .string("shop"))])
        return span
    }

    /// A request in Protocol Buffers that holds these spans.
    static func protobuf(_ spans: [SkeinModel.Span]) -> [UInt8] {
        var out = ByteWriter()
        OTLP.ProtobufEncoder.append(SpanBatch(spans: spans), to: &out)
        return out.array()
    }
}

/// An answer with all of its body.
struct Answer {
    var status: Int
    var headers: HTTPHeaders
    var body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }
    func header(_ name: String) -> String? { headers.first(name: name) }

    /// Shows answers as they came: it neither asks for compression nor undoes it.
    private static let client = HTTPClient(eventLoopGroup: .singletonMultiThreadedEventLoopGroup)

    /// One HTTP request to this machine.
    static func of(
        _ port: Int,
        _ path: String = "/v1/traces",
        _ headers: [(String, String)] = [("content-type", "application/x-protobuf")],
        method: HTTPMethod = .POST,
        body: [UInt8] = []
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
        request.method = method
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if !body.isEmpty { request.body = .bytes(ByteBuffer(bytes: body)) }
        let response = try await client.execute(request, timeout: .seconds(60))
        let bytes = try await response.body.collect(upTo: 256 << 20)
        return Answer(
            status: Int(response.status.code),
            headers: response.headers,
            body: Array(bytes.readableBytesView)
        )
    }
}

/// Waits until something holds; fails the test when it does not within half a minute.
func eventually(_ what: Comment, _ check: () async throws -> Bool) async throws {
    for _ in 0..<3000 {
        if try await check() { return }
        try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record(what)
}
