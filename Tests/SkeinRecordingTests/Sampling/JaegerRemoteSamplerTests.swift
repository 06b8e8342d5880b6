// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinExport
import SkeinModel
import SkeinRecording
import SkeinWire
import Synchronization
import Testing
import Tracing

@Suite struct JaegerRemoteSamplerTests {
    /// Answers that are given one after the other, and what was logged.
    private final class Remote: Sendable {
        let answers = Mutex<[Result<[UInt8], JaegerRemoteSampler.SourceFailure>]>([])
        let logged = Mutex<[String]>([])
        let clock = SteppedClock()

        func sampler() -> JaegerRemoteSampler {
            JaegerRemoteSampler(
                service: "shop",
                clock: clock,
                log: { line in self.logged.withLock { $0.append(line) } },
                source: { _, _ in self.answers.withLock { $0.removeFirst() } }
            )
        }

        func answer(_ text: String, to sampler: JaegerRemoteSampler) {
            answers.withLock { $0.append(.success(Array(text.utf8))) }
            sampler.poll()
        }

        var lines: [String] { logged.withLock { $0 } }
    }

    private let remote = Remote()
    private static let half = #"{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":0.5}}"#

    private func count(_ sampler: any Sampler, of asked: Int, name: String = "op") -> Int {
        (0..<asked).count { _ in sampler.sample(.root(name: name)).isSampled }
    }

    @Test func `before the first answer a share is sampled`() {
        #expect(remote.sampler().description == "JaegerRemoteSampler{ProbabilitySampler{0.001}}")
        #expect(remote.sampler().sample(.root((1 << 56) - 1)).header == "ot=th:ffbe77")
    }

    @Test(
        arguments: [
            (half, "ProbabilitySampler{0.5}"),
            (#"{"strategyType":0,"probabilisticSampling":{"samplingRate":1}}"#, "ProbabilitySampler{1.0}"),
            (#"{"probabilisticSampling":{},"later":[{}]}"#, "ProbabilitySampler{0.0}"),
            (
                #"{"strategyType":"RATE_LIMITING","rateLimitingSampling":{"maxTracesPerSecond":5}}"#,
                "RateLimitingSampler{5.0}"
            ),
            (#"{"strategyType":1,"rateLimitingSampling":{"maxTracesPerSecond":5.0}}"#, "RateLimitingSampler{5.0}"),
            (
                #"{"strategyType":"PROBABILISTIC","operationSampling":{"defaultSamplingProbability":0.5,"#
                    + #""defaultLowerBoundTracesPerSecond":2,"perOperationStrategies":[{"operation":"GET /","#
                    + #""probabilisticSampling":{"samplingRate":0.25}}]}}"#,
                "GuaranteedThroughputSampler{default:0.5,lowerBound:2.0,operations:1}"
            ),
        ]
    )
    func `an answer is followed`(json: String, description: String) {
        let sampler = remote.sampler()
        remote.answer(json, to: sampler)
        #expect(sampler.description == "JaegerRemoteSampler{\(description)}" && remote.lines.isEmpty)
    }

    @Test func `what the server tells is what the client reads`() throws {
        let strategy = Jaeger.SamplingStrategy(
            .probabilistic(0.25),
            operations: .init(
                defaultProbability: 0.25,
                lowerBoundTracesPerSecond: 0.5,
                probabilities: [.init("a\"", 1)]
            )
        )
        var json = JSONWriter()
        strategy.write(to: &json)
        let read = try Jaeger.SamplingStrategy(json: json.bytes)
        #expect(read == strategy)
    }

    @Test(
        arguments: [
            "", "nonsense", "[]", "{}", #"{"strategyType":"OTHER"}"#, #"{"strategyType":2}"#, half + "x",
            #"{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":1.5}}"#,
            #"{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":"NaN"}}"#,
            #"{"strategyType":"PROBABILISTIC","probabilisticSampling":[]}"#,
            #"{"strategyType":"RATE_LIMITING"}"#,
            #"{"strategyType":"RATE_LIMITING","rateLimitingSampling":{"maxTracesPerSecond":-1}}"#,
            #"{"strategyType":"RATE_LIMITING","rateLimitingSampling":{"maxTracesPerSecond":1e300}}"#,
            #"{"operationSampling":{"defaultLowerBoundTracesPerSecond":-1}}"#,
            #"{"operationSampling":{"perOperationStrategies":[{"probabilisticSampling":{"samplingRate":2}}]}}"#,
            String(repeating: "[", count: 100_000), String(repeating: " ", count: 2 << 20) + "{}",
        ]
    )
    func `an answer that cannot be read changes nothing and is told once`(json: String) {
        let sampler = remote.sampler()
        remote.answer(Self.half, to: sampler)
        for _ in 0..<3 { remote.answer(json, to: sampler) }
        #expect(sampler.description == "JaegerRemoteSampler{ProbabilitySampler{0.5}}")
        #expect(remote.lines.count == 1)
        #expect(remote.lines.first?.contains("shop") == true)
    }

    @Test func `no answer is told once, and again after a good one`() {
        let sampler = remote.sampler()
        for isGood in [false, false, true, false] {
            if isGood {
                remote.answer(Self.half, to: sampler)
            } else {
                remote.answers.withLock { $0.append(.failure(.init("nobody listens on port 5778"))) }
                sampler.poll()
            }
        }
        #expect(remote.lines.count == 2)
        #expect(
            remote.lines.last
                == "the sampling strategy of shop did not arrive, and ProbabilitySampler{0.5} stays in force: "
                + "nobody listens on port 5778"
        )
    }

    @Test func `a limit that stays keeps what it is owed`() {
        let sampler = remote.sampler()
        let limit = #"{"strategyType":"RATE_LIMITING","rateLimitingSampling":{"maxTracesPerSecond":1}}"#
        remote.answer(limit, to: sampler)
        remote.clock.advance(seconds: 60)
        #expect(count(sampler, of: 3) == 1)
        remote.answer(limit, to: sampler)
        #expect(count(sampler, of: 3) == 0)
        let operations = #"{"operationSampling":{"defaultLowerBoundTracesPerSecond":1}}"#
        remote.answer(operations, to: sampler)
        _ = count(sampler, of: 1)
        remote.clock.advance(seconds: 60)
        #expect(count(sampler, of: 3) == 1)
        remote.answer(operations, to: sampler)
        #expect(count(sampler, of: 3) == 0)
    }

    @Test func `a thread asks until the shutdown, and is gone then`() async {
        /// Is let go with the source that holds it.
        final class Token: Sendable {
            let asked: AsyncStream<String>.Continuation
            init(_ asked: AsyncStream<String>.Continuation) { self.asked = asked }
            deinit { asked.finish() }
        }
        let (services, asked) = AsyncStream.makeStream(of: String.self)
        var token: Token? = Token(asked)
        var sampler: JaegerRemoteSampler?
        if let token {
            sampler = JaegerRemoteSampler(service: "shop", pollingInterval: .seconds(3_600)) { service, _ in
                token.asked.yield(service)
                return .success(Array(Self.half.utf8))
            }
        }
        token = nil
        var iterator = services.makeAsyncIterator()
        #expect(await iterator.next() == "shop")
        sampler?.shutdown()
        sampler?.shutdown()
        sampler = nil
        // Ends when the thread has, which holds the source.
        #expect(await iterator.next() == nil)
    }
}
