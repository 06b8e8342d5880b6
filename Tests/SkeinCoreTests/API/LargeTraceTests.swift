// SPDX-License-Identifier: Apache-2.0
import SkeinAPI
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinTestKit
import Testing

/// A trace of 100,000 spans must reach the page.
struct LargeTraceTests {
    @Test func `a skeleton of 100,000 spans fits into 6 MB`() async throws {
        let api = APIUnderTest(over: OneTraceStore(batch: Self.batch(of: 100_000)))
        let response = try await api.ask("/api/skein/v1/traces/\(Shop.traceID)/skeleton")
        #expect(response.status == 200)
        #expect(response.bytes.count <= 6_000_000)
        #expect(response.bytes.count > 5_000_000)
    }

    /// A trace as real ones are: random ids, a few dozen operations, nanosecond times.
    static func batch(of count: Int) -> SpanBatch {
        var random = SeededRandom(seed: 3)
        var builder = SpanBatchBuilder()
        let names = (0..<40).map { builder.intern("operation \($0)") }
        let key = builder.intern("http.route")
        let service = builder.intern("service.name")
        let resources = (0..<8).map { number in
            builder.addResourceAttribute(
                key: service,
                value: builder.intern(AttributeValue.string("service-\(number)"))
            )
            return builder.addResource(serviceName: builder.intern("service-\(number)"))
        }
        let scope = builder.addScope(name: builder.intern("lib"))
        let ids = (0..<count).map { _ in SpanID(random.next() | 1) }
        for row in 0..<count {
            var fields = SpanBatchBuilder.SpanFields()
            fields.traceID = Shop.traceID
            fields.spanID = ids[row]
            fields.parentSpanID =
                row == 0 ? .zero : ids[Int(random.next() % UInt64(min(row, 5000))) + max(0, row - 5000)]
            fields.startUnixNanos = Shop.start + UInt64(row) * 50_000 + random.next() % 50_000
            fields.endUnixNanos = fields.startUnixNanos + random.next() % 40_000_000
            fields.kind = UInt8(random.next() % 6)
            fields.statusCode = random.next() % 50 == 0 ? 2 : 0
            fields.name = names[Int(random.next() % 40)]
            fields.resource = resources[Int(random.next() % 8)]
            fields.scope = scope
            builder.addSpanAttribute(key: key, value: builder.intern(AttributeValue.string("/a/\(row % 500)")))
            builder.addSpan(fields)
        }
        return builder.finish(receivedUnixNanos: Shop.start)
    }
}

/// A store that holds one trace and hands it out at once.
struct OneTraceStore: StoreWrapper {
    var batch: SpanBatch

    var wrapped: any SpanStore { MemoryStore() }
    func trace(_ id: TraceID) async throws(StoreError) -> SpanBatch? { batch }
    func traceReader(_ id: TraceID) async throws(StoreError) -> (any TraceReader)? { BatchTraceReader(batch) }
    func scan(
        _ range: TimeRange,
        columns: SpanColumns,
        visit: @Sendable (SpanBatch) async throws(StoreError) -> Void
    ) async throws(StoreError) { try await visit(batch) }
}
