// SPDX-License-Identifier: Apache-2.0
import SkeinAnalysis
import SkeinModel
import Testing

@Suite struct TraceTreeTests {
    static func span(
        _ id: UInt64,
        parent: UInt64 = 0,
        start: UInt64,
        duration: UInt64 = 10,
        kind: SkeinModel.Span.Kind = .internal,
        service: String = "s",
        isError: Bool = false,
        trace: UInt64 = 1
    ) -> SkeinModel.Span {
        var span = SkeinModel.Span(
            traceID: TraceID(high: 0, low: trace),
            spanID: SpanID(id),
            parentSpanID: SpanID(parent),
            name: "op\(id)",
            kind: kind,
            startUnixNanos: start,
            durationNanos: duration
        )
        span.resource = Resource(attributes: [Attribute("service.name", .string(service))])
        if isError { span.status.code = .error }
        return span
    }

    static func tree(_ spans: [SkeinModel.Span]) -> (TraceTree, ids: [UInt64]) {
        let batch = SpanBatch(spans: spans)
        let tree = TraceTree(batch)
        return (tree, tree.batchRows.map { batch.spanIDs[Int($0)].rawValue })
    }

    @Test func `rows are depth first, siblings by start then id, whatever the order of arrival`() {
        let (tree, ids) = Self.tree([
            Self.span(5, parent: 2, start: 30), Self.span(4, parent: 1, start: 20), Self.span(3, parent: 1, start: 20),
            Self.span(2, parent: 1, start: 10), Self.span(1, start: 0, duration: 100, service: "root"),
        ])
        #expect(ids == [1, 2, 5, 3, 4])
        #expect(tree.parents == [-1, 0, 1, 0, 0])
        #expect(tree.depths == [0, 1, 2, 1, 1])
        #expect(tree.levelCount == 3)
        #expect(tree.rootServiceName == "root")
        #expect(tree.rootSpanName == "op1")
        #expect(tree.startUnixNanos == 0)
        #expect(tree.durationNanos == 100)
    }

    @Test func `several roots stand by start and the earliest is the root`() {
        let (tree, ids) = Self.tree([
            Self.span(2, start: 5), Self.span(1, start: 9), Self.span(3, parent: 1, start: 10),
        ])
        #expect(ids == [2, 1, 3])
        #expect(tree.parents == [-1, -1, 1])
        #expect(tree.rootSpanName == "op2")
    }

    @Test func `spans that miss the same parent stand together under its id`() {
        let (tree, ids) = Self.tree([
            Self.span(1, parent: 77, start: 0), Self.span(2, parent: 88, start: 1), Self.span(3, parent: 77, start: 2),
            Self.span(4, parent: 1, start: 3),
        ])
        #expect(ids == [1, 4, 3, 2])
        #expect(tree.parents == [-1, 0, -1, -1])
        #expect(tree.missingParents.map(\.spanID) == [SpanID(77), SpanID(88)])
        #expect(tree.missingParents.map(\.rows) == [[0, 2], [3]])
        #expect(tree.rootRow == nil)
        #expect(tree.rootServiceName == "")
    }

    @Test func `a circle of parents is broken at its earliest span`() {
        let (tree, ids) = Self.tree([
            Self.span(1, parent: 3, start: 5), Self.span(2, parent: 1, start: 4), Self.span(3, parent: 2, start: 6),
            Self.span(9, parent: 3, start: 7), Self.span(8, parent: 8, start: 1),
        ])
        #expect(ids == [8, 2, 3, 1, 9])
        #expect(tree.parents == [-1, -1, 1, 2, 2])
        #expect(tree.cyclesBroken == [0, 1])
        #expect(tree.missingParents.isEmpty)
    }

    @Test func `the two sides of a shared span are parent and child`() {
        let (tree, ids) = Self.tree([
            Self.span(1, start: 0, duration: 100, service: "a"),
            Self.span(2, parent: 1, start: 10, kind: .server, service: "b"),
            Self.span(2, parent: 1, start: 5, kind: .client, service: "a"),
            Self.span(3, parent: 2, start: 12, service: "b"), Self.span(4, parent: 2, start: 13, service: "a"),
            Self.span(5, parent: 2, start: 14, service: "c"),
        ])
        #expect(ids == [1, 2, 2, 3, 5, 4])
        #expect(tree.parents == [-1, 0, 1, 2, 2, 1])
        #expect(tree.services.map(\.name) == ["a", "b", "c"])
        #expect(tree.sharedIDCount == 2)
    }

    @Test func `a shared root is no circle`() {
        let (tree, _) = Self.tree([
            Self.span(1, start: 0, kind: .client, service: "a"), Self.span(1, start: 2, kind: .server, service: "b"),
        ])
        #expect(tree.parents == [-1, 0])
        #expect(tree.cyclesBroken.isEmpty)
    }

    @Test func `self time is what no child covers`() {
        let (tree, _) = Self.tree([
            Self.span(1, start: 100, duration: 100), Self.span(2, parent: 1, start: 90, duration: 20),
            Self.span(3, parent: 1, start: 105, duration: 20), Self.span(4, parent: 1, start: 150, duration: 10),
            Self.span(5, parent: 1, start: 152, duration: 2), Self.span(6, parent: 1, start: 190, duration: 500),
            Self.span(7, parent: 1, start: 900, duration: 5), Self.span(8, parent: 4, start: 150, duration: 10),
        ])
        // Covered: 100…110, 110…125, 150…160, 190…200.
        #expect(tree.selfNanos[0] == 100 - 45)
        #expect(tree.startsBeforeParentCount == 1)
        let row4 = tree.batchRows.firstIndex(of: 3)!
        #expect(tree.selfNanos[row4] == 0)
    }

    @Test func `services and errors are counted`() {
        let (tree, _) = Self.tree([
            Self.span(1, start: 0, service: "a", isError: true), Self.span(2, parent: 1, start: 1, service: "b"),
            Self.span(3, parent: 1, start: 2, service: "a"),
            Self.span(4, parent: 1, start: 3, service: "b", isError: true),
        ])
        #expect(tree.errorCount == 2)
        #expect(tree.services.map { "\($0.name) \($0.spanCount) \($0.errorCount)" } == ["a 2 1", "b 2 1"])
        #expect(tree.serviceIndexes == [0, 1, 0, 1])
        #expect(tree.operations == ["op1", "op2", "op3", "op4"])
    }

    @Test func `times at the ends of the range do not overflow`() {
        var late = Self.span(2, parent: 1, start: .max, duration: 5)
        late.endsBeforeStart = true
        let (tree, _) = Self.tree([Self.span(1, start: 0, duration: .max), late])
        #expect(tree.durationNanos == .max)
        #expect(tree.selfNanos[0] == .max)
        #expect(tree.clamped == [1])
    }

    @Test func `an empty batch is an empty tree`() {
        let tree = TraceTree(SpanBatch())
        #expect(tree.count == 0)
        #expect(tree.levelCount == 0)
        #expect(tree.durationNanos == 0)
    }

    @Test func `a chain of a hundred thousand spans is no deeper than memory`() {
        var builder = SpanBatchBuilder()
        _ = builder.addResource(serviceName: builder.intern("s"), schemaURL: 0, droppedAttributesCount: 0)
        _ = builder.addScope(name: 0, version: 0, schemaURL: 0, droppedAttributesCount: 0)
        let count: UInt64 = 100_000
        for id in (1...count).reversed() {
            var fields = SpanBatchBuilder.SpanFields()
            fields.traceID = TraceID(high: 0, low: 1)
            fields.spanID = SpanID(id)
            fields.parentSpanID = SpanID(id - 1)
            fields.startUnixNanos = id
            fields.endUnixNanos = 2 * count - id
            builder.addSpan(fields)
        }
        let tree = TraceTree(builder.finish(receivedUnixNanos: 0))
        #expect(tree.levelCount == Int(count))
        #expect(tree.selfNanos[0] == 2)
    }

    @Test func `a thousand spans of one id take no longer than others`() {
        let (tree, _) = Self.tree((0..<1000).map { Self.span(7, parent: 7, start: $0, kind: .server) })
        #expect(tree.count == 1000)
    }
}

@Suite struct ServiceColorsTests {
    @Test func `colours follow ordinals and are distinct while they last`() {
        #expect(ServiceColors.colors(ofOrdinals: [0, 5, 11]) == [0, 5, 11])
        #expect(ServiceColors.colors(ofOrdinals: [12, 0, 1]) == [2, 0, 1])
        #expect(ServiceColors.colors(ofOrdinals: [23, 11, 0]) == [1, 11, 0])
        #expect(Set(ServiceColors.colors(ofOrdinals: (0..<12).map { $0 * 12 })).count == 12)
        #expect(ServiceColors.colors(ofOrdinals: (0..<14).map { $0 })[12...] == [0, 1])
    }
}
