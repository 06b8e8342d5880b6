// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinModel
import SkeinPipeline
import SkeinServer
import Testing

struct SamplingFileTests {
    private func file(_ text: String) throws -> SamplingFile {
        let url = FileManager.default.temporaryDirectory.appending(path: "skein-\(UUID().uuidString).yaml")
        try Data(text.utf8).write(to: url)
        defer { try? FileManager.default.removeItem(at: url) }
        return try SamplingFile(path: url.path())
    }

    @Test func `a collector's file is taken as it is`() throws {
        let file = try file(
            """
            receivers:
              otlp:
            processors:
              batch: {}
              tail_sampling:
                decision_wait: 10s
                decision_cache: { sampled_cache_size: 100_000 }
                policies: [
                  { name: errors, type: status_code, status_code: {status_codes: [ERROR]} },
                  # Patterns stand where they stand in a collector.
                  { name: probes, type: drop, drop: { drop_sub_policy: [ {
                      name: probe, type: string_attribute,
                      string_attribute: {key: http.route, values: [/live, /ready$], enabled_regex_matching: true} } ] } },
                ]
            """
        )
        #expect(file.tail?.settings.decisionWaitNanos == 10_000_000_000)
        #expect(file.tail?.settings.keptCacheSize == 100_000)
        #expect(file.tail?.policies.policies.map(\.name) == ["errors", "probes"])
        #expect(file.head.isEmpty)
    }

    @Test func `a condition in TraceQL is compiled`() throws {
        let file = try file(
            """
            tail_sampling:
              policies:
                - name: payments
                  type: traceql
                  traceql:
                    query: '{ name = "charge" && duration > 1s }'
            """
        )
        var policies = try #require(file.tail).policies
        var span = Span(
            traceID: TraceID(high: 1, low: 1),
            spanID: SpanID(1),
            name: "charge",
            kind: .server,
            startUnixNanos: 1,
            durationNanos: 2_000_000_000
        )
        func isKept() -> Bool {
            let digest = policies.read(SpanBatch(spans: [span])).digest(of: 0..<1, span.traceID)
            return policies.decide(digest, nanos: 0).isKept
        }
        #expect(isKept())
        span.name = "send"
        #expect(!isKept())
    }

    @Test(arguments: ["", "tail_sampling: {policies: [{name: all, type: always_sample}]}"])
    func `rules at the door stand alone or beside policies`(_ rest: String) throws {
        let file = try file(
            """
            head_sampling:
              rules:
                - name: health
                  operation: GET /health*
                  attributes: {client: off, tries: 3}
                  sampler: always_off
                - sampler: probabilistic
                  percent: 25
            \(rest)
            """
        )
        #expect(file.head.map(\.name) == ["health", "rule-2"])
        #expect(file.head.first?.match.attributes.map(\.value) == ["off", "3"])
        #expect(file.head.last?.sampler == .probabilistic(0.25))
        #expect((file.tail != nil) == !rest.isEmpty)
    }

    @Test(
        arguments: [
            ("head_sampling:\n  rules:\n    - sampler: never", "line 3 of"),
            ("head_sampling:\n  rules: [{sampler: always_on}]\ntail: 1", "lacks policies"),
            ("tail_sampling:\n  policies:\n    - name: a\n      type: latenzy\n", "line 4 of"),
            ("tail_sampling:\n  policies:\n    - name: a\n      type: latenzy\n", "did you mean latency?"),
            (
                "policies:\n- name: a\n  type: traceql\n  traceql:\n    query: '{ duration > }'\n",
                "line 5 of"
            ),
            ("policies: [", "no YAML"),
            ("", "there is no tail_sampling"),
            ("polices:\n- {}\n", "did you mean policies?"),
        ]
    )
    func `what is wrong is told with its line`(text: String, words: String) throws {
        let error = #expect(throws: ConfigurationError.self) { try file(text) }
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test func `the setting names a file, and one that is missing stops the start`() {
        let sources = ConfigurationSources(flags: ["sampling-config": "/nowhere/sampling.yaml"])
        let error = #expect(throws: ConfigurationError.self) { try sources.resolve() }
        #expect(error?.message.contains("--sampling-config") == true, "\(error?.message ?? "")")
    }
}
