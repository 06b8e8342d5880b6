// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import SkeinTestKit
import Testing

@testable import SkeinEngine

@Suite struct TraceJoinTests {
    typealias S = EngineSupport

    /// The summary by way of the whole trace.
    private func assembled(
        _ trace: StoredTrace,
        _ range: TimeRange,
        _ predicate: CompiledPredicate
    ) throws -> TraceSummary? {
        let batch = try trace.assembled(.all, Cancellation())
        let matched = try BatchScan.rows(of: batch, in: range, matching: predicate).selectedCount
        return matched == 0 ? nil : TraceSummary(of: batch, rows: 0..<batch.count, matchedSpanCount: matched)
    }

    /// A store with some traces in blocks and in the head, many of their spans more than once.
    private func store(_ nasty: inout NastySpans, keeps: Bool, merges: Bool) async throws -> EmbeddedStore {
        let store = try await S.open(SimulatedDisk(seed: 1)) { $0.cacheByteCount = keeps ? 1 << 20 : 0 }
        var sent: [SkeinModel.Span] = []
        for round in 0..<7 {
            var spans = nasty.spans(1 + Int(nasty.below(40)))
            for _ in 0..<nasty.below(12) {
                guard var again = nasty.pick(sent) else { break }
                if nasty.below(2) == 0 { again.durationNanos = min(nasty.moment(), .max - again.startUnixNanos) }
                if nasty.below(4) == 0 { again.parentSpanID = .zero }
                spans.append(again)
            }
            sent += spans
            try await store.append(SpanBatch(spans: spans))
            if round < 6, nasty.below(3) > 0 { try await store.seal() }
        }
        if merges { try await store.compact() }
        return store
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func `a trace is summed up from columns as it is when put together`(seed: UInt64) async throws {
        var nasty = NastySpans(seed: seed, traceCount: 1 + seed % 4)
        let store = try await store(&nasty, keeps: seed % 2 == 0, merges: seed % 3 == 0)
        let snapshot = store.contents.snapshot()
        let ids = try await Set(S.everything(in: store).map(\.traceID))
        for _ in 0..<20 {
            let source = nasty.below(5) == 0 ? .true : nasty.predicate()
            let (range, predicate) = (nasty.range(), CompiledPredicate(source))
            var join = TraceJoin(range: range, predicate: predicate, columns: source.columns)
            // A search has been to some of the places already.
            for block in snapshot.blocks where nasty.below(2) == 0 {
                var scan = BlockScan(block.block, range: range, predicate: predicate)
                for group in block.footer.groups.indices {
                    join.note(try scan.rows(inGroup: group), ofGroup: group, in: block)
                }
            }
            for piece in snapshot.head.flatMap(\.pieces) where nasty.below(2) == 0 {
                join.note(try BatchScan.rows(of: piece.batch, in: range, matching: predicate), of: piece)
            }
            for id in ids {
                let trace = try StoredTrace(id, in: snapshot)
                let wanted = try assembled(trace, range, predicate)
                #expect(try join.summary(of: trace, Cancellation()) == wanted, "\(source) in \(range)")
            }
        }
        await store.close()
    }

    /// Spans of one trace: of ten a root, of seven a failure, of five a service.
    private func batch(_ numbers: some Sequence<Int>, lasting nanos: UInt64) -> SpanBatch {
        var builder = SpanBatchBuilder()
        let names = (0..<7).map { builder.intern("operation \($0)") }
        let resources = (0..<5).map { builder.addResource(serviceName: builder.intern("service \($0)")) }
        let scope = builder.addScope(name: builder.intern("lib"))
        for number in numbers {
            var fields = SpanBatchBuilder.SpanFields()
            fields.traceID = TraceID(high: 1, low: 1)
            fields.spanID = SpanID(UInt64(number + 1))
            fields.parentSpanID = number % 10 == 0 ? .zero : SpanID(UInt64(number))
            fields.startUnixNanos = 1_000 + UInt64(number * 7 % 100_000)
            fields.endUnixNanos = fields.startUnixNanos + nanos
            fields.name = names[number % 7]
            fields.resource = resources[number % 5]
            fields.scope = scope
            fields.statusCode = number % 7 == 0 ? Span.Status.Code.error.rawValue : 0
            builder.addSpan(fields)
        }
        return builder.finish(receivedUnixNanos: 1)
    }

    @Test func `a trace in several places of one block is summed up by all of them`() async throws {
        let store = try await S.open(SimulatedDisk(seed: 1))
        for part in 0..<4 {
            // Every block has some spans of the one before, from when they had not ended, or again.
            let first = max(0, part * 34_000 - 500)
            try await store.append(batch(first..<((part + 1) * 34_000), lasting: part % 2 == 0 ? 10 : 20))
            try await store.seal()
        }
        try await store.compact()
        try await store.append(batch(stride(from: 0, to: 136_000, by: 1_000), lasting: 15))
        let snapshot = store.contents.snapshot()
        let trace = try StoredTrace(TraceID(high: 1, low: 1), in: snapshot)
        #expect(snapshot.blocks.count == 1 && trace.blockPieces.count > 1 && trace.blockPieces[0].entry.isPartial)
        for source in [.true, .compare(.serviceName, .equal, .string("service 3"))] as [SpanPredicate] {
            let (range, predicate) = (TimeRange(start: 2_000, end: 90_000), CompiledPredicate(source))
            var join = TraceJoin(range: range, predicate: predicate, columns: source.columns)
            let found = try #require(try join.summary(of: trace, Cancellation()))
            let wanted = try assembled(trace, range, predicate)
            #expect(found == wanted && found.spanCount == 136_000)
            // As a search sums it up, whose trace is too large to be put together.
            let page = try await store.search(SpanQuery(range: range, predicate: source))
            #expect(page.traces == [found])
        }
        await store.close()
    }
}
