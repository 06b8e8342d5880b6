// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinPipeline
import Testing

@Suite("Weights of spans")
struct SpanWeightsTests {
    private static let source = IntakeSource(protocolName: "test")

    /// Span `number` of trace `trace`.
    private static func span(
        _ number: UInt64 = 1,
        of trace: UInt64 = 1,
        _ attributes: [Attribute] = [],
        weight: Double = 1
    ) -> Span {
        var span = Span(
            traceID: TraceID(high: 0, low: trace),
            spanID: SpanID(number),
            name: "work",
            startUnixNanos: number,
            durationNanos: 1000
        )
        span.attributes = attributes
        span.weight = weight
        return span
    }

    private static func weights(_ stage: SpanWeights, _ spans: [Span]) -> [Double] {
        let batch = stage.process(SpanBatch(spans: spans), from: source)
        return (0..<batch.count).map { SpanBatch.value(batch.weights, $0, default: 1) }
    }

    struct Tags: Sendable, CustomTestStringConvertible {
        var type: AttributeValue
        var param: AttributeValue
        var weight: Double
        var prefix = ""
        var testDescription: String { "\(prefix)\(type) \(param)" }

        var attributes: [Attribute] {
            [Attribute("\(prefix)sampler.type", type), Attribute("\(prefix)sampler.param", param)]
        }
    }

    @Test(
        "Jaeger's sampler tags say how many traces one stands for",
        arguments: [
            Tags(type: .string("probabilistic"), param: .double(0.25), weight: 4),
            Tags(type: .string("probabilistic"), param: .string("0.001"), weight: 1000),
            Tags(type: .string("probabilistic"), param: .int(1), weight: 1),
            Tags(type: .string("remote"), param: .double(0.5), weight: 2),
            Tags(type: .string("probabilistic"), param: .double(0.5), weight: 2, prefix: "jaeger."),
            Tags(type: .string("const"), param: .bool(true), weight: 1),
            Tags(type: .string("ratelimiting"), param: .double(0.5), weight: 1),
            Tags(type: .string("lowerbound"), param: .double(0.001), weight: 1),
            Tags(type: .string("probabilistic"), param: .double(0), weight: 1),
            Tags(type: .string("probabilistic"), param: .double(-1), weight: 1),
            Tags(type: .string("probabilistic"), param: .double(.nan), weight: 1),
            Tags(type: .string("probabilistic"), param: .double(1e-300), weight: 0x1p56),
            Tags(type: .string("probabilistic"), param: .string("half"), weight: 1),
            Tags(type: .int(1), param: .double(0.5), weight: 1),
        ]
    )
    func samplerTags(_ tags: Tags) {
        #expect(Self.weights(SpanWeights(), [Self.span(1, of: 1, tags.attributes)]) == [tags.weight])
    }

    private static let quarter = Tags(type: .string("probabilistic"), param: .double(0.25), weight: 4).attributes

    @Test("A root's tags hold for the spans of its trace in the batch, before and behind it, and for no others")
    func spreadsInBatch() {
        let spans = [Self.span(2), Self.span(1, of: 1, Self.quarter), Self.span(3, of: 2), Self.span(4)]
        #expect(Self.weights(SpanWeights(), spans) == [4, 4, 1, 4])
    }

    @Test("Spans that come later weigh what the tags of their trace said")
    func spreadsToLater() {
        let stage = SpanWeights()
        _ = Self.weights(stage, [Self.span(1, of: 1, Self.quarter)])
        #expect(Self.weights(stage, [Self.span(2, of: 1), Self.span(3, of: 2)]) == [4, 1])
    }

    @Test("Of traces long past the tags are forgotten, and those of the last 65,536 are not")
    func forgets() {
        let stage = SpanWeights()
        for first in stride(from: UInt64(1), through: 196_608, by: 8192) {
            _ = Self.weights(stage, (first..<first + 8192).map { Self.span(1, of: $0, Self.quarter) })
        }
        #expect(Self.weights(stage, [Self.span(2, of: 1), Self.span(2, of: 140_000)]) == [1, 4])
    }

    @Test("What the tracestate, the tags and the attribute say is multiplied")
    func product() {
        let stage = SpanWeights(attribute: WeightAttribute(key: "sampling.ratio"))
        let ratio = [Attribute("sampling.ratio", .double(0.5))]
        let spans = [Self.span(1, of: 1, Self.quarter + ratio, weight: 8), Self.span(2, of: 1, weight: 2)]
        #expect(Self.weights(stage, spans) == [64, 8])
    }

    struct Said: Sendable {
        var form: WeightAttribute.Form
        var value: AttributeValue
        var weight: Double
    }

    @Test(
        "The attribute holds the share that was kept, or of how many one was",
        arguments: [
            Said(form: .ratio, value: .double(0.1), weight: 10),
            Said(form: .ratio, value: .string("0.5"), weight: 2),
            Said(form: .ratio, value: .int(1), weight: 1),
            Said(form: .ratio, value: .int(20), weight: 1),
            Said(form: .count, value: .int(20), weight: 20),
            Said(form: .count, value: .double(2.5), weight: 2.5),
            Said(form: .count, value: .double(0.5), weight: 1),
            Said(form: .count, value: .double(.infinity), weight: 1),
            Said(form: .ratio, value: .bool(true), weight: 1),
        ]
    )
    func attribute(_ said: Said) {
        let stage = SpanWeights(attribute: WeightAttribute(key: "rate", form: said.form))
        #expect(Self.weights(stage, [Self.span(1, of: 1, [Attribute("rate", said.value)])]) == [said.weight])
    }

    @Test("The attribute of a resource holds for its spans, unless they have one of their own")
    func resourceAttribute() {
        var first = Self.span(1)
        first.resource = Resource(attributes: [Attribute("SampleRate", .int(3))])
        var second = Self.span(2, of: 1, [Attribute("SampleRate", .int(5))])
        second.resource = first.resource
        let stage = SpanWeights(attribute: WeightAttribute(key: "SampleRate", form: .count))
        #expect(Self.weights(stage, [first, second, Self.span(3)]) == [3, 5, 1])
    }

    @Test("A batch in which nobody says anything stays as it is")
    func unsaid() {
        let batch = SpanBatch(spans: [Self.span(1), Self.span(2, of: 2)])
        let stage = SpanWeights(attribute: WeightAttribute(key: "sampling.ratio"))
        #expect(stage.process(batch, from: Self.source).weights.isEmpty)
    }
}
