// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinModel
import SkeinServer
import Testing

extension ServerTests {
    /// A file of strategies with this text, while `body` runs.
    private func withStrategies(_ text: String, _ body: (String) async throws -> Void) async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "skein-\(UUID().uuidString).json")
        try text.write(to: file, atomically: false, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: file) }
        try await body(file.path())
    }

    private static let strategies = """
        {"default_strategy": {"type": "probabilistic", "param": 0.5},
         "service_strategies": [{"service": "a b", "type": "ratelimiting", "param": 5}]}
        """

    @Test func `clients are told over HTTP and gRPC what the file says`() async throws {
        try await withStrategies(Self.strategies) { path in
            try await withServer({ $0.samplingStrategies = path }) { ports in
                for place in ["/sampling?service=", "/?service=", "/?x=1&service="] {
                    let named = try await get(ports[.jaegerSampling], "\(place)a+b")
                    #expect(named.status == 200 && named.header("content-type") == "application/json")
                    #expect(
                        named.text
                            == #"{"strategyType":"RATE_LIMITING","rateLimitingSampling":{"maxTracesPerSecond":5}}"#
                    )
                    let other = try await get(ports[.jaegerSampling], "\(place)other")
                    #expect(
                        other.text == #"{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":0.5}}"#
                    )
                }
                let collector = try await get(ports[.jaegerHTTP], "/api/sampling?service=a+b")
                #expect(collector.text.contains(#""maxTracesPerSecond":5"#))
                for name in [ListenerName.jaegerSamplingGRPC, .jaegerGRPC] {
                    try await GRPCClient.with(try #require(ports[name])) { client in
                        let path = "/jaeger.api_v2.SamplingManager/GetSamplingStrategy"
                        let named = try await client.call(
                            path,
                            parts: [GRPCClient.frame([0x0a, 3] + Array("a b".utf8))]
                        )
                        #expect(named.status == "0")
                        #expect(GRPCClient.messages(in: named.data) == [[0x08, 1, 0x1a, 2, 0x08, 5]])
                        let nobody = try await client.call(path, parts: [GRPCClient.frame([])])
                        #expect(nobody.status == "0" && GRPCClient.messages(in: nobody.data).count == 1)
                        let other = try await client.call(path + "s", parts: [GRPCClient.frame([])])
                        #expect(other.status == "12")
                    }
                }
            }
        }
    }

    @Test(arguments: ["/sampling", "/", "/?service=a&service=b", "/sampling?Service=a"])
    func `a question that does not name one service is refused`(_ path: String) async throws {
        try await withServer { ports in
            let answer = try await get(ports[.jaegerSampling], path)
            #expect(answer.status == 400)
            #expect(answer.text == "'service' parameter must be provided once\n")
            try await #expect(get(ports[.jaegerSampling], "/other?service=a").status == 404)
        }
    }

    @Test func `a file that is no file of strategies stops the start with its line`() async throws {
        try await withStrategies("{\n\"default_strategy\": {\"type\": \"never\", \"param\": 1}}") { path in
            let error = await #expect(throws: ConfigurationError.self) {
                try await withServer({ $0.samplingStrategies = path }) { _ in }
            }
            #expect(error?.message.contains("line 2") == true)
        }
    }

    @Test func `a target of adaptive sampling tells the initial share and a lower bound`() async throws {
        try await withServer({ $0.samplingAdaptiveTarget = 1 }) { ports in
            let answer = try await get(ports[.jaegerSampling], "/sampling?service=new")
            #expect(answer.text.contains(#""defaultSamplingProbability":0.001"#))
            #expect(answer.text.contains(#""perOperationStrategies":[]"#))
        }
    }

    @Test func `what is left out at the door is counted by rule and not stored`() async throws {
        let rules = "head_sampling: {rules: [{name: health, operation: GET /health, sampler: always_off}]}"
        try await withStrategies(rules) { path in
            let file = try SamplingFile(path: path)
            try await withServer({ $0.sampling = file }) { ports in
                let spans = [
                    Request.span(1, name: "kept"), Request.span(2, name: "GET /health"),
                    Request.span(3, name: "GET /health"),
                ]
                let http = try #require(ports[.otlpHTTP])
                let answer = try await Answer.of(http, body: Request.protobuf(spans))
                #expect(answer.status == 200 && answer.body.isEmpty)
                let trace = try await get(
                    ports[.web],
                    "/api/skein/v1/traces/\(String(describing: Request.traceID))"
                )
                #expect(trace.text.contains(#""name":"kept""#) && !trace.text.contains("health"))
                let metrics = try await get(ports[.web], "/metrics").text
                #expect(metrics.contains("skein_sampled_out_spans_total{rule=\"health\"} 2\n"))
                #expect(metrics.contains("skein_received_spans_total{protocol=\"otlp-http\"} 3\n"))
                #expect(metrics.contains("skein_accepted_spans_total{protocol=\"otlp-http\"} 1\n"))
            }
        }
    }

    @Test func `Jaeger's tags weigh the spans of their trace`() async throws {
        try await withServer { ports in
            var root = Request.span(1, name: "root")
            root.attributes = [
                .init("sampler.type", .string("probabilistic")), .init("sampler.param", .double(0.25)),
            ]
            var child = Request.span(2, name: "child")
            child.parentSpanID = root.spanID
            let http = try #require(ports[.otlpHTTP])
            try await #expect(Answer.of(http, body: Request.protobuf([child, root])).status == 200)
            let path = "/api/skein/v1/traces/\(String(describing: Request.traceID))/skeleton"
            try await #expect(get(ports[.web], path).text.contains(#""weight":[4,4]"#))
        }
    }
}
