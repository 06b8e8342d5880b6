// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinTestKit
import Testing

@testable import SkeinEngine

@Suite struct BlockTests {
    @Test(arguments: 0..<40)
    func `every field of every span comes back in the block's order`(seed: UInt64) throws {
        var nasty = NastySpans(seed: seed, traceCount: 1 + seed)
        let spans = nasty.spans(1 + Int(nasty.below(200)))
        let batches = BlockFixture.batches(spans, seed: seed)
        let bytes = try BlockFixture.bytes(batches, groupRows: [4, 16, 1000][Int(seed) % 3])
        let block = try BlockFixture.open(bytes, cache: seed % 2 == 0 ? KeepAll() : nil)
        #expect(block.footer.spanCount == spans.count)
        let expected = BlockFixture.ordered(spans)
        let batch = try block.batch(rows: 0..<spans.count, columns: .all)
        #expect(batch.spans == expected)
        #expect(batch.receivedUnixNanos == UInt64(batches.count + 4))
        for _ in 0..<20 {
            let start = Int.random(in: 0..<spans.count, using: &nasty.random)
            let end = Int.random(in: start...spans.count, using: &nasty.random)
            let part = try block.batch(rows: start..<end, columns: .all)
            #expect(part.spans == Array(expected[start..<end]))
        }
    }

    @Test func `realistic traces come back from groups of usual size`() throws {
        var generator = TraceGenerator(seed: 1)
        let spans = generator.spans(5_000)
        let block = try BlockFixture.open(BlockFixture.bytes(BlockFixture.batches(spans, seed: 2), groupRows: 2_000))
        #expect(try block.batch(rows: 0..<spans.count, columns: .all).spans == BlockFixture.ordered(spans))
        #expect(block.footer.groups.count == 3)
    }

    @Test func `an empty block opens and holds nothing`() throws {
        let block = try BlockFixture.open(BlockFixture.bytes([]))
        #expect(block.footer.spanCount == 0 && block.footer.groups.isEmpty)
        #expect(try block.find(TraceID(high: 1, low: 1)).isEmpty)
        #expect(try block.batch(rows: 0..<0, columns: .all).isEmpty)
        let names = try PartNames(of: block)
        #expect(NameListKind.allCases.allSatisfy { names[$0].names.isEmpty })
    }

    @Test func `columns that are not asked for stay empty`() throws {
        let spans = BlockFixture.ordered([SpanBatchTests.full, SpanBatchTests.bare])
        let block = try BlockFixture.open(BlockFixture.bytes([SpanBatch(spans: spans)]))
        let fixed = try block.batch(rows: 0..<2, columns: .fixed)
        #expect(fixed.spans.map(\.name) == spans.map(\.name))
        #expect(fixed.spans.map(\.resource.attributes) == [[], []])
        #expect((0..<2).map(fixed.serviceName(at:)) == spans.map(\.resource.serviceName))
        #expect(fixed.spans.map(\.weight) == spans.map(\.weight))
        #expect(fixed.attributes.keyRefs.isEmpty && fixed.events.nameRefs.isEmpty && fixed.links.spanIDs.isEmpty)
        let some = try block.batch(rows: 0..<2, columns: [.attributes, .links])
        #expect(some.spans.map(\.attributes) == spans.map(\.attributes))
        #expect(some.spans.map(\.links) == spans.map(\.links))
        #expect(some.spans.map(\.events) == [[], []])
    }

    @Test(arguments: [1, 7, 100, 1_000])
    func `traces are found by id and described`(groupRows: Int) throws {
        var nasty = NastySpans(seed: UInt64(groupRows), traceCount: 40)
        let spans = nasty.spans(300)
        let block = try BlockFixture.open(BlockFixture.bytes([SpanBatch(spans: spans)], groupRows: groupRows))
        for (id, trace) in Dictionary(grouping: BlockFixture.ordered(spans), by: \.traceID) {
            #expect(block.mayContain(id))
            #expect(block.mayContain([id]) == [id])
            let entry = try #require(try block.find(id).first)
            #expect(try block.batch(rows: entry.rows, columns: .all).spans == trace)
            #expect(entry.startUnixNanos == trace.map(\.startUnixNanos).min())
            #expect(entry.endUnixNanos == trace.map(\.endUnixNanos).max())
            #expect(entry.errorCount == trace.count { $0.status.code == .error })
            let root = trace.firstIndex { !$0.parentSpanID.isValid }
            #expect(entry.rootRow == root.map { $0 + entry.rows.lowerBound })
            #expect(entry.hasDuplicates == (Set(trace.map { "\($0.spanID) \($0.kind)" }).count < trace.count))
        }
        for low in 1_000..<1_100 as Range<UInt64> { #expect(try block.find(TraceID(high: 9, low: low)).isEmpty) }
    }

    @Test func `traces lie in the order of their starts and no group splits one that fits`() throws {
        var generator = TraceGenerator(seed: 3)
        let block = try BlockFixture.open(
            BlockFixture.bytes([SpanBatch(spans: generator.spans(3_000))], groupRows: 100)
        )
        var rows = 0
        var start: UInt64 = 0
        for group in block.footer.groups.indices {
            let traces = try block.traces(inGroup: group)
            for index in 0..<traces.count {
                #expect(traces[index].rows.lowerBound == rows)
                #expect(traces[index].startUnixNanos >= start)
                rows = traces[index].rows.upperBound
                start = traces[index].startUnixNanos
            }
            #expect(block.footer.groups[group].rows.upperBound == rows)
            #expect(block.footer.groups[group].rowCount <= 150)
        }
        #expect(rows == block.footer.spanCount)
    }

    @Test func `a trace longer than a group fills groups of its own`() throws {
        var generator = TraceGenerator(seed: 4)
        var spans = generator.spans(50)
        let id = TraceID(high: 1, low: 2)
        for index in 0..<1_000 as Range<UInt64> {
            var span = SkeinModel.Span(
                traceID: id,
                spanID: SpanID(index + 1),
                parentSpanID: SpanID(index),
                name: "step",
                startUnixNanos: generator.clock + index * 10,
                durationNanos: 5
            )
            span.status = .init(index % 100 == 0 ? .error : .unset)
            spans.append(span)
        }
        spans += generator.spans(50)
        let block = try BlockFixture.open(BlockFixture.bytes([SpanBatch(spans: spans)], groupRows: 100))
        let entry = try #require(try block.find(id).first)
        #expect(entry.rows.count == 1_000 && entry.errorCount == 10)
        let window = try block.batch(rows: (entry.rows.lowerBound + 450)..<(entry.rows.lowerBound + 460), columns: .all)
        #expect(
            window.spans
                == Array(BlockFixture.ordered(spans)[(entry.rows.lowerBound + 450)..<(entry.rows.lowerBound + 460)])
        )
        #expect(try block.batch(rows: 0..<spans.count, columns: .all).spans == BlockFixture.ordered(spans))
        let sets = try block.nestedSets(rows: entry.rows)
        #expect(sets.map(\.order) == (0..<1_000).map { UInt32($0) })
        #expect(sets.map(\.descendantCount) == (0..<1_000).map { UInt32(999 - $0) })
    }
}
