// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinPropagation
import SkeinRecording
import Testing
import Tracing

@testable import SkeinTracing

@Suite struct ComposableConfigurationTests {
    /// What `yaml`, a composite, makes of a span whose parent has the trace state `parent`, or that has none.
    private func sample(_ yaml: String, parent: String? = nil) throws -> (isSampled: Bool, state: String) {
        let file = "file_format: '1.0'\ntracer_provider: {sampler: {composite/development: \(yaml)}}"
        let (configuration, problems) = resolve(file: file)
        #expect(problems.isEmpty)
        var assembly = TracerAssembly(ResolvedConfiguration(configuration, in: Surroundings()), in: Surroundings())
        let traceID = TraceID(high: 1, low: SamplingThreshold.end - 1)
        let context = try parent.map {
            SpanContext(
                traceID: traceID,
                spanID: SpanID(1),
                flags: .sampled,
                traceState: try #require(TraceState(header: $0)),
                isRemote: true
            )
        }
        let request = SamplingRequest(
            parent: context,
            parentDecision: parent == nil ? .deferred : .sampled,
            traceID: traceID,
            name: "span"
        )
        let result = assembly.makeSampler(service: "shop").sample(request)
        let state = result.traceState ?? context?.traceState ?? TraceState()
        return (result.decision == .recordAndSample, state.header())
    }

    @Test(
        arguments: [
            ("always_on", nil, true, "ot=th:0"),
            ("always_off", "ot=th:8", false, ""),
            ("{probability: {ratio: 0.25}}", nil, true, "ot=th:c"),
            ("{rule_based: {rules: [{span_kinds: [server], sampler: always_on}]}}", "ot=th:8", false, ""),
            ("{rule_based: {rules: [{parent: [remote], sampler: always_on}]}}", "ot=th:8", true, "ot=th:0"),
            ("{parent_threshold: {root: always_on}}", "ot=th:8", true, "ot=th:8"),
            ("{parent_threshold: {root: {probability: {ratio: 0.5}}}}", nil, true, "ot=th:8"),
        ] as [(String, String?, Bool, String)]
    )
    func `a composite tells its threshold`(yaml: String, parent: String?, isSampled: Bool, state: String) throws {
        let result = try sample(yaml, parent: parent)
        #expect(result.isSampled == isSampled && result.state == state)
    }
}
