// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOHTTP1
import SkeinAPI
import SkeinBase
import SkeinPipeline
import SkeinReceivers
import SkeinWire
import Synchronization

/// What clients are told of how to sample: by the file of strategies, by what adaptive sampling found, or by nobody.
final class SamplingAnswers: Sendable {
    private let strategies = Mutex<Jaeger.SamplingStrategies?>(nil)
    private let adaptive: AdaptiveSampling?

    init(adaptive: AdaptiveSampling?) { self.adaptive = adaptive }

    /// Answers by `file` from now on.
    func set(_ file: Jaeger.SamplingStrategies) { strategies.withLock { $0 = file } }

    /// A service that the file names is told what stands there; another, its shares if they are calculated, then the
    /// default of the file.
    func strategy(of service: String) -> Jaeger.SamplingStrategy {
        let file = strategies.withLock { $0 }
        if let named = file?.services[service] { return named }
        guard let adaptive else { return file?.defaultStrategy ?? .unknown }
        let initial = adaptive.settings.initialProbability
        return Jaeger.SamplingStrategy(
            .probabilistic(initial),
            operations: .init(
                defaultProbability: initial,
                lowerBoundTracesPerSecond: adaptive.settings.lowerBoundPerSecond,
                probabilities: adaptive.probabilities(of: service).map { .init($0.operation, $0.probability) }
            )
        )
    }

    /// The answer to what old clients ask a collector at `GET /api/sampling?service=`; `nil` for any other question.
    func answer(toCollector head: HTTPRequestHead) -> HTTPAnswer? {
        head.path == "/api/sampling" && head.method == .GET ? answer(target: String(head.target)) : nil
    }

    /// The answer to a question over HTTP for `target`, which names the service in its query.
    func answer(target: String) -> HTTPAnswer {
        let names = APIRequest(target: target).queryValues("service")
        guard names.count == 1 else { return .text(.badRequest, "'service' parameter must be provided once\n") }
        var json = JSONWriter(capacity: 256)
        strategy(of: names[0]).write(to: &json)
        return HTTPAnswer(
            .ok,
            HTTPHeaders([("content-type", "application/json")]),
            body: ByteBuffer(bytes: json.bytes)
        )
    }
}
