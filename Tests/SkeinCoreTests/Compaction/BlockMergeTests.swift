// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinTestKit
import Synchronization
import Testing

@testable import SkeinEngine

@Suite struct BlockMergeTests {
    /// Merges blocks of these spans, each list a block.
    private func merge(
        _ lists: [[SkeinModel.Span]],
        groupRows: Int = 16,
        _ limits: BlockMerge.Limits
    ) throws -> (block: Block, outcome: BlockMerge.Outcome) {
        var inputs: [Block] = []
        for (number, spans) in lists.enumerated() {
            let batches = BlockFixture.batches(spans, seed: UInt64(number))
            inputs.append(try BlockFixture.open(BlockFixture.bytes(batches, groupRows: groupRows)))
        }
        return try merge(inputs, limits)
    }

    private func merge(
        _ inputs: [Block],
        _ limits: BlockMerge.Limits
    ) throws -> (block: Block, outcome: BlockMerge.Outcome) {
        let sink = Mutex<[UInt8]>([])
        var merge = BlockMerge(inputs, limits: limits)
        let outcome = try merge.write { bytes in sink.withLock { $0 += bytes } }
        return (try BlockFixture.open(sink.withLock { $0 }), outcome)
    }

    /// A trace by the contract's rule from all that arrived of it.
    private func assembled(_ spans: [SkeinModel.Span]) throws -> [SkeinModel.Span] {
        var assembly = TraceAssembly()
        let batch = SpanBatch(spans: spans)
        assembly.add(batch, rows: 0..<batch.count)
        return try assembly.finish().spans
    }

    /// A trace by the contract's rule from what a block holds of it.
    private func trace(_ id: TraceID, in block: Block) throws -> [SkeinModel.Span] {
        var assembly = TraceAssembly()
        for entry in try block.find(id) {
            let batch = try block.batch(rows: entry.rows, columns: .all)
            assembly.add(batch, rows: 0..<batch.count)
        }
        return try assembly.finish().spans
    }

    private static let limits: [BlockMerge.Limits] = [
        // Everything is written anew.
        .init(joinedRowsMax: 1 << 20, sectionRows: 50, copiedRowsMin: 1 << 20, copiedByteCountMin: 1 << 30),
        // What can be copied is.
        .init(joinedRowsMax: 1 << 20, sectionRows: 1_000, copiedRowsMin: 0),
        // Long traces are not joined, and little is read back at a time.
        .init(joinedRowsMax: 12, sectionRows: 5, sectionByteCount: 1, copiedRowsMin: 0),
        .init(joinedRowsMax: 7, sectionRows: 20, sectionByteCount: 20_000, copiedRowsMin: 6),
    ]

    @Test(arguments: 0..<60 as Range<UInt64>)
    func `a merged block holds every trace of its inputs, each span once`(seed: UInt64) throws {
        var nasty = NastySpans(seed: seed, traceCount: [3, 20, 200][Int(seed) % 3])
        let lists = (0..<(2 + nasty.below(4))).map { _ in nasty.spans(1 + Int(nasty.below(120))) }
        let limits = Self.limits[Int(seed / 3) % Self.limits.count]
        let (block, outcome) = try merge(lists, groupRows: [4, 16, 1_000][Int(seed) % 3], limits)
        let arrived = Dictionary(grouping: lists.joined(), by: \.traceID)
        for (id, spans) in arrived {
            #expect(try trace(id, in: block) == assembled(spans))
            let entries = try block.find(id)
            if !entries.contains(where: { $0.isPartial }) {
                #expect(entries.count == 1)
                if entries.first?.hasDuplicates == false {
                    #expect(try entries.first?.rows.count == assembled(spans).count)
                }
            }
        }
        #expect(outcome.spanCount == block.footer.spanCount)
        #expect(outcome.spanCount + outcome.droppedCount == lists.reduce(0) { $0 + $1.count })
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `a block merged from merged ones is as good as one made at once`(seed: UInt64) throws {
        var nasty = NastySpans(seed: seed, traceCount: 30)
        let lists = (0..<6).map { _ in nasty.spans(1 + Int(nasty.below(60))) }
        let limits = Self.limits[Int(seed) % Self.limits.count]
        let first = try merge(Array(lists[..<3]), groupRows: 8, limits).block
        let second = try merge(Array(lists[3...]), groupRows: 8, limits).block
        let (block, _) = try merge([first, second], limits)
        for (id, spans) in Dictionary(grouping: lists.joined(), by: \.traceID) {
            #expect(try trace(id, in: block) == assembled(spans))
        }
    }

    @Test func `groups of traces that lie nowhere else are copied, and their names counted`() throws {
        var generator = TraceGenerator(seed: 5)
        let spans = generator.spans(4_000)
        // Of the second half's traces none began in the first.
        let half = spans[2_000].traceID
        let cut = spans.firstIndex { $0.traceID == half } ?? 0
        let early = Set(spans[..<cut].map(\.traceID))
        let lists = [Array(spans[..<cut]), spans[cut...].filter { !early.contains($0.traceID) }]
        let (block, outcome) = try merge(lists, groupRows: 200, Self.limits[1])
        #expect(outcome.copiedCount == lists[0].count + lists[1].count)
        let fresh = try BlockFixture.open(BlockFixture.bytes(lists.map { SpanBatch(spans: $0) }))
        let (copied, made) = (try PartNames(of: block), try PartNames(of: fresh))
        for list in NameListKind.allCases { #expect(copied[list].names == made[list].names) }
    }

    @Test func `long texts do not make a row group of each trace`() throws {
        // Groups of more bytes than are read back at a time, and a trace that lies in all of them.
        let lists = (0..<4 as Range<UInt64>).map { list in
            (0..<100 as Range<UInt64>).map { number in
                var span = EngineSupport.span(
                    number == 0 ? 1_000 : list * 100 + number,
                    list * 100 + number + 1,
                    start: list * 100 + number
                )
                span.attributes = [
                    Attribute("prompt", .string(String(repeating: "word \(list) \(number) ", count: 400)))
                ]
                return span
            }
        }
        let limits = BlockMerge.Limits(sectionByteCount: 100_000, groupByteCount: 200_000)
        let (block, outcome) = try merge(lists, groupRows: 1_000, limits)
        #expect(outcome.spanCount == 400)
        #expect(block.footer.groups.count < 40)
    }

    @Test func `a group is written anew where a trace of it has more spans elsewhere`() throws {
        let one = (1...20 as ClosedRange<UInt64>).map { EngineSupport.span($0, $0, start: $0 * 100) }
        var late = EngineSupport.span(3, 99, start: 10)
        late.parentSpanID = .zero
        let (block, outcome) = try merge([one, [late]], groupRows: 10, Self.limits[1])
        // Traces 1 to 10 share a group with trace 3; those behind it are copied.
        #expect(outcome == .init(spanCount: 21, droppedCount: 0, copiedCount: 10))
        let entry = try #require(try block.find(TraceID(high: 1, low: 3)).first)
        #expect(entry.startUnixNanos == 10 && entry.rows.count == 2 && entry.rootRow == entry.rows.lowerBound)
    }

    @Test func `a damaged input stops the merge`() throws {
        let spans = (1...8 as ClosedRange<UInt64>).map { EngineSupport.span($0, $0) }
        let bytes = try BlockFixture.bytes([SpanBatch(spans: spans)])
        let good = try BlockFixture.open(bytes)
        for limits in [Self.limits[0], Self.limits[1]] {
            var refused = 0
            for offset in 16..<good.footer.groups[0].directory.offset {
                var damaged = bytes
                damaged[offset] ^= 0x40
                let error = #expect(throws: StoreError.self) {
                    _ = try merge([try BlockFixture.open(damaged), good], limits)
                }
                if error?.code == .corrupt { refused += 1 }
            }
            #expect(refused == good.footer.groups[0].directory.offset - 16)
        }
    }

    @Test func `a merge can be given up between two steps`() throws {
        let block = try BlockFixture.open(BlockFixture.bytes([EngineSupport.batch(EngineSupport.span(1, 1))]))
        var merge = BlockMerge([block, block]) { () throws(StoreError) in throw StoreError(.cancelled, "enough") }
        #expect(throws: StoreError.self) { _ = try merge.write { _ in } }
    }
}
