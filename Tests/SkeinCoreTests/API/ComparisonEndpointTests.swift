// SPDX-License-Identifier: Apache-2.0
import SkeinAPI
import SkeinBase
import SkeinModel
import Testing

@Suite struct ComparisonEndpointTests {
    /// The shop's order, one without a charge and a slow one.
    static func api() async throws -> APIUnderTest {
        func spans(_ trace: UInt64, _ change: (inout [SkeinModel.Span]) -> Void) -> [SkeinModel.Span] {
            var spans = Shop.order
            for index in spans.indices { spans[index].traceID = TraceID(high: 0, low: trace) }
            change(&spans)
            return spans
        }
        let free = spans(1) { $0.removeLast() }
        let slow = spans(2) { spans in
            for index in spans.indices { spans[index].durationNanos *= 3 }
        }
        return try await APIUnderTest(Shop.order + free + slow)
    }

    @Test func `two traces are compared path by path`() async throws {
        let api = try await Self.api()
        let answer = try await api.json("/api/skein/v1/compare?a=\(Shop.traceID)&b=1")
        #expect(answer["a"]["traceIds"] == [.string("\(Shop.traceID)")])
        #expect(answer["a"]["spanCount"] == 3 && answer["a"]["errorCount"] == 1)
        #expect(answer["b"]["spanCount"] == 2 && answer["b"]["durationNanos"] == "9000000")
        #expect(answer["changes"] == ["onlyA": 1, "onlyB": 0, "changed": 0, "same": 2])
        #expect(answer["services"].array.map { $0["name"] } == ["web", "checkout", "payment"])
        #expect(answer["services"].array.map { $0["color"] } == [0, 1, 2])
        let paths = answer["paths"].array
        #expect(paths.map { $0["operation"] } == ["GET /checkout", "place order", "charge"])
        #expect(paths.map { $0["parent"] } == [-1, 0, 1])
        #expect(paths.map { $0["change"] } == ["same", "same", "onlyA"])
        let charge: JSONValue = ["spanCount": 1, "errorCount": 1, "totalNanos": "3000000", "selfNanos": "3000000"]
        #expect(paths[2]["a"] == charge && paths[2]["b"] == nil)
    }

    @Test func `a trace is compared with the average of several`() async throws {
        let answer = try await Self.api().json("/api/skein/v1/compare?a=2&b=\(Shop.traceID)&b=1")
        #expect(answer["b"]["traceIds"].array.count == 2)
        #expect(answer["b"]["spanCount"] == .double(2.5))
        #expect(answer["paths"].array.map { $0["change"] } == ["changed", "changed", "changed"])
        #expect(answer["paths"][2]["b"]["totalNanos"] == "1500000")
    }

    @Test(
        arguments: [
            ("", 400, "a"), ("a=1", 400, "b"), ("a=x&b=1", 400, "a"), ("a=1&b=0", 400, "b"), ("a=1&b=99", 404, nil),
            ("a=1&b=1&c=1", 400, "c"), (String(repeating: "a=1&", count: 51) + "b=1", 400, "a"),
        ] as [(String, Int, String?)]
    )
    func `traces that are not named well or not there are refused`(query: String, status: Int, field: String?)
        async throws
    {
        let answer = try await Self.api().json("/api/skein/v1/compare?\(query)", status: status)
        #expect(answer["field"].string == field)
    }

    @Test func `traces too large for memory are refused with what to do`() async throws {
        let store = OneTraceStore(batch: LargeTraceTests.batch(of: 10_000))
        let api = APIUnderTest(over: store, answers: ByteBudget(limit: 3 << 20))
        let answer = try await api.json("/api/skein/v1/compare?a=1&b=2", status: 422)
        #expect(answer["detail"].string?.contains("compare fewer or smaller traces") == true)
    }
}
