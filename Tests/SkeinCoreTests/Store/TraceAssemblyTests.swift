// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import Testing

@Suite struct TraceAssemblyTests {
    static func span(_ id: UInt64, _ start: UInt64, _ duration: UInt64, _ name: String) -> SkeinModel.Span {
        SkeinModel.Span(
            traceID: TraceID(high: 0, low: 1),
            spanID: SpanID(id),
            name: name,
            startUnixNanos: start,
            durationNanos: duration
        )
    }

    static func assemble(_ pieces: [[SkeinModel.Span]]) throws -> [String] {
        var assembly = TraceAssembly()
        for piece in pieces {
            let batch = SpanBatch(spans: piece)
            assembly.add(batch, rows: 0..<batch.count)
        }
        return try assembly.finish().spans.map(\.name)
    }

    @Test func `the copy that ends later is kept, wherever it came from`() throws {
        #expect(
            try Self.assemble([[Self.span(1, 10, 5, "a")], [Self.span(1, 10, 9, "b")], [Self.span(1, 12, 4, "c")]]) == [
                "b"
            ]
        )
        #expect(try Self.assemble([[Self.span(1, 10, 9, "b")], [Self.span(1, 14, 5, "later")]]) == ["later"])
    }

    @Test func `of copies with one end the later start is kept, then the last to come`() throws {
        #expect(try Self.assemble([[Self.span(1, 10, 5, "a"), Self.span(1, 10, 5, "b")]]) == ["b"])
        #expect(try Self.assemble([[Self.span(1, 10, 5, "a")], [Self.span(1, 5, 10, "b")]]) == ["a"])
    }

    @Test func `rows come out by start, then id`() throws {
        let rows = [Self.span(3, 20, 1, "c"), Self.span(2, 10, 1, "b"), Self.span(1, 20, 1, "a")]
        #expect(try Self.assemble([rows]) == ["b", "a", "c"])
    }

    @Test func `only the rows named are taken`() throws {
        let batch = SpanBatch(spans: [Self.span(1, 1, 1, "a"), Self.span(2, 2, 1, "b"), Self.span(3, 3, 1, "c")])
        var assembly = TraceAssembly()
        #expect(assembly.isEmpty)
        assembly.add(batch, rows: [2, 0])
        #expect(!assembly.isEmpty)
        #expect(try assembly.finish().spans.map(\.name) == ["a", "c"])
    }
}
