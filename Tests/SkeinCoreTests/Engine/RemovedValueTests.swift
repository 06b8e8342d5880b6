// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import SkeinTestKit
import Synchronization
import Testing

@testable import SkeinEngine

/// What was redacted or deleted is nowhere any more: in no list, and in no table of a block.
@Suite struct RemovedValueTests {
    typealias S = EngineSupport

    private func span(_ trace: UInt64, email: String, start: UInt64 = 1_000) -> SkeinModel.Span {
        var span = S.span(trace, trace, start: start)
        span.resource.attributes.append(Attribute("customer.email", .string(email)))
        span.attributes = [Attribute("key of \(email)", .int(1))]
        span.scope = InstrumentationScope(name: "scope of \(email)", version: "")
        return span
    }

    private func emails(in store: EmbeddedStore) async throws -> [String] {
        let field = SpanField.attribute(.resource, "customer.email")
        return try await store.values(of: field, prefix: "", limit: 100).values.map(\.value.text).sorted()
    }

    /// Whether the tables of any block hold `text`.
    private func isStored(_ text: String, in store: EmbeddedStore) throws -> Bool {
        try store.contents.blocks.contains { block in
            let keys = try block.block.keyTable()
            let names = keys.entries.indices.map { keys.withName(UInt32($0)) { String(decoding: $0, as: UTF8.self) } }
            let tables = try [block.block.resourceTable(), block.block.scopeTable()]
            return names.contains { $0.contains(text) }
                || tables.contains { String(decoding: $0.bytes, as: UTF8.self).contains(text) }
        }
    }

    @Test func `a redacted value of a resource is in no list and no table`() async throws {
        let store = try await S.open(SimulatedDisk(seed: 1))
        try await store.append(S.batch(span(1, email: "ann@example.com"), span(2, email: "bob@example.com")))
        let removal = Removal(
            .redact(keys: ["customer.email"]),
            predicate: .compare(.attribute(.resource, "customer.email"), .equal, .string("ann@example.com"))
        )
        #expect(try await store.remove(removal).spanCount == 1)
        #expect(try await emails(in: store) == [Removal.mask, "bob@example.com"])
        let tables = try store.contents.blocks.map { try $0.block.resourceTable() }
        #expect(tables.allSatisfy { table in table.entries.allSatisfy { $0.spanCount > 0 } })
        #expect(try isStored("bob@example.com", in: store))
    }

    @Test func `resources, scopes and keys of deleted traces are in no list and no table`() async throws {
        let store = try await S.open(SimulatedDisk(seed: 2))
        try await store.append(S.batch(span(1, email: "ann@example.com"), span(2, email: "bob@example.com")))
        let ann = SpanPredicate.compare(.attribute(.resource, "customer.email"), .equal, .string("ann@example.com"))
        #expect(try await store.remove(Removal(.delete, predicate: ann)).spanCount == 1)
        #expect(try await emails(in: store) == ["bob@example.com"])
        #expect(
            try await store.attributeKeys(prefix: "key of", limit: 10).names.map(\.name) == ["key of bob@example.com"]
        )
        #expect(try !isStored("ann@example.com", in: store))
    }

    /// A client's call to what sends no spans.
    private func call(_ trace: UInt64, to address: String, received: UInt64) -> SpanBatch {
        var span = S.span(trace, trace, start: 1_000 + trace)
        span.kind = .client
        span.name = "db.example.com"
        span.attributes = [Attribute("server.address", .string(address))]
        return S.batch(span, received: received)
    }

    @Test func `names of what was called are masked in sums, of spans that are gone, too`() async throws {
        let clock = SimulatedClock(unixNanos: 1_000_000_000_000)
        let disk = SimulatedDisk(seed: 3)
        var configuration = S.configuration(disk, clock)
        configuration.retentionAge = .seconds(60)
        let store = try await EmbeddedStore.open(configuration)
        try await store.append(call(1, to: "db.example.com", received: clock.unixNanos))
        try await store.seal()
        clock.advance(by: .seconds(90))
        try await store.append(call(2, to: "db.example.com", received: clock.unixNanos))
        try await store.append(call(3, to: "cache.example.com", received: clock.unixNanos))
        try await store.seal()
        await store.removeExpired()
        #expect(store.contents.pastRollups.count == 1 && store.contents.blocks.count == 1)
        let removal = Removal(
            .redact(keys: ["server.address"]),
            predicate: .compare(.attribute(.span, "server.address"), .equal, .string("db.example.com"))
        )
        _ = try await store.remove(removal)
        func expectMasked(_ store: EmbeddedStore) async throws {
            let slice = try #require(try await store.rollup(.all, step: nil).first)
            let calls = slice.edges.map { "\($0.server ?? "?") \($0.callCount)" }
            #expect(calls.sorted() == ["[redacted] 2.0", "cache.example.com 1.0"])
            // An operation of the same name keeps it.
            #expect(slice.operations.map(\.operation) == ["db.example.com"])
            let rollups = try store.contents.blocks.map { try $0.rollup() } + store.contents.pastRollups
            #expect(rollups.count == 2)
        }
        try await expectMasked(store)
        try await expectMasked(try await EmbeddedStore.open(S.configuration(disk.crash(), clock)))
    }

    @Test func `names that no operation has are gone from the files of sums`() async throws {
        let store = try await S.open(SimulatedDisk(seed: 4))
        var span = S.span(1, 1)
        span.kind = .client
        span.attributes = [Attribute("peer.service", .string("ann@example.com")), Attribute("db.name", .string("ann"))]
        try await store.append(S.batch(span))
        _ = try await store.remove(Removal(.redact(keys: ["peer.service"]), predicate: .true))
        let names = try store.contents.blocks.flatMap { try $0.rollup().table().operations }
        #expect(!names.contains("ann@example.com") && names.contains(Removal.mask))
    }

    @Test func `row groups that are copied bring only what their spans refer to`() async throws {
        let batch = S.batch(span(1, email: "ann@example.com"), span(2, email: "bob@example.com", start: 2_000))
        let input = try BlockFixture.open(BlockFixture.bytes([batch], groupRows: 1))
        #expect(input.footer.groups.count == 2)
        let sink = Mutex<[UInt8]>([])
        var merge = BlockMerge(
            [input],
            limits: BlockMerge.Limits(copiedRowsMin: 0),
            cut: BlockMerge.Cut(dropped: [TraceID(high: 1, low: 1)])
        )
        let outcome = try merge.write { bytes in sink.withLock { $0 += bytes } }
        #expect(outcome.copiedCount == 1)
        let block = try BlockFixture.open(sink.withLock { $0 })
        for table in [try block.resourceTable(), try block.scopeTable()] {
            #expect(table.entries.count == 1)
            #expect(!String(decoding: table.bytes, as: UTF8.self).contains("ann@"))
        }
        #expect(try block.keyTable().entries.count == 1)
    }
}
