// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinAPI
import SkeinBase
import SkeinModel
import SkeinPipeline
import SkeinStore
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
