// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinTestKit
import Synchronization
import Testing

@testable import SkeinEngine

@Suite struct TraceReaderTests {
    typealias S = EngineSupport

    private static let id = TraceID(high: 1, low: 1)

    /// Spans `numbers` of one trace, each of them starting after the one before, with an attribute and some events.
    private static func batch(_ numbers: some Sequence<Int>, lasting nanos: UInt64 = 10) -> SpanBatch {
        var builder = SpanBatchBuilder()
        let key = builder.intern("number")
        let names = (0..<7).map { builder.intern("operation \($0)") }
        let resources = (0..<3).map { builder.addResource(serviceName: builder.intern("service \($0)")) }
        let scope = builder.addScope(name: builder.intern("lib"))
        for number in numbers {
            var fields = SpanBatchBuilder.SpanFields()
            fields.traceID = id
            fields.spanID = spanID(number)
            fields.parentSpanID = number == 0 ? .zero : spanID(number / 2)
            fields.startUnixNanos = 1_000 + UInt64(number / 2)
            fields.endUnixNanos = fields.startUnixNanos + nanos
            fields.name = names[number % 7]
            fields.resource = resources[number % 3]
            fields.scope = scope
            fields.statusCode = number % 100 == 0 ? 2 : 0
            builder.addSpanAttribute(key: key, value: builder.intern(AttributeValue.int(Int64(number))))
            for _ in 0..<(number % 11 == 0 ? 2 : 0) { builder.addEvent(timeUnixNanos: 5, name: names[0]) }
            builder.addSpan(fields)
        }
        return builder.finish(receivedUnixNanos: 7)
    }

    private static func spanID(_ number: Int) -> SpanID { SpanID(Hash.of(UInt64(number)) | 1) }

    /// The windows of a trace, one behind the other.
    private static func windows(_ reader: any TraceReader, limit: Int, _ columns: SpanColumns) async throws -> SpanBatch
    {
        var builder = SpanBatchBuilder()
        var cursor: SpanCursor?
        repeat {
            let page = try await reader.window(SpanWindow(after: cursor, limit: limit, columns: columns))
            var merger = SpanBatchMerger(from: page.spans)
            for row in 0..<page.spans.count { merger.append(row, to: &builder) }
            cursor = page.next
        } while cursor != nil
        return builder.finish(receivedUnixNanos: reader.receivedUnixNanos)
    }

    @Test func `spans that come in the place of removed ones are other spans`() async throws {
        let store = try await S.open(SimulatedDisk(seed: 1))
        // Each span twice, so that half of the rows count.
        for _ in 0..<2 { try await store.append(Self.batch(0..<10_000)) }
        var reader = try #require(try await store.traceReader(Self.id))
        #expect(try await Self.windows(reader, limit: 10_000, .all).count == 10_000)
        _ = try await store.remove(Removal(.delete, predicate: .true))
        for first in [0, 10_000] { try await store.append(Self.batch(first..<(first + 10_000))) }
        reader = try #require(try await store.traceReader(Self.id))
        #expect(try await Self.windows(reader, limit: 10_000, .all).count == 20_000)
        await store.close()
    }

    @Test func `a trace of many row groups, in blocks and in the head, is read, joined and searched`() async throws {
        let count = 60_000
        let store = try await S.open(SimulatedDisk(seed: 1))
        // Spans come mixed, and some come again: live before they ended, and once more after.
        try await store.append(Self.batch(stride(from: 0, to: count, by: 2)))
        try await store.append(Self.batch(stride(from: 1, to: count, by: 10), lasting: 3))
        try await store.seal()
        try await store.append(Self.batch(stride(from: count - 1, to: 0, by: -2)))
        try await store.seal()
        try await store.append(Self.batch(stride(from: 0, to: count, by: 50)))

        let trace = try #require(try await store.trace(Self.id))
        #expect(trace.count == count)
        #expect(trace.startUnixNanos == (0..<count).map { 1_000 + UInt64($0 / 2) })
        #expect(trace.durationNanos.allSatisfy { $0 == 10 })
        #expect(Set(trace.spanIDs) == Set((0..<count).map(Self.spanID)))
        let reader = try #require(try await store.traceReader(Self.id))
        #expect(reader.storedSpanCount == count + count / 10 + count / 50)
        let windows = try await Self.windows(reader, limit: 10_000, .fixed)
        #expect(windows.spanIDs == trace.spanIDs)
        #expect(windows.parentSpanIDs == trace.parentSpanIDs)
        #expect(windows.nameRefs.map(windows.dictionary.string) == trace.nameRefs.map(trace.dictionary.string))
        let cursor = SpanCursor(after: count / 2, of: trace)
        let window = try await reader.window(SpanWindow(after: cursor, limit: 100)).spans
        #expect(window.spans == ((count / 2 + 1)...(count / 2 + 100)).map(trace.span(at:)))
        let query = SpanQuery(predicate: .compare(.attribute(.span, "number"), .equal, .int(4_321)))
        let found = try #require(try await store.search(query).traces.first)
        #expect(found.spanCount == count && found.matchedSpanCount == 1 && found.errorCount == count / 100)
        #expect(found.rootSpanName == "operation 0" && found.rootServiceName == "service 0")
        #expect(found.durationNanos == UInt64(count / 2 - 1 + 10))
        #expect(found.services.map(\.spanCount).reduce(0, +) == count)
    }

    @Test func `spans by id are read from the row groups that hold them alone`() async throws {
        let disk = SimulatedDisk(seed: 1)
        let store = try await S.open(disk) { $0.cacheByteCount = 0 }
        try await store.append(Self.batch(0..<40_000))
        try await store.seal()
        let count = Mutex(0)
        func reads(_ body: () async throws -> Void) async throws -> Int {
            count.withLock { $0 = 0 }
            try await body()
            return count.withLock { $0 }
        }
        disk.onRead = { count.withLock { $0 += 1 } }
        let reader = try #require(try await store.traceReader(Self.id))
        let few = try await reads {
            let spans = try await reader.spans([Self.spanID(77), Self.spanID(78), SpanID(2)])
            #expect(Set(spans.spanIDs) == [Self.spanID(77), Self.spanID(78)])
        }
        let all = try await reads { _ = try await store.trace(Self.id) }
        #expect(few * 2 < all, "\(few) reads of \(all)")
    }

    @Test func `a window ends early when its spans are large, and never without one`() async throws {
        for limit in [1, 4_000, 1 << 20] {
            let store = try await S.open(SimulatedDisk(seed: 1)) { $0.windowByteCountMax = limit }
            try await store.append(Self.batch(0..<300))
            try await store.seal()
            try await store.append(Self.batch(200..<400))
            let reader = try #require(try await store.traceReader(Self.id))
            let first = try await reader.window(SpanWindow(limit: 1_000))
            #expect(limit == 1 ? first.spans.count == 1 : limit == 4_000 ? first.spans.count < 60 : first.next == nil)
            let trace = try #require(try await store.trace(Self.id))
            #expect(try await Self.windows(reader, limit: 1_000, .all).spanIDs == trace.spanIDs)
        }
    }

    @Test func `spans by id that are too large together are refused with the remedy`() async throws {
        let store = try await S.open(SimulatedDisk(seed: 1)) { $0.traceByteCountMax = 1_000 }
        try await store.append(Self.batch(0..<100))
        let reader = try #require(try await store.traceReader(Self.id))
        #expect(try await reader.spans([Self.spanID(1), Self.spanID(2)]).count == 2)
        let ids = Set((0..<100).map(Self.spanID))
        let error = await #expect(throws: StoreError.self) { try await reader.spans(ids) }
        #expect(error?.code == .limit && error?.message.contains("ask for fewer") ?? false)
    }

    @Test func `a reader reads on while blocks are merged and spans removed`() async throws {
        let store = try await S.open(SimulatedDisk(seed: 1))
        for part in 0..<8 {
            try await store.append(Self.batch(stride(from: part, to: 4_000, by: 8)))
            try await store.seal()
        }
        let reader = try #require(try await store.traceReader(Self.id))
        let first = try await reader.window(SpanWindow(limit: 1_500))
        try await store.compact()
        let second = try await reader.window(SpanWindow(after: first.next, limit: 1_500))
        _ = try await store.remove(
            Removal(.delete, predicate: .compare(.name, .equal, .string("operation 1")), queryText: "", requestedBy: "")
        )
        let third = try await reader.window(SpanWindow(after: second.next, limit: 1_500))
        let ids = first.spans.spanIDs + second.spans.spanIDs + third.spans.spanIDs
        #expect(third.next == nil && Set(ids) == Set((0..<4_000).map(Self.spanID)) && ids.count == 4_000)
        #expect(try await store.traceReader(Self.id) == nil)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `copies are told apart however many passes it takes`(seed: UInt64) async throws {
        var nasty = NastySpans(seed: seed, traceCount: 2)
        let store = try await S.open(SimulatedDisk(seed: seed))
        for _ in 0..<4 {
            try await store.append(SpanBatch(spans: nasty.spans(1 + Int(nasty.below(60)))))
            if nasty.below(2) == 0 { try await store.seal() }
        }
        let snapshot = store.contents.snapshot()
        for summary in try await store.search(SpanQuery(limit: 100)).traces {
            let trace = try StoredTrace(summary.traceID, in: snapshot)
            let rows = try CountingRows.find(in: trace, Cancellation())
            #expect(rows.selectedCount == summary.spanCount)
            for passRowCount in [1, 7, 64] {
                #expect(try CountingRows.find(in: trace, Cancellation(), passRowCount: passRowCount) == rows)
            }
        }
    }
}
