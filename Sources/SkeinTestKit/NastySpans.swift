// SPDX-License-Identifier: Apache-2.0
package import SkeinBase
package import SkeinModel

/// Makes valid spans that no healthy client would send, from a seed: extreme times, empty and huge texts, every type of
/// value, orphans, cycles, copies.
///
/// Few distinct ids, keys and values, so that they meet often.
package struct NastySpans {
    package var random: SeededRandom
    /// How many traces the spans belong to.
    package var traceCount: UInt64

    /// A generator of spans of `traceCount` traces.
    package init(seed: UInt64, traceCount: UInt64 = 5) {
        random = SeededRandom(seed: seed)
        self.traceCount = traceCount
    }

    /// Some spans in no order.
    package mutating func spans(_ count: Int) -> [Span] { (0..<count).map { _ in span() } }

    /// The next span.
    package mutating func span() -> Span {
        var span = Span(
            traceID: TraceID(high: below(2) == 0 ? 0 : .max, low: 1 + below(traceCount)),
            spanID: SpanID(1 + below(40)),
            parentSpanID: SpanID(below(4) == 0 ? 0 : 1 + below(50)),
            name: text(),
            kind: pick(Span.Kind.allCases) ?? .server,
            startUnixNanos: moment(),
            durationNanos: 0
        )
        span.durationNanos = min(moment(), .max - span.startUnixNanos)
        if below(10) == 0 {
            span.endsBeforeStart = span.startUnixNanos > 0
            if span.endsBeforeStart { span.durationNanos = 0 }
        }
        span.status = .init(pick(Span.Status.Code.allCases) ?? .unset, message: below(5) == 0 ? text() : "")
        span.traceState = below(5) == 0 ? text() : ""
        span.flags = below(5) == 0 ? UInt32(truncatingIfNeeded: random.next()) : 0
        span.attributes = attributes(6)
        span.droppedAttributesCount = rare()
        span.events = (0..<Int(below(4) == 0 ? below(4) : 0)).map { _ in
            Span.Event(
                timeUnixNanos: moment(),
                name: text(),
                attributes: attributes(3),
                droppedAttributesCount: rare()
            )
        }
        span.droppedEventsCount = rare()
        span.links = (0..<Int(below(4) == 0 ? below(4) : 0)).map { _ in
            Span.Link(
                traceID: TraceID(high: random.next(), low: below(2)),
                spanID: SpanID(below(3)),
                traceState: below(3) == 0 ? text() : "",
                flags: rare(),
                attributes: attributes(2),
                droppedAttributesCount: rare()
            )
        }
        span.droppedLinksCount = rare()
        span.resource = Resource(
            attributes: (below(4) == 0 ? [] : [Attribute("service.name", .string(text()))]) + attributes(3),
            droppedAttributesCount: rare(),
            schemaURL: below(3) == 0 ? text() : ""
        )
        span.scope = InstrumentationScope(
            name: text(),
            version: below(2) == 0 ? text() : "",
            attributes: below(3) == 0 ? attributes(2) : [],
            droppedAttributesCount: rare(),
            schemaURL: below(3) == 0 ? text() : ""
        )
        span.weight = below(5) == 0 ? Double(below(1000)) / 8 : 1
        return span
    }

    /// Up to `most` attributes; keys may repeat.
    package mutating func attributes(_ most: UInt64) -> [Attribute] {
        (0..<below(most + 1)).map { _ in Attribute(key(), value()) }
    }

    /// One of a few keys.
    package mutating func key() -> String { pick(["a", "b", "c", "user.id", "é", "", "service.name"]) ?? "a" }

    /// A value of any type, arrays and maps nested.
    package mutating func value(depth: Int = 0) -> AttributeValue {
        switch below(depth < 3 ? 10 : 7) {
        case 0: .null
        case 1, 2: .string(text())
        case 3: .bool(below(2) == 0)
        case 4: .int(pick([0, 1, -1, 7, .max, .min, 1 << 53, 1 << 53 + 1, -(1 << 53) - 1]) ?? 0)
        case 5:
            .double(pick([0, -0.0, 1, 1.5, 7, 0x1p53, 0x1p63, -0x1p63, .infinity, 1e300, .leastNonzeroMagnitude]) ?? 0)
        case 6: .bytes((0..<below(3)).map { UInt8(truncatingIfNeeded: $0) })
        case 7, 8: .array((0..<below(4)).map { _ in value(depth: depth + 1) })
        default: .map((0..<below(3)).map { _ in Attribute(key(), value(depth: depth + 1)) })
        }
    }

    /// One of a few texts, seldom a huge one.
    package mutating func text() -> String {
        if below(5_000) == 0 { return String(repeating: "x", count: 100_000) }
        return pick(["", "a", "b", "abc", "é", "e\u{301}", "0", "true", "日本", "a\"\n\u{0}z"]) ?? ""
    }

    /// A moment: mostly small, sometimes the first or the last there is.
    package mutating func moment() -> UInt64 {
        switch below(12) {
        case 0: 0
        case 1: .max
        case 2: random.next()
        default: 1_000 + below(200)
        }
    }

    private mutating func rare() -> UInt32 { below(6) == 0 ? UInt32(truncatingIfNeeded: random.next()) : 0 }

    /// A number below `bound`.
    package mutating func below(_ bound: UInt64) -> UInt64 { UInt64.random(in: 0..<bound, using: &random) }

    /// An element of `list`; `nil` when there is none.
    package mutating func pick<T>(_ list: [T]) -> T? { list.randomElement(using: &random) }
}
