// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinBase
import SkeinEngine
import SkeinModel
import SkeinStore
import SkeinTestKit
import Testing

/// The store over the machine's own file system.
@Suite struct EmbeddedStoreTests {
    let folder = FileManager.default.temporaryDirectory.path + "/skein-\(UInt64.random(in: 0 ... .max))"

    func span(_ trace: UInt64, _ id: UInt64, start: UInt64 = 1_000) -> SkeinModel.Span {
        var span = SkeinModel.Span(
            traceID: TraceID(high: 1, low: trace),
            spanID: SpanID(id),
            name: "work \(id)",
            kind: .server,
            startUnixNanos: start,
            durationNanos: 10
        )
        span.resource = Resource(attributes: [Attribute("service.name", "shop")])
        return span
    }

    @Test func `what was appended is there after opening again`() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = try await EmbeddedStore.open(.init(directory: folder))
        try await store.append(SpanBatch(spans: [span(7, 1), span(8, 2)]))
        try await store.append(SpanBatch(spans: [span(7, 3, start: 5)]))
        #expect(try await store.trace(TraceID(high: 1, low: 7))?.spans == [span(7, 3, start: 5), span(7, 1)])
        await store.close()
        await #expect(throws: StoreError.self) { try await store.append(SpanBatch(spans: [span(1, 1)])) }
    }

    @Test func `spans in memory count as about what they take in a block`() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = try await EmbeddedStore.open(.init(directory: folder))
        defer { Task { await store.close() } }
        func byteCount() async throws -> Double { Double(try await store.usage().reduce(0) { $0 + $1.byteCount }) }
        var generator = TraceGenerator(seed: 7)
        // Before there is any block an estimate, from then on what blocks take.
        for factor in [2.5, 1.2] {
            try await store.append(SpanBatch(spans: generator.spans(4_000)))
            let before = try await byteCount()
            try await store.seal()
            let after = try await byteCount()
            #expect(before < after * factor && after < before * factor, "\(before) before, \(after) after")
        }
    }

    @Test func `a folder in use is refused`() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = try await EmbeddedStore.open(.init(directory: folder))
        do throws(StoreError) {
            _ = try await EmbeddedStore.open(.init(directory: folder))
            Issue.record("a second store opened the folder")
        } catch {
            #expect(error.code == .unusable && error.message.contains("in use"))
        }
        await store.close()
    }

    @Test func `spans survive a store that just goes away`() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var store: EmbeddedStore? = try await EmbeddedStore.open(.init(directory: folder))
        for id in 1...200 as ClosedRange<UInt64> { try await store?.append(SpanBatch(spans: [span(id % 7, id)])) }
        store = nil
        let reopened = try await EmbeddedStore.open(.init(directory: folder))
        #expect(reopened.recovery.replayedSpanCount == 200)
        #expect(try await reopened.trace(TraceID(high: 1, low: 3))?.count == 29)
        #expect(await reopened.status().spanCount == 200)
        let page = try await reopened.search(SpanQuery(limit: 5))
        #expect(page.traces.count == 5 && page.next != nil)
        await reopened.close()
    }
}
