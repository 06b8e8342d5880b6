// SPDX-License-Identifier: Apache-2.0
import SkeinAnalysis
import SkeinBase
import SkeinModel
import Testing

@Suite struct CriticalPathTests {
    typealias Span = SkeinModel.Span

    /// The path as text: `id start-end`, in order.
    static func path(_ spans: [Span]) -> [String] {
        let batch = SpanBatch(spans: spans)
        let tree = TraceTree(batch)
        return CriticalPath(tree, of: batch).segments.map {
            "\(batch.spanIDs[Int(tree.batchRows[$0.row])].rawValue) \($0.startUnixNanos)-\($0.endUnixNanos)"
        }
    }

    static func span(_ id: UInt64, _ parent: UInt64, _ start: UInt64, _ end: UInt64, _ kind: Span.Kind = .internal)
        -> Span
    {
        TraceTreeTests.span(id, parent: parent, start: start, duration: end - start, kind: kind)
    }

    @Test func `a trace of one span waits for that span alone`() {
        #expect(Self.path([Self.span(1, 0, 10, 30)]) == ["1 10-30"])
        #expect(Self.path([Self.span(1, 0, 10, 10)]) == [])
        #expect(Self.path([]) == [])
    }

    @Test func `the last child to finish was waited for, and before it the one that ended before it began`() {
        let spans = [
            Self.span(1, 0, 0, 100), Self.span(2, 1, 10, 40), Self.span(3, 1, 20, 50), Self.span(4, 1, 60, 90),
            Self.span(5, 4, 65, 70),
        ]
        #expect(
            Self.path(spans) == [
                "1 0-20", "3 20-50", "1 50-60", "4 60-65", "5 65-70", "4 70-90", "1 90-100",
            ]
        )
    }

    @Test func `children that follow each other without a gap are all on the path`() {
        #expect(
            Self.path([
                Self.span(1, 0, 0, 90), Self.span(2, 1, 0, 30), Self.span(3, 1, 30, 60), Self.span(4, 1, 60, 90),
            ])
                == ["2 0-30", "3 30-60", "4 60-90"]
        )
    }

    @Test func `a child that runs beyond its parent counts as far as it lies within`() {
        #expect(
            Self.path([Self.span(1, 0, 100, 200), Self.span(2, 1, 150, 300), Self.span(3, 2, 190, 280)])
                == ["1 100-150", "2 150-190", "3 190-200"]
        )
        #expect(Self.path([Self.span(1, 0, 100, 200), Self.span(2, 1, 50, 120)]) == ["2 100-120", "1 120-200"])
    }

    @Test func `a child outside its parent's time does not count, nor what stands below it`() {
        #expect(
            Self.path([
                Self.span(1, 0, 100, 200), Self.span(2, 1, 200, 300), Self.span(3, 1, 50, 100),
                Self.span(4, 2, 150, 160),
            ]) == ["1 100-200"]
        )
    }

    @Test func `nobody waits for the consumer of a message or for what only follows`() {
        let message = [
            Self.span(1, 0, 0, 100), Self.span(2, 1, 10, 20, .producer), Self.span(3, 2, 12, 18, .consumer),
        ]
        #expect(Self.path(message) == ["1 0-10", "2 10-20", "1 20-100"])

        var follower = Self.span(2, 1, 10, 90)
        follower.links = [
            .init(
                traceID: follower.traceID,
                spanID: SpanID(1),
                attributes: [Attribute("opentracing.ref_type", "follows_from")]
            )
        ]
        #expect(Self.path([Self.span(1, 0, 0, 100), follower]) == ["1 0-100"])
        follower.links[0].attributes = [Attribute("opentracing.ref_type", "child_of")]
        #expect(Self.path([Self.span(1, 0, 0, 100), follower]) == ["1 0-10", "2 10-90", "1 90-100"])
    }

    @Test func `of children that end together the longest was waited for, of equal ones the lesser id`() {
        #expect(
            Self.path([Self.span(1, 0, 0, 10), Self.span(2, 1, 5, 10), Self.span(3, 1, 2, 10), Self.span(4, 1, 2, 10)])
                == ["1 0-2", "3 2-10"]
        )
    }

    @Test func `other roots count only where the root leaves time uncovered`() {
        let spans = [
            Self.span(1, 0, 100, 200), Self.span(2, 77, 150, 260), Self.span(3, 2, 210, 220),
            Self.span(4, 78, 250, 300),
            Self.span(5, 79, 90, 400), Self.span(6, 80, 500, 510),
        ]
        #expect(Self.path(spans) == ["5 90-100", "1 100-200", "5 200-400", "6 500-510"])
    }

    @Test func `a chain of a hundred thousand spans costs no depth`() {
        let count: UInt64 = 100_000
        let spans = (1...count).map { Self.span($0, $0 - 1, $0, 2 * count - $0 + 1) }
        let batch = SpanBatch(spans: spans)
        let path = CriticalPath(TraceTree(batch), of: batch)
        #expect(path.segments.count == Int(2 * count - 1))
        #expect(path.durationNanos == 2 * count - 1)
    }

    @Test func `a hundred thousand children of one span are one sweep`() {
        let count: UInt64 = 100_000
        let spans = [Self.span(1, 0, 0, count * 10)] + (1...count).map { Self.span($0 + 1, 1, $0 * 10 - 8, $0 * 10) }
        let batch = SpanBatch(spans: spans)
        #expect(CriticalPath(TraceTree(batch), of: batch).segments.count == Int(2 * count))
    }

    @Test func `times at the ends of the range do not overflow`() {
        #expect(
            Self.path([Self.span(1, 0, 0, .max), Self.span(2, 1, .max - 5, .max)])
                == ["1 0-\(UInt64.max - 5)", "2 \(UInt64.max - 5)-\(UInt64.max)"]
        )
    }

    // MARK: Random traces

    /// Spans of one root, in and beyond the time of their parents.
    static func randomTrace(_ random: inout SeededRandom) -> [Span] {
        var spans = [Self.span(1, 0, 1000, 1000 + UInt64.random(in: 1...200, using: &random))]
        for id in 2...UInt64.random(in: 2...25, using: &random) {
            let parent = spans[Int.random(in: 0..<spans.count, using: &random)]
            let start = parent.startUnixNanos - 5 + UInt64.random(in: 0...(parent.durationNanos + 10), using: &random)
            let kind = Span.Kind.allCases.randomElement(using: &random) ?? .internal
            let nanos = UInt64.random(in: 0...80, using: &random)
            spans.append(Self.span(id, parent.spanID.rawValue, start, start + nanos, kind))
        }
        return spans.shuffled(using: &random)
    }

    /// The rule, read word by word: which span each moment of the root belongs to.
    static func ownersByMoment(_ spans: [Span]) -> [UInt64] {
        var owners: [UInt64] = []
        func follow(_ span: Span, _ start: UInt64, _ end: UInt64) {
            var point = end
            var children = spans.filter { child in
                child.parentSpanID == span.spanID && child.startUnixNanos < end && child.endUnixNanos > start
                    && !(span.kind == .producer && child.kind == .consumer)
            }.map { ($0, max($0.startUnixNanos, start), min($0.endUnixNanos, end)) }
            while let last = children.filter({ $0.2 <= point }).min(by: {
                ($1.2, $0.1, $0.0.startUnixNanos, $0.0.spanID) < ($0.2, $1.1, $1.0.startUnixNanos, $1.0.spanID)
            }) {
                children.removeAll { $0.0.spanID == last.0.spanID }
                for moment in last.2..<point { owners[Int(moment) - 1000] = span.spanID.rawValue }
                follow(last.0, last.1, last.2)
                point = last.1
            }
            for moment in start..<point { owners[Int(moment) - 1000] = span.spanID.rawValue }
        }
        guard let root = spans.first(where: { !$0.parentSpanID.isValid }) else { return [] }
        owners = [UInt64](repeating: 0, count: Int(root.durationNanos))
        follow(root, root.startUnixNanos, root.endUnixNanos)
        return owners
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `a random trace's path is disjoint, covers the root and equals the naive reading`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let spans = Self.randomTrace(&random)
        let batch = SpanBatch(spans: spans)
        let tree = TraceTree(batch)
        let path = CriticalPath(tree, of: batch)
        let root = try #require(spans.first { !$0.parentSpanID.isValid })
        var owners: [UInt64] = []
        var point = root.startUnixNanos
        for segment in path.segments {
            let row = Int(tree.batchRows[segment.row])
            #expect(segment.startUnixNanos == point && segment.endUnixNanos > point)
            #expect(segment.startUnixNanos >= batch.startUnixNanos[row])
            #expect(segment.endUnixNanos <= batch.endUnixNanos(at: row))
            owners += [UInt64](repeating: batch.spanIDs[row].rawValue, count: Int(segment.durationNanos))
            point = segment.endUnixNanos
        }
        #expect(point == root.endUnixNanos)
        #expect(path.durationNanos == root.durationNanos)
        #expect(path.nanosByRow(tree.count).reduce(0, +) == root.durationNanos)
        #expect(owners == Self.ownersByMoment(spans))
    }
}
