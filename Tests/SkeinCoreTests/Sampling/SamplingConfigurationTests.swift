// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinPipeline
import SkeinStore
import Testing

@Suite struct SamplingConfigurationTests {
    /// Understands one text as a condition, the name of a span.
    private func read(_ text: String) throws(ConfigurationNode.Failure) -> SamplingConfiguration {
        try SamplingConfiguration(FlowText.node(text)) {
            query throws(SamplingConfiguration.ConditionFailure) in
            guard query.hasPrefix("name = ") else { throw .init("this is no condition") }
            return .compare(.name, .equal, .string(String(query.dropFirst(7))))
        }
    }

    private static let one = "policies: [{name: all, type: always_sample}]"

    @Test(
        arguments: [
            "{\(one)}", "{tail_sampling: {\(one)}}", "{tail_sampling/second: {\(one)}}",
            "{receivers: {otlp: }, processors: {batch: , tail_sampling: {\(one)}}, service: {}}",
        ]
    )
    func `the block is found wherever it stands`(text: String) throws {
        #expect(try read(text).policies.policies == [SamplingPolicy("all", .always)])
    }

    @Test func `settings have the collector's names and defaults`() throws {
        let plain = try read("{\(Self.one)}")
        #expect(plain.settings == TailSamplingSettings())
        let text = """
            {decision_wait: 1m30s, decision_wait_after_root_received: 500ms, num_traces: 100_000,
             decision_cache: {sampled_cache_size: 7, non_sampled_cache_size: 0}, drop_pending_traces_on_shutdown: true,
             block_on_overflow: true, maximum_trace_size_bytes: 1000,
             expected_new_traces_per_sec: 10, sample_on_first_match: true, \(Self.one)}
            """
        let read = try read(text)
        var wanted = TailSamplingSettings()
        wanted.decisionWaitNanos = 90_000_000_000
        wanted.decisionWaitAfterRootNanos = 500_000_000
        wanted.traceCountMax = 100_000
        wanted.keptCacheSize = 7
        wanted.droppedCacheSize = 0
        wanted.dropsPendingAtShutdown = true
        wanted.blocksOnOverflow = true
        wanted.traceByteCountMax = 1_000
        #expect(read.settings == wanted)
        #expect(read.warnings == ["expected_new_traces_per_sec on line 4 means nothing to Skein."])
    }

    @Test(
        arguments: [
            ("type: latency, latency: {threshold_ms: 5}", .latency(millis: 5, upToMillis: nil)),
            ("type: latency, latency: {threshold_ms: 5, upper_threshold_ms: 9}", .latency(millis: 5, upToMillis: 9)),
            (
                "type: numeric_attribute, numeric_attribute: {key: k, min_value: -1, max_value: 2}",
                .condition(.number("k", from: -1, to: 2))
            ),
            (
                "type: numeric_attribute, numeric_attribute: {key: k, min_value: 1, invert_match: true}",
                .inverted(.number("k", from: 1, to: nil))
            ),
            ("type: probabilistic, probabilistic: {sampling_percentage: 12.5}", .probabilistic(0.125)),
            (
                "type: probabilistic, probabilistic: {sampling_percentage: 50, hash_salt: s}",
                .probabilistic(0.5, salt: "s")
            ),
            (
                "type: status_code, status_code: {status_codes: [ERROR, UNSET]}",
                .condition(.status(in: [.error, .unset]))
            ),
            (
                "type: string_attribute, string_attribute: {key: k, values: [a, b], cache_max_size: 10}",
                .condition(.text("k", in: ["a", "b"]))
            ),
            ("type: trace_state, trace_state: {key: k, values: [a]}", .condition(.traceState(key: "k", values: ["a"]))),
            ("type: trace_flags", .condition(.sampledFlag)),
            (
                "type: rate_limiting, rate_limiting: {spans_per_second: 35}",
                .rateLimiting(spansPerSecond: 35, burst: 35)
            ),
            (
                "type: bytes_limiting, bytes_limiting: {bytes_per_second: 35}",
                .bytesLimiting(bytesPerSecond: 35, burst: 70)
            ),
            ("type: span_count, span_count: {min_spans: 2, max_spans: 20}", .spanCount(min: 2, max: 20)),
            ("type: boolean_attribute, boolean_attribute: {key: k, value: true}", .condition(.bool("k", is: true))),
            (
                "type: traceql, traceql: {query: name = pay}",
                .condition(.predicate(.compare(.name, .equal, .string("pay"))))
            ),
            (
                "type: not, not: {not_sub_policy: {name: a, type: always_sample}}",
                .not(SamplingPolicy("a", .always))
            ),
            (
                "type: and, and: {and_sub_policy: [{name: a, type: always_sample}, {name: b, type: trace_flags}]}",
                .and([SamplingPolicy("a", .always), SamplingPolicy("b", .condition(.sampledFlag))])
            ),
            (
                "type: drop, drop: {drop_sub_policy: [{name: a, type: trace_flags}]}",
                .drop([SamplingPolicy("a", .condition(.sampledFlag))])
            ),
            (
                "type: composite, composite: {max_total_spans_per_second: 100, policy_order: [b, a], "
                    + "composite_sub_policy: [{name: a, type: always_sample}, {name: b, type: trace_flags}], "
                    + "rate_allocation: [{policy: b, percent: 60}]}",
                .composite(
                    .init(
                        maxSpansPerSecond: 100,
                        parts: [
                            .init(SamplingPolicy("b", .condition(.sampledFlag)), share: 0.6),
                            .init(SamplingPolicy("a", .always)),
                        ]
                    )
                )
            ),
            ("type: deterministic, deterministic: {sample_rate: 4}", .probabilistic(0.25)),
            (
                "type: rules, rules: [{name: a, query: name = x, drop: true}, {name: b, sample_rate: 2}]",
                .rules([
                    .init("a", .predicate(.compare(.name, .equal, .string("x"))), .drop),
                    .init("b", nil, .keep(.probabilistic(0.5))),
                ])
            ),
        ] as [(String, SamplingPolicy.Rule)]
    )
    func `a policy is read as the collector writes it`(text: String, rule: SamplingPolicy.Rule) throws {
        let policies = try read("{policies: [{name: p, \(text)}, {name: last, type: always_sample}]}").policies.policies
        #expect(policies == [SamplingPolicy("p", rule), SamplingPolicy("last", .always)])
    }

    @Test func `Refinery's samplers have its defaults`() throws {
        func sampling(_ text: String) throws -> DynamicSampling? {
            let rule = try read("{policies: [{name: p, \(text)}]}").policies.policies.first?.rule
            return if case .dynamic(let sampling) = rule { sampling } else { nil }
        }
        let dynamic = try sampling("type: dynamic, dynamic: {sample_rate: 10, field_list: [name, user.id]}")
        #expect(dynamic?.goal == .rate(10))
        #expect(dynamic?.fields == [.name, .attribute(.any, "user.id")])
        #expect(dynamic?.intervalNanos == 30_000_000_000)
        let average = try sampling(
            "type: ema_dynamic, ema_dynamic: {goal_sample_rate: 10, field_list: [name], adjustment_interval: 5s, weight: 0.2}"
        )
        #expect(average?.intervalNanos == 5_000_000_000)
        #expect(average?.ageOutValue == 0.2)
        #expect(average?.burstMultiple == 2)
        let windowed = try sampling(
            "type: windowed_throughput, windowed_throughput: {goal_throughput_per_sec: 10, field_list: [name]}"
        )
        #expect(windowed?.lookbackIntervals == 30)
    }

    /// A text, the line at fault and words of the message.
    static let refused: [(String, Int, String)] = [
        ("[]", 1, "there is no tail_sampling"),
        ("{}", 1, "lacks policies"),
        ("{\npolices: []}", 2, "did you mean policies?"),
        ("{policies: []}", 1, "policies is empty"),
        ("{policies: always}", 1, "has to be a list"),
        ("{\ndecision_wat: 1s, \(one)}", 2, "did you mean decision_wait?"),
        ("{\n\ndecision_wait: soon, \(one)}", 3, "such as 30s"),
        ("{decision_wait: 2h, \(one)}", 1, "0.001 to 3600.0 s"),
        ("{num_traces: 0, \(one)}", 1, "num_traces is 0: it has to be 1 to 10000000"),
        ("{decision_cache: {sampled: 1}, \(one)}", 1, "sampled is nothing that decision_cache knows"),
        ("{tail_sampling: {\(one)},\nother: 1}", 2, "stands beside"),
        ("{policies: [{type: always_sample}]}", 1, "lacks name"),
        ("{policies: [{name: a}]}", 1, "lacks type"),
        ("{policies: [{name: a,\ntype: latenzy}]}", 2, "did you mean latency?"),
        ("{policies: [{name: a, type: latency}]}", 1, "lacks latency"),
        ("{policies: [{name: a, type: always_sample},\n{name: a, type: trace_flags}]}", 2, "two policies called a"),
        ("{policies: [{name: a, type: always_sample, name: b}]}", 1, "stands twice"),
        (
            "{policies: [{name: a,\ntype: ottl_condition, ottl_condition: {span: ['x']}}]}", 2,
            "write the condition in TraceQL"
        ),
        ("{policies: [{name: a, type: traceql,\ntraceql: {query: nonsense}}]}", 2, "this is no condition"),
        ("{policies: [{name: a, type: latency, latency: {threshold_ms: 9,\nupper_threshold_ms: 5}}]}", 1, "not above"),
        ("{policies: [{name: a, type: numeric_attribute, numeric_attribute: {key: k}}]}", 1, "name one at least"),
        (
            "{policies: [{name: a, type: numeric_attribute, numeric_attribute: {key: k, min_value: 2, max_value: 1}}]}",
            1,
            "above max_value"
        ),
        ("{policies: [{name: a, type: probabilistic, probabilistic: {sampling_percentage: 101}}]}", 1, "0.0 to 100.0"),
        ("{policies: [{name: a, type: probabilistic, probabilistic: {sampling_percentage: nan}}]}", 1, "a number"),
        ("{policies: [{name: a, type: status_code, status_code: {status_codes: [\nBAD]}}]}", 2, "OK, ERROR or UNSET"),
        (
            "{policies: [{name: a, type: string_attribute, string_attribute: {key: k, enabled_regex_matching: true, values: [a,\n"
                + "'(b']}}]}", 2, "is no pattern"
        ),
        (
            "{policies: [{name: a, type: string_attribute, string_attribute: {key: k, values: []}}]}", 1,
            "values is empty"
        ),
        ("{policies: [{name: a, type: span_count, span_count: {min_spans: 5, max_spans: 2}}]}", 1, "below min_spans"),
        (
            "{policies: [{name: a, type: and, and: {and_sub_policy: [{name: b, type: drop, drop: {}}]}}]}", 1,
            "has to stand at the top"
        ),
        (
            "{policies: [{name: a, type: composite, composite: {max_total_spans_per_second: 9, policy_order: [\nb1],"
                + "composite_sub_policy: [{name: bb, type: always_sample}]}}]}", 2, "did you mean bb?"
        ),
        (
            "{policies: [{name: a, type: composite, composite: {max_total_spans_per_second: 9, policy_order: [b], "
                + "composite_sub_policy: [{name: b, type: always_sample}, {name: c, type: always_sample}]}}]}", 1,
            "policy_order leaves out"
        ),
        (
            "{policies: [{name: a, type: composite, composite: {max_total_spans_per_second: 9, "
                + "composite_sub_policy: [{name: b, type: always_sample}, {name: c, type: always_sample}], rate_allocation:\n"
                + "[{policy: b, percent: 60}, {policy: c, percent: 50}]}}]}", 2, "110 percent together"
        ),
        (
            "{policies: [{name: a, type: drop, drop: {drop_sub_policy: [{name: b, type: trace_flags}]}}]}", 1,
            "no policy ever keeps a trace"
        ),
        (
            "{policies: [{name: a, type: rules, rules: [{name: b, drop: true},\n{name: c, drop: true}]}]}", 2,
            "which applies to every trace"
        ),
        ("{policies: [{name: a, type: rules, rules: [{name: b}]}]}", 1, "one of drop, sample_rate and sampler"),
    ]

    @Test(arguments: refused.indices)
    func `what contradicts itself or is unknown is refused with its line`(index: Int) {
        let (text, line, words) = Self.refused[index]
        do throws(ConfigurationNode.Failure) {
            _ = try read(text)
            Issue.record("\(text) is taken")
        } catch {
            #expect(error.line == line, "\(text): \(error.message)")
            #expect(error.message.contains(words), "\(text): \(error.message)")
        }
    }
}
