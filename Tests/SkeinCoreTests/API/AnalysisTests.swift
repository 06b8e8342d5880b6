// SPDX-License-Identifier: Apache-2.0
import SkeinAPI
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinTestKit
import Testing

@Suite struct AnalysisTests {
    typealias Span = SkeinModel.Span

    static let analysis = "/api/skein/v1/analysis"

    /// As many orders of the shop, one a second.
    static func orders(_ count: Int) -> [Span] {
        (0..<count).flatMap { number in
            Shop.order.map { span in
                var span = span
                span.traceID = TraceID(high: 7, low: UInt64(number) + 1)
                span.startUnixNanos += UInt64(number) * 1_000_000_000
                return span
            }
        }
    }

    @Test func `errors of the traces that match are grouped`() async throws {
        let api = try await APIUnderTest(Self.orders(3))
        let answer = try await api.json("\(Self.analysis)/errors")
        #expect(answer["traces"] == ["inspected": 3, "spanCount": 9, "skipped": 0, "matched": 3, "isCut": false])
        #expect(answer["failedTraceCount"] == 3 && answer["truncated"] == false)
        #expect(answer["errors"].array.count == 1)
        let error = answer["errors"][0]
        #expect(error["type"] == "CardError" && error["shape"] == "" && error["count"] == 3)
        #expect(error["originCount"] == 3 && error["traceCount"] == 3 && error["frame"] == "")
        #expect(error["services"] == [["name": "payment", "count": 3]])
        #expect(error["operations"] == [["name": "charge", "count": 3]])
        #expect(error["firstTimeUnixNano"] == .string("\(Shop.start + 3_000_000)"))
        #expect(error["traceIds"][2] == .string("\(TraceID(high: 7, low: 3))"))
        #expect(try await api.json("\(Self.analysis)/errors?q=service=nobody")["errors"] == [])
    }

    @Test func `the newest traces are looked at, the others counted`() async throws {
        let api = try await APIUnderTest(Self.orders(30))
        let answer = try await api.json("\(Self.analysis)/critical-path?limit=10")
        #expect(answer["traces"] == ["inspected": 10, "spanCount": 30, "skipped": 0, "matched": 30, "isCut": true])
        let deep = try await api.json("\(Self.analysis)/deep-dependencies?limit=1")
        #expect(deep["paths"][0]["traceId"] == .string("\(TraceID(high: 7, low: 30))"))
        let range = "start=\(Shop.start)&end=\(Shop.start + 2_500_000_000)"
        let early = try await api.json("\(Self.analysis)/errors?\(range)")
        #expect(early["traces"]["matched"] == 3 && early["traces"]["isCut"] == false)
    }

    @Test func `critical paths say who owns the latency, and what is gained`() async throws {
        let api = try await APIUnderTest(Self.orders(4))
        let answer = try await api.json("\(Self.analysis)/critical-path?faster=10")
        #expect(answer["pathNanos"] == "36000000" && answer["weight"] == 4 && answer["faster"] == 10)
        #expect(answer["operations"].array.map { $0["service"] } == ["checkout", "payment", "web"])
        let owner = answer["operations"][1]
        #expect(owner["operation"] == "charge" && owner["traceCount"] == 4 && owner["pathNanos"] == "12000000")
        #expect(owner["share"] == .double(1.0 / 3) && owner["savedShare"] == .double(1.0 / 3 * 0.1))
        let half = try #require(owner["p50Nanos"].string.flatMap(Double.init))
        #expect(abs(half - 3_000_000) <= 3_000_000 / 64)
        #expect(owner["traceId"] == .string("\(TraceID(high: 7, low: 1))"))
    }

    @Test func `paths and the graph around a service`() async throws {
        let api = try await APIUnderTest(Self.orders(2))
        let answer = try await api.json("\(Self.analysis)/deep-dependencies")
        #expect(answer["graph"] == nil && answer["cutCallCount"] == 0)
        #expect(answer["paths"].array.count == 1)
        #expect(answer["paths"][0]["services"] == ["web", "checkout", "payment"])
        #expect(answer["paths"][0]["traceCount"] == 2 && answer["paths"][0]["errorCount"] == 2)
        let graph = try await api.json("\(Self.analysis)/deep-dependencies?service=checkout")["graph"]
        #expect(graph["service"] == "checkout")
        #expect(graph["nodes"].array.map { $0["hop"] } == [-1, 0, 1])
        #expect(graph["edges"][1] == ["from": 1, "to": 2, "callCount": 2])
        let nobody = try await api.json("\(Self.analysis)/deep-dependencies?service=nobody")
        #expect(nobody["graph"]["nodes"] == [] && nobody["paths"] == [])
    }

    @Test func `repeated calls are found by the thresholds asked for`() async throws {
        let charges = (0..<6 as Range<UInt64>).map { number in
            var span = Shop.span(10 + number, parent: 2, service: "checkout", name: "SELECT", kind: .client)
            span.startUnixNanos += 1_000_000 + number * 1_000_000
            span.attributes = [Attribute("db.statement", .string("SELECT price FROM items WHERE id = \(number)"))]
            return span
        }
        let api = try await APIUnderTest(Shop.order + charges)
        let answer = try await api.json("\(Self.analysis)/repeated-calls")
        #expect(answer["countMin"] == 5 && answer["shareMin"] == .double(0.01))
        let call = answer["calls"][0]
        #expect(call["scope"] == "parent" && call["callerOperation"] == "place order" && call["service"] == "checkout")
        #expect(call["statement"] == "SELECT price FROM items WHERE id = ?")
        #expect(call["callCount"] == 6 && call["callCountMax"] == 6 && call["sequentialCount"] == 1)
        #expect(call["totalNanos"] == "6000000" && call["share"] == .double(6.0 / 7))
        #expect(try await api.json("\(Self.analysis)/repeated-calls?count=7")["calls"] == [])
        #expect(try await api.json("\(Self.analysis)/repeated-calls?share=0.9")["calls"] == [])
    }

    @Test func `hygiene names what is wrong and the remedy`() async throws {
        var spans = Shop.order
        spans[2].kind = .unspecified
        let answer = try await APIUnderTest(spans).json("\(Self.analysis)/hygiene")
        let finding = answer["findings"].array.first { $0["service"] == "payment" } ?? .null
        #expect(finding["kind"] == "missing-kind" && finding["operation"] == "charge" && finding["count"] == 1)
        #expect(finding["what"] == "The span has no kind.")
        #expect(finding["traceIds"] == [.string("\(Shop.traceID)")])
        #expect(finding["remedy"].string?.isEmpty == false)
    }

    @Test(
        arguments: [
            ("errors?limit=0", "limit"), ("errors?limit=10001", "limit"), ("hygiene?q=%7B", "q"),
            ("hygiene?start=x", "start"), ("errors?start=9&end=3", "end"), ("errors?count=3", "count"),
            ("repeated-calls?count=1", "count"), ("repeated-calls?share=2", "share"),
            ("repeated-calls?share=x", "share"),
            ("critical-path?faster=0", "faster"), ("critical-path?faster=nan", "faster"),
            ("deep-dependencies?focal=a", "focal"),
        ]
    )
    func `parameters out of bounds are refused by name`(query: String, field: String) async throws {
        let answer = try await APIUnderTest(Shop.order).json("\(Self.analysis)/\(query)", status: 400)
        #expect(answer["field"] == .string(field))
    }

    @Test func `a trace too large to be put together is left out and counted`() async throws {
        let store = MemoryStore()
        try await store.append(SpanBatch(spans: Self.orders(2)))
        try await store.append(LargeTraceTests.batch(of: 5000))
        let few = APIUnderTest(over: store, traceSpanCountMax: 1000)
        #expect(try await few.json("\(Self.analysis)/critical-path")["traces"]["skipped"] == 1)
        let small = APIUnderTest(over: store, answers: ByteBudget(limit: 512 << 10))
        let answer = try await small.json("\(Self.analysis)/critical-path")
        #expect(answer["traces"]["inspected"] == 2 && answer["traces"]["skipped"] == 1)
    }

    @Test func `the offsets of clocks are data`() async throws {
        var spans = Shop.order
        spans[2].startUnixNanos -= 5_000_000
        let answer = try await APIUnderTest(spans).json("/api/skein/v1/traces/\(Shop.traceID)/clock-skew")
        #expect(answer["isSkewed"] == true)
        let clock: JSONValue = ["name": "payment", "services": ["payment"], "offsetNanos": "6000000", "callCount": 1]
        #expect(answer["clocks"].array.last == clock)
    }

    @Test func `an analysis ends when nobody waits for it`() async throws {
        let api = try await APIUnderTest(Self.orders(3))
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await api.json("\(Self.analysis)/hygiene", status: 499)["code"]
        }
        #expect(try await task.value == "cancelled")
    }
}
