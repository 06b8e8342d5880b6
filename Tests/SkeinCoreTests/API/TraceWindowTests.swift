// SPDX-License-Identifier: Apache-2.0
import SkeinAPI
import SkeinBase
import SkeinModel
import SkeinPipeline
import SkeinStore
import SkeinTestKit
import Testing

/// Traces that are read page by page, and what whole answers say of those that are too large for them.
struct TraceWindowTests {
    private static let path = "/api/skein/v1/traces/\(Shop.traceID)"

    /// The ids of all spans, page by page.
    private func pages(_ api: APIUnderTest, limit: Int) async throws -> [[JSONValue]] {
        var pages: [[JSONValue]] = []
        var cursor = ""
        while true {
            let page = try await api.json("\(Self.path)/spans?limit=\(limit)&cursor=\(cursor)")
            #expect(page["traceId"] == .string("\(Shop.traceID)"))
            pages.append(page["spans"].array.map { $0["span"]["spanId"] })
            guard let next = page["next"].string else {
                #expect(page["next"] == .null)
                #expect(page["spanCount"] == .int(Int64(pages.joined().count)))
                return pages
            }
            cursor = next
        }
    }

    @Test func `a trace comes page by page in the order of its starts`() async throws {
        let api = try await APIUnderTest((1...7).map { Shop.span($0, at: 100 - $0) }.shuffled())
        let ids = (1...7).reversed().map { JSONValue.string("000000000000000\($0)") }
        #expect(try await pages(api, limit: 3) == [Array(ids[..<3]), Array(ids[3..<6]), Array(ids[6...])])
        #expect(try await pages(api, limit: 7) == [ids])
        #expect(try await api.json("\(Self.path)/spans")["spans"].array.count == 7)
    }

    @Test func `a page is spans as they come by id, with the owners they need`() async throws {
        let api = try await APIUnderTest(Shop.order)
        let byID = try await api.json("\(Self.path)/spans?ids=1,2")
        let page = try await api.json("\(Self.path)/spans?limit=2")
        #expect(page.keys == ["traceId", "spanCount", "resources", "scopes", "spans", "next"])
        for member in ["resources", "scopes", "spans"] { #expect(page[member] == byID[member]) }
        #expect(page["spanCount"] == 3)
        let next = try #require(page["next"].string)
        let rest = try await api.json("\(Self.path)/spans?limit=2&cursor=\(next)")
        #expect(rest["resources"].array.count == 1)
        #expect(rest["spans"][0]["resource"] == 0)
        #expect(rest["spans"][0]["span"]["events"][0]["name"] == "exception")
    }

    @Test func `a bad cursor is refused, also another trace's`() async throws {
        let other = TraceID(high: 0, low: 7)
        let api = try await APIUnderTest(Shop.order + [Shop.span(1, trace: other), Shop.span(2, trace: other)])
        let cursor = try #require(try await api.json("/api/skein/v1/traces/7/spans?limit=1")["next"].string)
        #expect(try await api.json("/api/skein/v1/traces/7/spans?cursor=\(cursor)")["spans"].array.count == 1)
        let changed = cursor.prefix(43) + (cursor.last == "0" ? "1" : "0")
        for bad in ["x", "01", "02\(cursor.dropFirst(2))", String(changed), cursor + "00"] {
            let problem = try await api.json("/api/skein/v1/traces/7/spans?cursor=\(bad)", status: 400)
            #expect(problem["field"] == "cursor", "\(bad)")
            #expect(problem["detail"].string?.contains("repeat the call with the value of next") ?? false)
        }
        #expect(try await api.json("\(Self.path)/spans?cursor=\(cursor)", status: 400)["field"] == "cursor")
    }

    @Test func `pages have bounds`() async throws {
        let api = try await APIUnderTest(Shop.order)
        for bad in ["0", "-1", "10001", "many"] {
            #expect(try await api.json("\(Self.path)/spans?limit=\(bad)", status: 400)["field"] == "limit")
        }
        #expect(
            try await api.json("\(Self.path)/spans?limit=10001", status: 400)["detail"]
                == "limit 10001 is out of bounds: it takes 1 to 10000; for more, follow next."
        )
        #expect(try await api.json("/api/skein/v1/traces/abc/spans", status: 404)["code"] == "unknown-trace")
    }

    @Test func `a trace of several windows is one document and one skeleton`() async throws {
        var spans = Shop.order + (10...20).map { Shop.span($0, parent: $0 / 2, at: $0 % 4) }
        spans[5].links = [.init(traceID: Shop.traceID, spanID: SpanID(1))]
        let whole = try await APIUnderTest(spans)
        let parted = APIUnderTest(over: SmallWindowStore(wrapped: whole.store))
        #expect(try await parted.text("\(Self.path)/skeleton") == whole.text("\(Self.path)/skeleton"))
        func written(_ api: APIUnderTest) async throws -> [JSONValue: JSONValue] {
            var written: [JSONValue: JSONValue] = [:]
            for group in try await api.json(Self.path)["resourceSpans"].array {
                for span in group["scopeSpans"].array.flatMap({ $0["spans"].array }) {
                    #expect(written.updateValue([group["resource"], span], forKey: span["spanId"]) == nil)
                }
            }
            return written
        }
        let all = try await written(whole)
        #expect(all.count == spans.count)
        #expect(try await written(parted) == all)
    }

    @Test func `a trace too large to be answered whole is refused with the count, the limit and the way`() async throws
    {
        let store = MemoryStore()
        try await store.append(SpanBatch(spans: Shop.order + [Shop.span(9, trace: TraceID(high: 0, low: 5))]))
        let api = APIUnderTest(over: store, traceSpanCountMax: 2)
        let detail = """
            Trace \(Shop.traceID) has 3 stored spans, at most 2 are answered at once: read it page by page at \
            /api/skein/v1/traces/\(Shop.traceID)/spans, or raise trace-spans-max.
            """
        let problem = try await api.json(Self.path, status: 422)
        #expect(problem["code"] == "limit-exceeded")
        #expect(problem["detail"] == .string(detail))
        #expect(try await api.json("/api/traces/\(Shop.traceID)", status: 422)["errors"][0]["msg"] == .string(detail))
        #expect(try await api.json("\(Self.path)/skeleton")["spanCount"] == 3)
        #expect(try await pages(api, limit: 2).count == 2)

        let search = try await api.json("/api/traces?service=web")
        #expect(search["data"].array.map { $0["traceID"] } == ["0000000000000005"])
        #expect(search["errors"][0]["traceID"] == .string("\(Shop.traceID)"))
        #expect(search["errors"][0]["msg"] == .string(detail))
    }

    @Test func `a skeleton that memory has no room for says how many spans there is room for`() async throws {
        let store = MemoryStore()
        try await store.append(SpanBatch(spans: Shop.order))
        let api = APIUnderTest(over: store, answers: ByteBudget(limit: 500))
        let problem = try await api.json("\(Self.path)/skeleton", status: 422)
        #expect(
            problem["detail"]
                == .string(
                    "Trace \(Shop.traceID) has 3 stored spans, and there is memory for a skeleton of at most 2: read it "
                        + "page by page at /api/skein/v1/traces/\(Shop.traceID)/spans, or raise memory."
                )
        )
    }
}

/// A store whose windows are so small that a few spans fill several.
private struct SmallWindowStore: StoreWrapper {
    var wrapped: any SpanStore

    func traceReader(_ id: TraceID) async throws(StoreError) -> (any TraceReader)? {
        try await wrapped.traceReader(id).map { SmallWindowReader(wrapped: $0) }
    }
}

private struct SmallWindowReader: TraceReader {
    var wrapped: any TraceReader
    var storedSpanCount: Int { wrapped.storedSpanCount }
    var receivedUnixNanos: UInt64 { wrapped.receivedUnixNanos }

    func window(_ window: SpanWindow) async throws(StoreError) -> SpanPage {
        try await wrapped.window(SpanWindow(after: window.cursor, limit: 3, columns: window.columns))
    }

    func spans(_ ids: Set<SpanID>) async throws(StoreError) -> SpanBatch { try await wrapped.spans(ids) }
}
