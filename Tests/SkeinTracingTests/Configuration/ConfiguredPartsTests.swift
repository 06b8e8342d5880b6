// SPDX-License-Identifier: Apache-2.0
import SkeinPropagation
import SkeinRecording
import SkeinTracing
import Testing

@Suite struct ConfiguredPartsTests {
    @Test(arguments: [
        ([], []),
        ([PropagatorFormat.traceContext, .baggage], ["traceparent", "tracestate", "baggage"]),
        ([.b3, .jaeger], ["b3", "uber-trace-id"]),
        ([.b3Multi, .xray], ["x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "x-b3-flags", "x-amzn-trace-id"]),
    ])
    func `each form of propagation becomes its propagator`(formats: [PropagatorFormat], fields: [String]) {
        var configuration = TracingConfiguration()
        configuration.propagators = formats
        #expect(configuration.propagator.fields == fields)
    }

    @Test(arguments: [
        (SamplerConfiguration.alwaysOn, "AlwaysOnSampler"),
        (.traceIDRatio(0.25), "TraceIdRatioBased{0.25}"),
        (
            .parentBased(root: .traceIDRatio(0.5), remoteParentNotSampled: .alwaysOn, localParentSampled: .alwaysOff),
            "ParentBased{root:TraceIdRatioBased{0.5},remoteParentSampled:AlwaysOnSampler,"
                + "remoteParentNotSampled:AlwaysOnSampler,localParentSampled:AlwaysOffSampler,"
                + "localParentNotSampled:AlwaysOffSampler}"
        ),
    ])
    func `what a configuration describes is the sampler that is made`(
        configuration: SamplerConfiguration,
        description: String
    ) {
        #expect(configuration.sampler(other: { _ in nil })?.description == description)
    }

    @Test func `whoever knows more samplers makes them, wherever they stand`() {
        var asked: [SamplerConfiguration] = []
        let sampler = SamplerConfiguration.parentBased(root: .probability(0.5), localParentSampled: .jaegerRemote)
            .sampler { configuration in
                asked.append(configuration)
                return AlwaysOffSampler()
            }
        #expect(Set(asked) == [.probability(0.5), .jaegerRemote])
        #expect(sampler?.description.contains("root:AlwaysOffSampler") == true)
    }

    @Test(arguments: [
        SamplerConfiguration.rateLimiting(tracesPerSecond: 1),
        .parentBased(root: .probability(0.5)),
        .parentBased(root: .alwaysOn, remoteParentSampled: .jaegerRemote),
    ])
    func `a sampler that nobody makes is none, and not another`(configuration: SamplerConfiguration) {
        #expect(configuration.sampler(other: { _ in nil }) == nil)
    }
}
