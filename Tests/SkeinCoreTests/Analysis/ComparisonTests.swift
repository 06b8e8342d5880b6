// SPDX-License-Identifier: Apache-2.0
import SkeinAnalysis
import SkeinBase
import SkeinModel
import SkeinTestKit
import Testing

@Suite struct ComparisonTests {
    typealias Span = SkeinModel.Span

    /// Spans of one service each, written as `id<parent name start-end`, as in `2<1 SELECT 10-20`; `!` behind it is an error.
    static func trace(_ lines: String..., id: UInt64 = 1) -> SpanBatch {
        SpanBatch(
            spans: lines.map { line in
                let words = line.split(separator: " ")
                let ids = words[0].split(separator: "<").map { UInt64($0)! }
                let times = words[2].split(separator: "-").map { UInt64($0)! }
                var span = TraceTreeTests.span(
                    ids[0],
                    parent: ids.count > 1 ? ids[1] : 0,
                    start: times[0],
                    duration: times[1] - times[0],
                    trace: id
                )
                span.name = String(words[1])
                if words.count > 3 { span.status.code = .error }
                return span
            }
        )
    }

    static func lines(_ comparison: Comparison) -> [String] {
        func text(_ figures: Comparison.Figures?) -> String {
            figures.map { "\($0.spanCount)x\($0.totalNanos)/\($0.selfNanos)" } ?? "-"
        }
        return comparison.paths.map {
            String(repeating: " ", count: $0.depth)
                + "\($0.name.operation) \(text($0.first)) \(text($0.second)) \($0.change)"
        }
    }

    @Test func `a trace is the same as itself`() {
        let trace = Self.trace("1 GET 0-100", "2<1 SELECT 10-20", "3<1 SELECT 30-40")
        let comparison = Comparison(of: [trace], with: [trace])
        #expect(
            Self.lines(comparison) == [
                "GET 1.0x100.0/80.0 1.0x100.0/80.0 same", " SELECT 2.0x20.0/20.0 2.0x20.0/20.0 same",
            ]
        )
        #expect(comparison.first == comparison.second)
        #expect(comparison.first.spanCount == 3 && comparison.first.durationNanos == 100)
    }

    @Test func `paths are of one side, of the other, or changed in number or time`() {
        let old = Self.trace("1 GET 0-100", "2<1 SELECT 10-20", "3<2 read 12-18", "4<1 render 30-60", "5<1 log 90-91")
        let new = Self.trace(
            "1 GET 0-200",
            "2<1 SELECT 10-20",
            "3<1 SELECT 20-30",
            "4<1 cache 40-50",
            "5<1 render 60-150",
            "6<1 log 190-191"
        )
        #expect(
            Self.lines(Comparison(of: [old], with: [new])) == [
                "GET 1.0x100.0/59.0 1.0x200.0/79.0 changed",
                " SELECT 1.0x10.0/4.0 2.0x20.0/20.0 changed",
                "  read 1.0x6.0/6.0 - onlyFirst",
                " render 1.0x30.0/30.0 1.0x90.0/90.0 changed",
                " log 1.0x1.0/1.0 1.0x1.0/1.0 same",
                " cache - 1.0x10.0/10.0 onlySecond",
            ]
        )
    }

    @Test func `the same operation below another one is another path`() {
        let old = Self.trace("1 GET 0-100", "2<1 a 0-50", "3<2 SELECT 0-10")
        let new = Self.trace("1 GET 0-100", "2<1 a 0-50", "3<1 SELECT 60-70")
        let comparison = Comparison(of: [old], with: [new])
        #expect(comparison.paths.filter { $0.name.operation == "SELECT" }.map(\.change) == [.onlyFirst, .onlySecond])
        #expect(comparison.paths.map(\.parent) == [nil, 0, 1, 0])
    }

    @Test func `an error that is new is a change, a little time is not`() {
        let old = Self.trace("1 GET 0-1000", "2<1 a 0-500", "3<1 b 500-900")
        let new = Self.trace("1 GET 0-1000", "2<1 a 0-500 !", "3<1 b 500-880")
        #expect(Comparison(of: [old], with: [new]).paths.map(\.change) == [.same, .changed, .same])
    }

    @Test func `a set of traces is its average`() throws {
        let typical = [
            Self.trace("1 GET 0-100", "2<1 a 0-10"), Self.trace("1 GET 0-300", "2<1 a 0-30", "3<1 a 40-60", id: 2),
        ]
        let slow = Self.trace("1 GET 0-900", "2<1 a 0-800", id: 3)
        let comparison = Comparison(of: [slow], with: typical)
        #expect(comparison.second.traceCount == 2 && comparison.second.spanCount == 2.5)
        #expect(comparison.second.durationNanos == 200)
        let a = try #require(comparison.paths.last)
        #expect(a.second?.spanCount == 1.5 && a.second?.totalNanos == 30)
        #expect(a.first?.totalNanos == 800 && a.change == .changed)
    }

    @Test func `random traces keep their sums, and a path stands after its parent`() {
        var generator = TraceGenerator(seed: 11)
        for _ in 0..<50 {
            let (a, b) = (SpanBatch(spans: generator.trace()), SpanBatch(spans: generator.trace()))
            let comparison = Comparison(of: [a], with: [b])
            #expect(comparison.paths.compactMap(\.first?.spanCount).reduce(0, +) == Double(a.count))
            #expect(comparison.paths.compactMap(\.second?.spanCount).reduce(0, +) == Double(b.count))
            for (row, path) in comparison.paths.enumerated() {
                #expect(
                    path.parent.map { $0 < row && comparison.paths[$0].depth + 1 == path.depth } ?? (path.depth == 0)
                )
            }
            #expect(Self.lines(Comparison(of: [a], with: [b])) == Self.lines(comparison))
        }
    }

    @Test func `a chain of a hundred thousand spans is a path of that length`() {
        let count: UInt64 = 100_000
        let batch = SpanBatch(
            spans: (1...count).map { TraceTreeTests.span($0, parent: $0 - 1, start: $0, duration: 2 * (count - $0)) }
        )
        #expect(Comparison(of: [batch], with: [batch]).paths.last?.depth == Int(count - 1))
    }

    @Test func `nothing compared with nothing is nothing`() {
        #expect(Comparison(of: [], with: [SpanBatch()]).paths.isEmpty)
    }
}
