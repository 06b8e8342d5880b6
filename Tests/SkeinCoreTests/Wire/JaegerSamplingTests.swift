// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinWire
import Testing

@Suite("Jaeger sampling strategies")
struct JaegerSamplingTests {
    typealias Strategies = Jaeger.SamplingStrategies
    typealias Strategy = Jaeger.SamplingStrategy

    private static func read(_ text: String) throws(WireError) -> Strategies {
        let bytes = Array(text.utf8)
        let result: Result<Strategies, WireError> = bytes.withUnsafeBytes { bytes in
            do throws(WireError) { return .success(try Strategies(json: bytes)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    @Test("A file in Jaeger's format says what each service is told")
    func file() throws {
        let file = try Self.read(
            """
            {
              "default_strategy": {
                "type": "probabilistic", "param": 0.5,
                "operation_strategies": [
                  {"operation": "/health", "type": "probabilistic", "param": 0.0},
                  {"operation": "/metrics", "type": "probabilistic", "param": 0.1}
                ]
              },
              "service_strategies": [
                {"service": "foo", "type": "probabilistic", "param": 0.8,
                 "operation_strategies": [
                   {"operation": "op1", "type": "probabilistic", "param": 0.2},
                   {"operation": "/health", "type": "probabilistic", "param": 1}
                 ]},
                {"service": "bar", "type": "ratelimiting", "param": 5}
              ]
            }
            """
        )
        #expect(
            file.services["foo"]
                == Strategy(
                    .probabilistic(0.8),
                    operations: .init(
                        defaultProbability: 0.8,
                        probabilities: [.init("op1", 0.2), .init("/health", 1), .init("/metrics", 0.1)]
                    )
                )
        )
        #expect(file.services["bar"] == Strategy(.rateLimiting(5)))
        #expect(
            file.defaultStrategy
                == Strategy(
                    .probabilistic(0.5),
                    operations: .init(
                        defaultProbability: 0.5,
                        probabilities: [.init("/health", 0), .init("/metrics", 0.1)]
                    )
                )
        )
    }

    @Test("A file without strategies is one", arguments: ["{}", "{\"service_strategies\": null}", " { } "])
    func empty(_ text: String) throws {
        let file = try Self.read(text)
        #expect(file.defaultStrategy == nil && file.services.isEmpty)
    }

    @Test(
        "What is no file of strategies, or contradicts itself, is refused with its line",
        arguments: [
            ("", "the text ends", 1),
            ("[]", "an object", 1),
            ("{\n\"default_stategy\": {}}", "neither default_strategy nor", 2),
            ("{\n\"default_strategy\":\n{\"type\": \"often\", \"param\": 1}}", "\"often\" is neither", 3),
            ("{\"default_strategy\":\n{\"type\": \"probabilistic\"}}", "has no param", 2),
            ("{\"default_strategy\":\n{\"type\": \"probabilistic\", \"param\": 1.5}}", "1.5 is not from 0 to 1", 2),
            ("{\"default_strategy\":\n{\"type\": \"probabilistic\", \"param\": \"NaN\"}}", "nan is not from 0 to 1", 2),
            ("{\"default_strategy\":\n{\"type\": \"ratelimiting\", \"param\": 0.5}}", "0.5 traces a second", 2),
            ("{\"default_strategy\":\n{\"type\": \"ratelimiting\", \"param\": 1e300}}", "traces a second", 2),
            ("{\"service_strategies\": [\n{\"type\": \"probabilistic\", \"param\": 1}]}", "has no service", 2),
            (
                """
                {"service_strategies": [
                {"service": "a", "type": "probabilistic", "param": 1},
                {"service": "a", "type": "probabilistic", "param": 0}]}
                """, "\"a\" has two strategies", 3
            ),
            (
                """
                {"service_strategies": [
                {"service": "a", "type": "ratelimiting", "param": 1,
                 "operation_strategies": [{"operation": "b", "type": "probabilistic", "param": 0}]}]}
                """, "would follow instead", 2
            ),
            (
                """
                {"service_strategies": [
                {"service": "a", "type": "probabilistic", "param": 1, "operation_strategies": [
                {"operation": "b", "type": "ratelimiting", "param": 1}]}]}
                """, "cannot be told of an operation", 3
            ),
            (
                """
                {"service_strategies": [
                {"service": "a", "type": "probabilistic", "param": 1, "operation_strategies": [
                {"operation": "b", "type": "probabilistic", "param": 1},
                {"operation": "b", "type": "probabilistic", "param": 1}]}]}
                """, "\"b\" has two strategies", 4
            ),
            ("{} {}", "the end", 1),
        ]
    )
    func refuses(_ text: String, _ message: String, _ line: Int) {
        let error = #expect(throws: WireError.self) { try Self.read(text) }
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
        #expect(error?.place?.line == line)
    }

    private static let answers: [(Strategy, json: String, protobuf: [UInt8])] = [
        (
            Strategy(.probabilistic(0.5)),
            #"{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":0.5}}"#,
            [0x12, 9, 0x09, 0, 0, 0, 0, 0, 0, 0xe0, 0x3f]
        ),
        (
            Strategy(.rateLimiting(5)),
            #"{"strategyType":"RATE_LIMITING","rateLimitingSampling":{"maxTracesPerSecond":5}}"#,
            [0x08, 1, 0x1a, 2, 0x08, 5]
        ),
        (
            Strategy(
                .probabilistic(0),
                operations: .init(
                    defaultProbability: 0.5,
                    lowerBoundTracesPerSecond: 2,
                    probabilities: [.init("a\"", 1)]
                )
            ),
            #"{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":0.0},"operationSampling":"#
                + #"{"defaultSamplingProbability":0.5,"defaultLowerBoundTracesPerSecond":2.0,"#
                + #""perOperationStrategies":[{"operation":"a\"","probabilisticSampling":{"samplingRate":1.0}}]}}"#,
            [0x12, 0, 0x22, 35, 0x09, 0, 0, 0, 0, 0, 0, 0xe0, 0x3f, 0x11, 0, 0, 0, 0, 0, 0, 0, 0x40]
                + [0x1a, 15, 0x0a, 2, 0x61, 0x22, 0x12, 9, 0x09, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f]
        ),
    ]

    @Test("Strategies are told in the JSON and the Protocol Buffers of Jaeger", arguments: answers.indices)
    func encodes(_ index: Int) {
        let (strategy, json, protobuf) = Self.answers[index]
        var writer = JSONWriter()
        strategy.write(to: &writer)
        #expect(writer.text == json)
        var out = ByteWriter()
        strategy.appendProtobuf(to: &out)
        #expect(out.array() == protobuf)
    }

    @Test("The question names a service, and may name none")
    func question() throws {
        for (bytes, name) in [([0x0a, 2, 0x61, 0x62], "ab"), ([], ""), ([0x12, 1, 0], "")] as [([UInt8], String)] {
            #expect(
                try bytes.withUnsafeBufferPointer { try Strategy.serviceName(inProtobuf: UnsafeRawBufferPointer($0)) }
                    == name
            )
        }
        let cut: [UInt8] = [0x0a, 2, 0x61]
        #expect(throws: WireError.self) {
            try cut.withUnsafeBufferPointer { try Strategy.serviceName(inProtobuf: UnsafeRawBufferPointer($0)) }
        }
    }
}
