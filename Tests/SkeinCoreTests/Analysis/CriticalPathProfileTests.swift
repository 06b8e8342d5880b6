// SPDX-License-Identifier: Apache-2.0
import SkeinAnalysis
import SkeinBase
import SkeinModel
import SkeinTestKit
import Testing

@Suite struct CriticalPathProfileTests {
    typealias Span = SkeinModel.Span

    /// A request of `web` that waits for `db` for `waiting` of its 100 nanoseconds.
    static func trace(_ id: UInt64, waiting: UInt64, weight: Double = 1) -> SpanBatch {
        var root = TraceTreeTests.span(1, start: 1000, duration: 100, service: "web", trace: id)
        var query = TraceTreeTests.span(2, parent: 1, start: 1000, duration: waiting, service: "db", trace: id)
        root.name = "GET /"
        query.name = "SELECT"
        root.weight = weight
        query.weight = weight
        return SpanBatch(spans: [root, query])
    }

    @Test func `operations own the latency of many traces by their own time on the paths`() throws {
        var profile = CriticalPathProfile()
        for (id, waiting) in [(1, 10), (2, 20), (3, 90)] as [(UInt64, UInt64)] {
            profile.add(Self.trace(id, waiting: waiting))
        }
        #expect(profile.traceCount == 3)
        #expect(profile.pathNanos == 300)
        let owners = profile.owners
        #expect(owners.map(\.name?.operation) == ["GET /", "SELECT"])
        #expect(owners.map(\.pathNanos) == [180, 120])
        #expect(owners.map(\.share) == [0.6, 0.4])
        #expect(owners.map(\.traceCount) == [3, 3])
        #expect(owners.map(\.exemplar.low) == [1, 3])
        #expect(owners[1].p50Nanos == 20)
        #expect((89...91).contains(owners[1].p95Nanos))
        #expect(owners[1].savedShare(ifFasterBy: 0.5) == 0.2)
    }

    @Test func `a trace counts by the weight of its root`() {
        var profile = CriticalPathProfile()
        profile.add(Self.trace(1, waiting: 10, weight: 9))
        profile.add(Self.trace(2, waiting: 60))
        #expect(profile.traceCount == 2 && profile.weight == 10)
        #expect(profile.owners.map(\.pathNanos) == [850, 150])
        #expect(profile.owners[1].p50Nanos == 10)
    }

    @Test func `profiles of parts add up to the profile of all`() {
        var generator = TraceGenerator(seed: 5)
        let batches = (0..<40).map { _ in SpanBatch(spans: generator.trace()) }
        var (whole, first, second) = (CriticalPathProfile(), CriticalPathProfile(), CriticalPathProfile())
        for (number, batch) in batches.enumerated() {
            whole.add(batch)
            if number < 25 { first.add(batch) } else { second.add(batch) }
        }
        first.merge(second)
        #expect(first.pathNanos == whole.pathNanos)
        #expect(Self.text(first) == Self.text(whole))
        #expect(abs(whole.owners.reduce(0) { $0 + $1.share } - 1) < 1e-9)
    }

    static func text(_ profile: CriticalPathProfile) -> [String] {
        profile.owners.map {
            "\($0.name?.service ?? "") \($0.name?.operation ?? "") \($0.pathNanos) \($0.traceCount) \($0.p50Nanos) \($0.exemplar)"
        }
    }

    @Test func `operations beyond the limit are one`() {
        var profile = CriticalPathProfile()
        let count = UInt64(CriticalPathProfile.operationCountMax + 10)
        let batch = SpanBatch(
            spans: [TraceTreeTests.span(count, start: 0, duration: count * 10)]
                + (1..<count).map { TraceTreeTests.span($0, parent: count, start: $0 * 10) }
        )
        profile.add(batch)
        #expect(profile.owners.count == CriticalPathProfile.operationCountMax + 1)
        #expect(profile.owners.last?.name == nil)
        #expect(profile.owners.last?.traceCount == 10)
    }

    @Test func `nothing added is nothing owned`() {
        var profile = CriticalPathProfile()
        profile.add(SpanBatch())
        #expect(profile.traceCount == 0 && profile.owners.isEmpty)
    }
}
