// SPDX-License-Identifier: Apache-2.0
import SkeinAnalysis
import SkeinBase
import SkeinModel
import SkeinTestKit
import Testing

@Suite struct ClockSkewTests {
    typealias Span = SkeinModel.Span

    static func span(
        _ id: UInt64,
        _ parent: UInt64,
        _ start: UInt64,
        _ end: UInt64,
        on host: String,
        kind: Span.Kind = .server
    ) -> Span {
        var span = TraceTreeTests.span(
            id,
            parent: parent,
            start: start,
            duration: end - start,
            kind: kind,
            service: "s\(host)"
        )
        span.resource.attributes.append(Attribute("host.name", .string(host)))
        return span
    }

    /// Offsets by clock, as `host offset`.
    static func offsets(_ spans: [Span]) -> [String] {
        ClockSkew(of: SpanBatch(spans: spans)).clocks.map { "\($0.name) \($0.offsetNanos)" }
    }

    @Test func `clocks whose children lie within their parents agree`() {
        let spans = [Self.span(1, 0, 1000, 1100, on: "a"), Self.span(2, 1, 1000, 1090, on: "b")]
        #expect(Self.offsets(spans) == ["a 0", "b 0"])
        #expect(!ClockSkew(of: SpanBatch(spans: spans)).isSkewed)
    }

    @Test func `a child outside its parent is centred`() {
        #expect(
            Self.offsets([Self.span(1, 0, 1000, 1100, on: "a"), Self.span(2, 1, 500, 540, on: "b")]) == [
                "a 0", "b 530",
            ]
        )
        #expect(
            Self.offsets([Self.span(1, 0, 1000, 1100, on: "a"), Self.span(2, 1, 1080, 1120, on: "b")])
                == ["a 0", "b -50"]
        )
    }

    @Test func `a child longer than its parent starts with it`() {
        #expect(
            Self.offsets([Self.span(1, 0, 1000, 1100, on: "a"), Self.span(2, 1, 700, 900, on: "b")]) == [
                "a 0", "b 300",
            ]
        )
    }

    @Test func `several calls narrow the estimate down`() {
        // Shifts that suit: 300…360 and 340…380.
        let spans = [
            Self.span(1, 0, 1000, 1100, on: "a"), Self.span(2, 1, 700, 740, on: "b"),
            Self.span(3, 1, 660, 720, on: "b"),
        ]
        #expect(Self.offsets(spans) == ["a 0", "b 350"])
        let clock = ClockSkew(of: SpanBatch(spans: spans)).clocks[1]
        #expect(clock.callCount == 2 && clock.services == ["sb"])
    }

    @Test func `calls that ask for different shifts are outvoted by the median`() {
        let spans = [
            Self.span(1, 0, 1000, 1100, on: "a"), Self.span(2, 1, 400, 500, on: "b"),
            Self.span(3, 1, 410, 510, on: "b"),
            Self.span(4, 1, 5000, 5100, on: "b"),
        ]
        #expect(Self.offsets(spans) == ["a 0", "b 590"])
    }

    @Test func `offsets add up along the calls, and spans of one host share a clock`() {
        let spans = [
            Self.span(1, 0, 1000, 1100, on: "a"), Self.span(2, 1, 510, 590, on: "b"), Self.span(3, 2, 10, 90, on: "c"),
            Self.span(4, 3, 20, 30, on: "c", kind: .internal),
        ]
        #expect(Self.offsets(spans) == ["a 0", "b 500", "c 1000"])
    }

    @Test func `a message may be consumed at any later time, not before it was sent`() {
        let send = Self.span(1, 0, 1000, 1010, on: "a", kind: .producer)
        #expect(Self.offsets([send, Self.span(2, 1, 9000, 9900, on: "b", kind: .consumer)]) == ["a 0", "b 0"])
        #expect(Self.offsets([send, Self.span(2, 1, 900, 9900, on: "b", kind: .consumer)]) == ["a 0", "b 100"])
    }

    @Test func `without a host each instance of a service has a clock`() {
        func span(_ id: UInt64, _ parent: UInt64, _ start: UInt64, instance: String?) -> Span {
            var span = TraceTreeTests.span(id, parent: parent, start: start, duration: 10, service: "s")
            if let instance { span.resource.attributes.append(Attribute("service.instance.id", .string(instance))) }
            return span
        }
        #expect(
            Self.offsets([
                span(1, 0, 100, instance: nil), span(2, 1, 90, instance: "x"), span(3, 1, 120, instance: "y"),
            ])
                == ["s 0", "s x 10", "s y -20"]
        )
    }

    @Test func `applied, children lie within their parents, and it can be taken back`() throws {
        var child = Self.span(2, 1, 500, 540, on: "b")
        child.events = [.init(timeUnixNanos: 510, name: "e")]
        let batch = SpanBatch(spans: [Self.span(1, 0, 1000, 1100, on: "a"), child])
        let skew = ClockSkew(of: batch)
        let adjusted = skew.apply(to: batch)
        #expect(adjusted.startUnixNanos == [1000, 1030] && adjusted.durationNanos == batch.durationNanos)
        #expect(adjusted.events.timeUnixNanos == [1040])
        #expect(!ClockSkew(of: adjusted).isSkewed)
        #expect(skew.revert(adjusted).spans == batch.spans)
    }

    @Test func `times at the ends of the range stay in bounds and can be taken back`() {
        let spans = [
            Self.span(1, 0, 5, 10, on: "a"), Self.span(2, 1, .max - 20, .max, on: "b"),
            Self.span(3, 2, 3, 4, on: "c"), Self.span(4, 3, 0, .max, on: "d"),
        ]
        let batch = SpanBatch(spans: spans)
        let skew = ClockSkew(of: batch)
        let adjusted = skew.apply(to: batch)
        #expect(skew.revert(adjusted).spans == batch.spans)
        #expect((0..<4).allSatisfy { adjusted.endUnixNanos(at: $0) >= adjusted.startUnixNanos[$0] })
        #expect(ClockSkew(of: SpanBatch()).clocks.isEmpty)
    }

    @Test(arguments: 0..<30 as Range<UInt64>)
    func `a random trace can be adjusted and taken back`(seed: UInt64) {
        var generator = TraceGenerator(seed: seed)
        let batch = SpanBatch(spans: generator.trace())
        let skew = ClockSkew(of: batch)
        #expect(skew.revert(skew.apply(to: batch)).spans == batch.spans)
        #expect(skew.clocks.first?.offsetNanos == 0)
    }

    @Test(arguments: 0..<30 as Range<UInt64>)
    func `a clock that was set off is found again`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let off = UInt64.random(in: 10_000...1_000_000, using: &random)
        var spans = [Self.span(1, 0, 2_000_000, 2_001_000, on: "a")]
        for id in 2...6 as ClosedRange<UInt64> {
            let start = 2_000_000 + UInt64.random(in: 0...400, using: &random)
            spans.append(Self.span(id, 1, start - off, start - off + 500, on: "b"))
        }
        let found = ClockSkew(of: SpanBatch(spans: spans)).clocks[1].offsetNanos
        #expect(abs(found - Int64(off)) <= 500)
    }
}
