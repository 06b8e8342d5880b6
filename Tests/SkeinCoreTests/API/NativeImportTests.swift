// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinAPI
import SkeinBase
import SkeinModel
import SkeinPipeline
import SkeinStore
import Synchronization
import Testing

/// Files that are imported over the native API.
struct NativeImportTests {
    private static let path = "/api/skein/v1/import"
    private let store = MemoryStore()
    private let counters: IngestCounters
    private let api: API

    init() {
        let telemetry = Telemetry()
        counters = IngestCounters(protocol: "import", in: telemetry)
        let pipeline = Pipeline(store: store, budget: ByteBudget(limit: 64 << 20), telemetry: telemetry)
        api = API(
            store: store,
            clock: APIUnderTest.StoppedClock(unixNanos: APIUnderTest.now),
            importing: ImportIntake(pipeline: pipeline, counters: counters)
        ) { ServerStatus(version: "0.1.0", startedUnixNanos: 0) }
    }

    private func post(
        _ body: String,
        _ target: String = path,
        type: String = "application/json",
        status: Int = 200
    ) async throws -> JSONValue {
        let headers = [(name: "Content-Type", value: type)]
        let request = APIRequest(method: "POST", target: target, headers: headers, body: Array(body.utf8))
        let response = try #require(await api.respond(to: request))
        #expect(response.status == status, "\(String(decoding: response.bytes, as: UTF8.self))")
        return try JSONDecoder().decode(JSONValue.self, from: Data(response.bytes))
    }

    @Test(arguments: [
        (TraceFileTests.plain, "plain"), (TraceFileTests.jaeger, "jaeger"), (TraceFileTests.zipkin, "zipkin"),
        (TraceFileTests.otlp, "otlp"),
    ])
    func `a file of any form is stored`(text: String, format: String) async throws {
        let answer = try await post(text)
        #expect(answer["format"] == .string(format) && answer["acceptedSpanCount"] == 1)
        #expect(answer["skipped"] == [] && answer["traceIds"].array.count == 1)
        let id = try #require(TraceID(hex: answer["traceIds"][0].string ?? ""))
        #expect(try await store.trace(id)?.count == 1)
        #expect(counters.acceptedSpans.value == 1 && counters.requests.value == 1)
        let again = try await post(text, Self.path + "?format=" + format)
        #expect(again == answer)
    }

    @Test func `what is left out is told with its reason, its place and the first of it`() async throws {
        let text = "\(TraceFileTests.plain)\n{\"traceId\":\"9\",\"startTime\":1,\"spanId\":\"\"}\nnothing"
        let answer = try await post(text, type: "application/x-ndjson; charset=utf-8")
        #expect(answer["acceptedSpanCount"] == 1)
        let skipped = answer["skipped"].array
        #expect(skipped.map { $0["reason"].string } == ["malformed", "invalid_span_id"])
        #expect(skipped.map { $0["line"].int } == [3, 2] && skipped.allSatisfy { $0["count"] == 1 })
        #expect(skipped[1]["example"] == "spanId must be there, and not all zero")
        #expect(counters.rejected(.spanID) == 1)
    }

    @Test func `spans that name no service are given one`() async throws {
        _ = try await post(TraceFileTests.plain, Self.path + "?service=shop")
        #expect(try await store.trace(TraceID(high: 0, low: 1))?.serviceName(at: 0) == "shop")
    }

    @Test func `the ids of a hundred traces are told`() async throws {
        let lines = (1...250).map { #"{"traceId":"\#($0)","spanId":"1","startTime":1}"# }
        let answer = try await post(lines.joined(separator: "\n"))
        #expect(answer["acceptedSpanCount"] == 250 && answer["traceIds"].array.count == 100)
        #expect(answer["traceIds"][0] == "00000000000000000000000000000001")
    }

    /// An API whose imports pass `stages`, with a limit of spans of a trace, by the clock `clock`.
    private func api(
        _ stages: [any IntakeStage],
        traceSpans: Int? = nil,
        itemsMax: Int = 10_000,
        clock: any WallClock = SystemClock()
    ) -> API {
        let telemetry = Telemetry()
        let pipeline = Pipeline(
            store: store,
            traceLimit: traceSpans.map { TraceSpanLimit(spanCountMax: $0) },
            stages: stages,
            budget: ByteBudget(limit: 64 << 20),
            telemetry: telemetry
        )
        let counters = IngestCounters(protocol: "import", isImport: true, in: telemetry)
        let intake = ImportIntake(pipeline: pipeline, counters: counters, itemsMax: itemsMax, clock: clock)
        return API(store: store, clock: APIUnderTest.StoppedClock(unixNanos: APIUnderTest.now), importing: intake) {
            ServerStatus(version: "0.1.0", startedUnixNanos: 0)
        }
    }

    private func answer(_ api: API, _ body: String) async throws -> (APIResponse, JSONValue) {
        let headers = [(name: "Content-Type", value: "application/json")]
        let request = APIRequest(method: "POST", target: Self.path, headers: headers, body: Array(body.utf8))
        let response = try #require(await api.respond(to: request))
        return (response, try JSONDecoder().decode(JSONValue.self, from: Data(response.bytes)))
    }

    private static func lines(_ count: Int, more: String = "") -> String {
        (1...count).map { #"{"traceId":"7","spanId":"\#(String($0, radix: 16))","startTime":1\#(more)}"# }
            .joined(separator: "\n")
    }

    @Test func `what a trace has no room for is told and not counted as accepted`() async throws {
        let (_, answer) = try await answer(api([], traceSpans: 10), Self.lines(25))
        #expect(answer["acceptedSpanCount"] == 10)
        #expect(answer["skipped"][0]["reason"] == "trace_full" && answer["skipped"][0]["count"] == 15)
        #expect(try await store.trace(TraceID(high: 0, low: 7))?.count == 10)
    }

    @Test func `no sampling leaves anything out of an import`() async throws {
        let never = HeadRule(name: "never", sampler: .alwaysOff)
        let sampler = HeadSampler([never], clock: SystemClock(), telemetry: Telemetry())
        let (_, answer) = try await answer(api([sampler]), Self.lines(3))
        #expect(answer["acceptedSpanCount"] == 3)
        #expect(try await store.trace(TraceID(high: 0, low: 7))?.count == 3)
    }

    @Test func `an import keeps as much of a span as any sender's`() async throws {
        let (_, answer) = try await answer(
            api([], itemsMax: 2),
            Self.lines(1, more: #","attributes":{"a":1,"b":2,"c":3}"#)
        )
        #expect(answer["droppedItemCount"] == 1)
    }

    @Test(arguments: [(1_000, 200, 12_000), (100, 429, nil)] as [(Int, Int, Int64?)])
    func `an import waits for a service that sends too much, but not for ever`(
        perSecond: Int,
        status: Int,
        count: Int64?
    ) async throws {
        let clock = HastyClock()
        let api = api([RateLimits(.init(spans: perSecond), clock: clock)], clock: clock)
        let name = #","name":"a span that says a lot, so that a file of them is read in several parts""#
        let (response, answer) = try await answer(api, Self.lines(12_000, more: name))
        #expect(response.status == status && answer["acceptedSpanCount"].int == count)
        guard status != 200 else { return }
        #expect(answer["code"] == "rate-limited" && answer["detail"].string?.contains("`skein import`") == true)
        #expect(response.header("Retry-After").flatMap { Int($0) } ?? 0 > 10)
    }

    @Test func `nothing is stored of what is no file of traces`() async throws {
        let answer = try await post("hello")
        #expect(answer["acceptedSpanCount"] == 0 && answer["format"] == nil && answer["traceIds"] == [])
        #expect(try await post("")["skipped"] == [])
    }

    @Test func `a form of another page cannot import`() async throws {
        for type in ["text/plain", "", "application/x-www-form-urlencoded", "multipart/form-data"] {
            let problem = try await post(TraceFileTests.plain, type: type, status: 415)
            #expect(problem["code"] == "unsupported-media-type")
        }
        #expect(counters.acceptedSpans.value == 0)
    }

    @Test func `a form that nobody knows is refused by its name`() async throws {
        let problem = try await post(TraceFileTests.plain, Self.path + "?format=csv", status: 400)
        #expect(problem["field"] == "format" && problem["detail"].string?.contains("otlp, jaeger, zipkin") == true)
    }
}

/// A clock that jumps ahead when somebody would sleep.
private final class HastyClock: WallClock {
    private let nanos = Mutex<UInt64>(1)

    var unixNanos: UInt64 { monotonicNanos }
    var monotonicNanos: UInt64 { nanos.withLock { $0 } }

    func sleep(nanos: UInt64) async throws { self.nanos.withLock { $0 += nanos } }
}
