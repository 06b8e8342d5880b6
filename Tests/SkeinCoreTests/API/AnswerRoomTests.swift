// SPDX-License-Identifier: Apache-2.0
import SkeinAPI
import SkeinBase
import SkeinModel
import SkeinStore
import Testing

/// Answers take no more memory than they may.
struct AnswerRoomTests {
    private static let id = String(describing: Shop.traceID)

    private static let targets = [
        "/api/skein/v1/traces/\(id)", "/api/skein/v1/traces/\(id)/skeleton",
        "/api/skein/v1/traces/\(id)/spans?ids=1,2,3", "/api/skein/v1/traces/\(id)/spans?limit=2",
        "/api/skein/v1/search", "/api/traces/\(id)", "/api/traces?service=web",
    ]

    @Test(arguments: targets)
    func `an answer larger than answers may be is refused for good`(_ target: String) async throws {
        let store = MemoryStore()
        try await store.append(SpanBatch(spans: Shop.order))
        let budget = ByteBudget(limit: 300)
        let response = try await APIUnderTest(over: store, answers: budget).ask(target)
        #expect(response.status == 422, "\(String(decoding: response.bytes, as: UTF8.self))")
        #expect(response.header("Retry-After") == nil)
        #expect(budget.used == 0)
    }

    @Test(arguments: [
        "/api/skein/v1/traces/\(id)", "/api/skein/v1/traces/\(id)/skeleton", "/api/skein/v1/traces/\(id)/spans",
        "/api/traces/\(id)", "/api/traces?service=web",
    ])
    func `an answer that finds no room now may come again`(_ target: String) async throws {
        let store = MemoryStore()
        try await store.append(SpanBatch(spans: Shop.order))
        let budget = ByteBudget(limit: 1 << 20)
        let api = APIUnderTest(over: store, answers: budget)
        var others = budget.reservation()
        let isTaken = others.resize(to: 1 << 20)
        let response = try await api.ask(target)
        #expect(isTaken && response.status == 503)
        #expect(response.header("Retry-After") == "1")
        let isFree = others.resize(to: 0)
        #expect(try await api.ask(target).status == 200)
        #expect(isFree && budget.used == 0)
    }

    @Test(arguments: targets)
    func `an answer is counted until it is on its way`(_ target: String) async throws {
        let store = MemoryStore()
        try await store.append(SpanBatch(spans: Shop.order))
        let budget = ByteBudget(limit: 1 << 20)
        var response: APIResponse? = try await APIUnderTest(over: store, answers: budget).ask(target)
        #expect(response?.status == 200 && budget.used == 2 * (response?.byteCount ?? 0))
        response = nil
        #expect(budget.used == 0)
    }

    @Test func `a Jaeger search that fills the room says how many traces to ask for`() async throws {
        let spans = (UInt64(1)...9).map { Shop.span($0, trace: TraceID(high: 0, low: $0), at: $0) }
        let store = MemoryStore()
        try await store.append(SpanBatch(spans: spans))
        let whole = try await APIUnderTest(over: store).text("/api/traces?service=web&limit=4")
        let one = SpanBatch(spans: [spans[0]]).byteCount
        let api = APIUnderTest(over: store, answers: ByteBudget(limit: one + 2 * whole.utf8.count))
        let answer = try await api.json("/api/traces?service=web&limit=9", status: 422)
        let message = try #require(answer["errors"][0]["msg"].string)
        #expect(message.hasSuffix("lower 'limit' to 4"), "\(message)")
        #expect(try await api.json("/api/traces?service=web&limit=4")["data"].array.count == 4)
    }
}
