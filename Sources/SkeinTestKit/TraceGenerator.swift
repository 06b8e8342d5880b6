// SPDX-License-Identifier: Apache-2.0
package import SkeinBase
package import SkeinModel

/// Makes traces that look like a shop's, from a seed: the same seed gives the same traces.
package struct TraceGenerator {
    package var random: SeededRandom
    /// Start of the next trace, nanoseconds since 1970.
    package var clock: UInt64
    private let services = ["web", "cart", "checkout", "payment", "stock", "mail", "search", "users"]
    private let operations = [
        "GET /", "GET /items/{id}", "POST /cart", "charge", "reserve", "SELECT items", "send", "rank",
    ]

    /// A generator whose first trace starts about `clock`.
    package init(seed: UInt64, clock: UInt64 = 1_700_000_000_000_000_000) {
        random = SeededRandom(seed: seed)
        self.clock = clock
    }

    /// The next trace: 1 to 30 spans, parents before children, every field in use somewhere.
    package mutating func trace() -> [Span] {
        clock += UInt64.random(in: 1_000...5_000_000, using: &random)
        let id = TraceID(high: random.next(), low: random.next())
        let user = "user-\(Int.random(in: 0..<500, using: &random))"
        var spans: [Span] = []
        for index in 0..<Int.random(in: 1...30, using: &random) {
            let parent = index == 0 ? nil : spans[Int.random(in: 0..<index, using: &random)]
            spans.append(span(id, parent, user))
        }
        return spans
    }

    /// Traces until there are at least `count` spans.
    package mutating func spans(_ count: Int) -> [Span] {
        var spans: [Span] = []
        while spans.count < count { spans += trace() }
        return spans
    }

    private mutating func span(_ id: TraceID, _ parent: Span?, _ user: String) -> Span {
        let service = Int.random(in: 0..<services.count, using: &random)
        var span = Span(
            traceID: id,
            spanID: SpanID(random.next() | 1),
            parentSpanID: parent?.spanID ?? .zero,
            name: operations[Int.random(in: 0..<operations.count, using: &random)],
            kind: Span.Kind.allCases.randomElement(using: &random) ?? .server,
            startUnixNanos: (parent?.startUnixNanos ?? clock) + UInt64.random(in: 0...2_000_000, using: &random),
            durationNanos: UInt64.random(in: 1_000...900_000_000, using: &random)
        )
        span.resource = Resource(attributes: [
            Attribute("service.name", .string(services[service])),
            Attribute("host.name", .string("host-\(service % 3)")),
            Attribute("service.instance.id", .string("\(service)")),
        ])
        span.scope = InstrumentationScope(name: "lib-\(service % 2)", version: "1.\(service)")
        span.attributes = [
            Attribute("http.request.method", .string(["GET", "POST"].randomElement(using: &random) ?? "GET")),
            Attribute("http.response.status_code", .int([200, 200, 404, 500].randomElement(using: &random) ?? 200)),
            Attribute("user.id", .string(user)),
            Attribute("request.id", .string(Hex.string(random.next()))),
            Attribute("bytes", .int(Int64.random(in: 0...1_000_000, using: &random))),
        ]
        if chance(3) { span.attributes.append(Attribute("load", .double(Double.random(in: 0...1, using: &random)))) }
        if chance(5) { span.attributes.append(Attribute("cached", .bool(chance(2)))) }
        if chance(6) { span.attributes.shuffle(using: &random) }
        if chance(10) { span.status = .init(.error, message: "failed: \(Int.random(in: 0...5, using: &random))") }
        if chance(10) {
            span.events = [
                Span.Event(
                    timeUnixNanos: span.startUnixNanos + span.durationNanos / 2,
                    name: "exception",
                    attributes: [Attribute("exception.type", "IOError"), Attribute("exception.message", .string(user))]
                )
            ]
        }
        if chance(20) {
            span.links = [Span.Link(traceID: TraceID(high: random.next(), low: random.next()), spanID: SpanID(7))]
        }
        return span
    }

    /// True once in `times`.
    package mutating func chance(_ times: Int) -> Bool { Int.random(in: 0..<times, using: &random) == 0 }
}
