// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinTestKit
import Testing

@testable import SkeinEngine

@Suite struct PredicateScanTests {
    @Test(arguments: 0..<60)
    func `columns give the answers that the plain reading gives`(seed: UInt64) throws {
        var nasty = NastySpans(seed: seed)
        let batch = SpanBatch(spans: BlockFixture.ordered(nasty.spans(1 + Int(nasty.below(120)))))
        // Not the spans it was made of: among those, composed and decomposed letters count as equal.
        let spans = batch.spans
        let bytes = try BlockFixture.bytes([batch], groupRows: seed % 2 == 0 ? 20 : 1_000)
        let block = try BlockFixture.open(bytes, cache: KeepAll())
        for _ in 0..<60 {
            let predicate = nasty.predicate()
            let range = nasty.range()
            let expected = spans.indices.filter {
                range.contains(spans[$0].startUnixNanos) && predicate.matches(spans[$0])
            }
            let compiled = CompiledPredicate(predicate)
            let inBatch = try BatchScan.rows(of: batch, in: range, matching: compiled)
            #expect(inBatch.rows == expected, "seed \(seed): \(predicate) in a batch")

            var scan = BlockScan(block, range: range, predicate: compiled)
            var inBlock: [Int] = []
            for group in block.footer.groups.indices {
                let first = block.footer.groups[group].firstRow
                inBlock += try scan.rows(inGroup: group).rows.map { $0 + first }
            }
            #expect(inBlock == expected, "seed \(seed): \(predicate) in a block")
        }
    }

    @Test func `realistic searches agree on columns wide enough for every encoding`() throws {
        var generator = TraceGenerator(seed: 9)
        let spans = BlockFixture.ordered(generator.spans(4_000))
        let block = try BlockFixture.open(BlockFixture.bytes([SpanBatch(spans: spans)]), cache: KeepAll())
        let some = spans[1_234]
        let predicates: [SpanPredicate] = [
            .compare(.duration, .greater, .int(500_000_000)),
            .compare(.attribute(.span, "user.id"), .equal, .string("user-7")),
            .compare(.attribute(.any, "host.name"), .equal, .string("host-1")),
            .compare(.attribute(.span, "request.id"), .equal, .string(some.attributes["request.id"]?.text ?? "")),
            .compare(.attribute(.span, "bytes"), .less, .int(1_000)),
            .compare(.attribute(.span, "bytes"), .greaterOrEqual, .double(999_000.5)),
            .compare(.attribute(.any, "load"), .less, .double(0.25)),
            .compare(.attribute(.event, "exception.message"), .equal, .string("user-9")),
            .exists(.attribute(.span, "cached")), .not(.exists(.attribute(.any, "load"))),
            .and([.compare(.serviceName, .equal, .string("cart")), .compare(.status, .equal, .status(.error))]),
            .compare(.spanID, .equal, .string(some.spanID.description)),
            .compare(.traceID, .equal, .string(some.traceID.description)),
            .compare(.attribute(.span, "absent"), .notEqual, .int(1)),
        ]
        for predicate in predicates {
            var scan = BlockScan(block, range: .all, predicate: CompiledPredicate(predicate))
            let rows = try scan.rows(inGroup: 0).rows
            #expect(rows == spans.indices.filter { predicate.matches(spans[$0]) }, "\(predicate)")
        }
    }

    @Test func `row sets behave like sets at their edges`() {
        for count in [1, 63, 64, 65, 200] {
            var all = RowSet(count: count, all: true)
            #expect(all.selectedCount == count && all.rows == Array(0..<count))
            let even = RowSet(count: count) { $0 % 2 == 0 }
            #expect(even.rows == Array(stride(from: 0, to: count, by: 2)))
            #expect(even.selectedCount(in: 1..<(count + 1)) == (0..<count).count { $0 % 2 == 0 && $0 > 0 })
            all.invert()
            #expect(all.isEmpty)
        }
    }
}
