// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinPropagation
import SkeinRecording
import Synchronization
import Testing
import Tracing

/// Ids 1, 2, 3 and so on; those of traces have a high half too.
private final class CountedIDs: IDGenerator {
    private let last = Mutex<UInt64>(0)
    let isRandom = false

    private func next() -> UInt64 {
        last.withLock {
            $0 += 1
            return $0
        }
    }

    func traceID() -> TraceID { TraceID(high: 0xa0b1_c2d3_e4f5_0617, low: next()) }
    func spanID() -> SpanID { SpanID(next() << 56 | 0xff) }
}

/// A tracer whose spans are kept, with ids and moments that are the same each time.
struct SampleTracer {
    let tracer: SkeinTracer
    private let exporter = InMemoryExporter()

    init(
        _ resource: Resource = Self.shop,
        limits: SpanLimits = SpanLimits(),
        alsoTo processor: (any SpanProcessor)? = nil
    ) {
        tracer = SkeinTracer(
            processors: [exporter] + [processor].compactMap(\.self),
            resource: resource,
            limits: limits,
            ids: CountedIDs()
        )
    }

    static let shop = Resource(attributes: [Attribute("service.name", "shop"), Attribute("process.pid", 7)])
    /// When spans start: 2026-01-02 03:04:05.123456789 UTC.
    static let start: UInt64 = 1_767_323_045_123_456_789

    /// What has ended.
    var spans: [FinishedSpan] { exporter.spans }

    /// A span of two milliseconds to which `body` is done.
    @discardableResult
    func span(
        _ name: String = "work",
        kind: SpanKind = .internal,
        start: UInt64 = Self.start,
        nanos: UInt64 = 2_000_000,
        in context: ServiceContext = .topLevel,
        file: String = "Shop/Main.swift",
        _ body: (SkeinSpan) -> Void = { _ in }
    ) -> SkeinSpan {
        let span = tracer.startSpan(name: name, kind: kind, context: context, atUnixNanos: start, file: file)
        body(span)
        span.end(at: Moment(nanosecondsSinceEpoch: start + nanos))
        return span
    }

    /// What the spans are as rows, each with its resource.
    var rows: [SkeinModel.Span] { Self.rows(spans) }

    static func rows(_ spans: [FinishedSpan]) -> [SkeinModel.Span] {
        spans.map { span in
            var row = span.span
            row.resource = span.resource
            return row
        }
    }
}

/// A moment that is named.
struct Moment: TracerInstant {
    var nanosecondsSinceEpoch: UInt64
    static func < (a: Self, b: Self) -> Bool { a.nanosecondsSinceEpoch < b.nanosecondsSinceEpoch }
}

/// Spans of one scope, by what is special in them.
struct Sample: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var spans: [FinishedSpan]

    private init(
        _ description: String,
        limits: SpanLimits = SpanLimits(),
        resource: Resource = SampleTracer.shop,
        _ body: (SampleTracer) -> Void
    ) {
        testDescription = description
        let tracer = SampleTracer(resource, limits: limits)
        body(tracer)
        spans = tracer.spans
    }

    /// All that can be told apart again, in any format that can say it.
    static let all: [Sample] = [
        Sample("a span that says little") { $0.span("") },
        Sample("a child of each kind") { tracer in
            let parent = tracer.span("parent", kind: .server)
            for kind in [SpanKind.client, .server, .producer, .consumer, .internal] {
                tracer.span("child", kind: kind, in: parent.context)
            }
        },
        Sample("values of every kind") { tracer in
            tracer.span { span in
                span.setAttribute("text", "wörld 🌍\u{0}\"\\\n")
                span.setAttribute("empty text", "")
                span.setAttribute("yes", true)
                span.setAttribute("no", false)
                for (index, int) in [0, 1, -1, 300, Int.max, .min].enumerated() {
                    span.setAttribute("int \(index)", int)
                }
                for (index, double) in [0, -0.0, 1.5, 1e300, .leastNonzeroMagnitude, .infinity, -.infinity].enumerated()
                {
                    span.setAttribute("double \(index)", double)
                }
            }
        },
        Sample("lists") { tracer in
            tracer.span { span in
                span.attributes["texts"] = ["a", "", "ü"]
                span.attributes["bools"] = [true, false]
                span.attributes["ints"] = [1, -1, 0]
                span.attributes["doubles"] = [0.5, -1]
                span.attributes["none"] = [] as [String]
            }
        },
        Sample("values that nest") { tracer in
            tracer.span { span in
                span.setAttribute("null", .null)
                span.setAttribute("bytes", .bytes([0, 255, 7]))
                span.setAttribute("no bytes", .bytes([]))
                span.setAttribute("list", .array([1, "a", .array([]), .null]))
                span.setAttribute(
                    "map",
                    .map([Attribute("a", .map([Attribute("b", 1.5)])), Attribute("c", .bytes([1]))])
                )
                span.setAttribute("no map", .map([]))
            }
        },
        Sample("names and values that are long") { tracer in
            tracer.span(String(repeating: "n", count: 70_000)) { span in
                for count in [126, 127, 128, 16_383, 16_384] {
                    span.setAttribute("value \(count)", String(repeating: "v", count: count))
                    span.setAttribute(String(repeating: "k", count: count), 1)
                }
            }
        },
        Sample("events and links") { tracer in
            let other = tracer.span("other")
            tracer.span { span in
                for index in 0..<128 {
                    span.addEvent(
                        SpanEvent(
                            name: "event \(index)",
                            at: Moment(nanosecondsSinceEpoch: SampleTracer.start + UInt64(index) * 1000),
                            attributes: index == 0 ? [:] : ["index": .int64(Int64(index))]
                        )
                    )
                }
                guard let target = other.spanContext else { return }
                span.addLink(target)
                var remote = target
                (remote.isRemote, remote.traceState) = (true, TraceState(header: "a=1,b=2") ?? TraceState())
                span.addLink(remote, attributes: ["why": "batch"])
            }
        },
        Sample("statuses") { tracer in
            tracer.span { $0.setStatus(SpanStatus(code: .ok)) }
            tracer.span { $0.setStatus(SpanStatus(code: .error)) }
            tracer.span { $0.setStatus(SpanStatus(code: .error, message: "no stock")) }
        },
        Sample("a remote parent with a trace state") { tracer in
            tracer.span("serve", kind: .server, in: remoteContext)
        },
        Sample("a trace that was sampled by chance, and a span without a length") { tracer in
            tracer.span("none", nanos: 0)
            tracer.span("long", start: 1, nanos: 10_000_000_000_000_000_000)
        },
        Sample("what was dropped", limits: tight) { tracer in
            let other = tracer.span()
            tracer.span { span in
                for key in ["a", "b", "c"] { span.setAttribute(key, 1) }
                for _ in 0..<3 { span.addEvent("e", attributes: ["x": 1, "y": 2]) }
                guard let target = other.spanContext else { return }
                for _ in 0..<3 { span.addLink(target, attributes: ["x": 1, "y": 2]) }
            }
        },
        Sample("nothing of the resource", resource: Resource()) { $0.span() },
        Sample("much of the resource", resource: richResource) { $0.span() },
    ]

    private static let tight: SpanLimits = {
        var limits = SpanLimits()
        (limits.attributeCount, limits.eventCount, limits.linkCount) = (1, 1, 1)
        (limits.attributeCountPerEvent, limits.attributeCountPerLink) = (1, 1)
        return limits
    }()

    private static let richResource = Resource(
        attributes: [
            Attribute("service.name", "läden"), Attribute("process.command_args", ["a", "b"]), Attribute("n", .null),
            Attribute("build", .map([Attribute("at", 1.5)])),
        ],
        droppedAttributesCount: 2,
        schemaURL: "https://example.com/schemas/1.0.0"
    )

    /// What a request from another process brings.
    static let remoteContext: ServiceContext = {
        var context = ServiceContext.topLevel
        let headers = [
            "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03", "tracestate": "ot=th:c,congo=t61",
        ]
        SampleTracer().tracer.extract(headers, into: &context, using: Headers())
        return context
    }()

    private struct Headers: Extractor {
        func extract(key: String, from carrier: [String: String]) -> String? { carrier[key] }
    }
}
