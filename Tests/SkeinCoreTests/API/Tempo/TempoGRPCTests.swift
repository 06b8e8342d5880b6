// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinWire
import Synchronization
import Testing

@testable import SkeinAPI

/// The methods over which Grafana asks when streaming is on.
struct TempoGRPCTests {
    /// The messages of an answer, or its status.
    private func call(
        _ api: APIUnderTest,
        _ method: String,
        _ request: (inout ByteWriter) -> Void = { _ in }
    ) async throws -> [ProtobufMessage] {
        var message = ByteWriter()
        request(&message)
        let answer = try #require(
            TempoGRPC(api.api).call("/tempopb.StreamingQuerier/\(method)", message.array())
        )
        let sent = Mutex<[[UInt8]]>([])
        try await answer.run { message in sent.withLock { $0.append(message) } }
        return try sent.withLock { $0 }.map { try ProtobufMessage($0) }
    }

    private static let many = (UInt64(1)...30).map { Shop.span($0, trace: TraceID(high: 0, low: $0), at: $0) }

    @Test func `traces come as they are found, each once, and the last message is done`() async throws {
        let api = try await APIUnderTest(Self.many)
        let messages = try await call(api, "Search") { message in
            message.appendField(8, text: "{ kind = server }")
            message.appendField(4, varint: 28)
            message.appendField(9, varint: 1)
        }
        #expect(messages.map { $0.messages(1).count } == [5, 20, 3])
        #expect(messages.map { $0.messages(2).first?.number(4) } == [nil, nil, 1])
        #expect(messages.map { $0.messages(2).first?.number(5) } == [1, 1, 1])
        let ids = messages.flatMap { $0.messages(1).map { $0.text(1) } }
        #expect(ids == (3...30).reversed().map { String($0, radix: 16) })
        #expect(messages[0].messages(1)[0].messages(7).first?.messages(1).count == 1)
        // By default twenty; nothing found is one message.
        #expect(try await call(api, "Search").map { $0.messages(1).count } == [5, 15])
        let none = try await call(api, "Search") { $0.appendField(8, text: "{ .nosuch = 1 }") }
        #expect(none.map { $0.messages(1).count } == [0])
        #expect(none[0].messages(2).first?.number(4) == 1)
    }

    @Test func `a search may ask by tags, times and durations`() async throws {
        let api = try await APIUnderTest(Shop.order)
        let second = Shop.start / 1_000_000_000
        func count(_ request: (inout ByteWriter) -> Void) async throws -> Int {
            try await call(api, "Search", request).map { $0.messages(1).count }.reduce(0, +)
        }
        func tag(_ key: String, _ value: String) -> (inout ByteWriter) -> Void {
            { message in
                message.appendMessage(1) { entry in
                    entry.appendField(1, text: key)
                    entry.appendField(2, text: value)
                }
            }
        }
        #expect(try await count(tag("user.id", "abc")) == 1)
        #expect(try await count(tag("user.id", "xyz")) == 0)
        #expect(try await count { $0.appendField(2, varint: 5) } == 1)
        #expect(try await count { $0.appendField(2, varint: 50) } == 0)
        #expect(try await count { $0.appendField(3, varint: 5) } == 0)
        let after: (inout ByteWriter) -> Void = { message in
            message.appendField(5, varint: second + 1)
            message.appendField(6, varint: second + 2)
        }
        #expect(try await count(after) == 0)
    }

    @Test func `names and values come in one message`() async throws {
        let api = try await APIUnderTest(Shop.order)
        let scoped = try await call(api, "SearchTagsV2") { $0.appendField(1, text: "span") }
        #expect(scoped.count == 1)
        #expect(scoped[0].messages(1)[0].text(1) == "span")
        #expect(scoped[0].messages(1)[0].texts(2) == ["http.status_code", "user.id"])
        #expect(scoped[0].messages(2)[0].number(3) == 1)
        let plain = try await call(api, "SearchTags") { message in
            message.appendField(1, text: "span")
            message.appendField(5, varint: 1)
        }
        #expect(plain[0].texts(1) == ["http.status_code"])
        let typed = try await call(api, "SearchTagValuesV2") { message in
            message.appendField(1, text: "resource.service.name")
            message.appendField(2, text: "{ status = error && ")
            message.appendField(6, varint: 2)
        }
        #expect(typed[0].messages(1).map { $0.text(2) } == ["checkout", "payment"])
        let filtered = try await call(api, "SearchTagValuesV2") { message in
            message.appendField(1, text: "resource.service.name")
            message.appendField(2, text: "{ status = error }")
        }
        #expect(filtered[0].messages(1).map { [$0.text(1), $0.text(2)] } == [["string", "payment"]])
        let untyped = try await call(api, "SearchTagValues") { $0.appendField(1, text: "user.id") }
        #expect(untyped[0].texts(1) == ["abc123"])
    }

    @Test func `series come as over HTTP`() async throws {
        let api = try await APIUnderTest(Self.many)
        let query = "{ } | count_over_time()"
        let range = try await call(api, "MetricsQueryRange") { message in
            message.appendField(1, text: query)
            message.appendField(2, varint: Shop.start)
            message.appendField(3, varint: Shop.start + 60_000_000_000)
            message.appendField(4, varint: 60_000_000_000)
            message.appendField(16, varint: 1)
            message.appendField(17, varint: 10)
        }
        let path = "/api/metrics/query_range?q=%7B%20%7D%20%7C%20count_over_time()&exemplars=1"
        let second = Shop.start / 1_000_000_000
        #expect(range == [try await api.tempoMessage("\(path)&start=\(second)&end=\(second + 60)&step=60")])
        let instant = try await call(api, "MetricsQueryInstant") { message in
            message.appendField(1, text: query)
            message.appendField(2, varint: Shop.start)
            message.appendField(3, varint: Shop.start + 60_000_000_000)
        }
        #expect(instant[0].messages(1)[0].double(2) == 30)
    }

    @Test func `what fails has the code of gRPC`() async throws {
        let api = try await APIUnderTest(Shop.order)
        func status(_ method: String, _ request: (inout ByteWriter) -> Void) async -> APIStreamStatus? {
            await #expect(throws: APIStreamStatus.self) { try await call(api, method, request) }
        }
        let syntax = await status("Search") { $0.appendField(8, text: "{ .a = }") }
        #expect(syntax?.code == .invalidArgument)
        #expect(syntax?.message.hasPrefix("invalid TraceQL query: parse error at line 1, col 8: ") ?? false)
        #expect(await status("Search") { $0.appendField(4, varint: 300_000) }?.code == .invalidArgument)
        #expect(await status("SearchTagsV2") { $0.appendField(1, text: "some") }?.message == "invalid scope: some")
        #expect(await status("SearchTagValuesV2") { $0.appendField(1, text: "foo") }?.code == .invalidArgument)
        #expect(await status("MetricsQueryRange") { $0.appendField(1, text: "{ }") }?.code == .invalidArgument)
        #expect(await status("Search") { $0.append(0xff) }?.message.hasPrefix("The request is no message: ") ?? false)
        let store = MemoryStore()
        try await store.append(SpanBatch(spans: Self.many, receivedUnixNanos: 1))
        let small = APIUnderTest(over: store, answers: ByteBudget(limit: 100))
        await #expect {
            _ = try await call(small, "Search")
        } throws: { error in
            (error as? APIStreamStatus)?.code == .resourceExhausted
        }
    }

    @Test func `other methods are none of this service`() async throws {
        let service = TempoGRPC(try await APIUnderTest().api)
        for path in ["/tempopb.StreamingQuerier/Nothing", "/tempopb.Querier/Search", "", "/tempopb.StreamingQuerier/"] {
            #expect(service.call(path, []) == nil)
        }
    }

    @Test func `a client that goes away ends the answer`() async throws {
        struct Gone: Error {}
        let api = try await APIUnderTest(Self.many)
        let answer = try #require(TempoGRPC(api.api).call("/tempopb.StreamingQuerier/Search", []))
        let count = Mutex(0)
        await #expect(throws: Gone.self) {
            try await answer.run { _ in
                count.withLock { $0 += 1 }
                throw Gone()
            }
        }
        #expect(count.withLock { $0 } == 1)
    }
}
