// SPDX-License-Identifier: Apache-2.0
import NIOCore
import SkeinBase
import SkeinCompression
import SkeinPipeline
import SkeinReceivers
import SkeinWire

/// Remote sampling over gRPC: `jaeger.api_v2.SamplingManager/GetSamplingStrategy`.
struct SamplingGRPCService: GRPCService {
    private static let path = "/jaeger.api_v2.SamplingManager/GetSamplingStrategy"
    /// Most bytes of a question, which is a name.
    static let messageBytesMax = 64 << 10

    let answers: SamplingAnswers
    let refusals: RefusalCounters

    func method(at path: String) -> GRPCMethod? { Self.method(at: path, answers) }

    /// The method at `path`, for whoever has others beside it.
    static func method(at path: String, _ answers: SamplingAnswers) -> GRPCMethod? {
        guard path == Self.path else { return nil }
        return .unary { request throws(Refusal) in
            var out = ByteWriter()
            answers.strategy(of: try serviceName(in: request)).appendProtobuf(to: &out)
            return ByteBuffer(bytes: out.bytes)
        }
    }

    func count(_ reason: Refusal.Reason) { refusals.add(reason) }

    private static func serviceName(in request: borrowing GRPCRequest) throws(Refusal) -> String {
        let coding = request.coding.flatMap { ContentCoding(rawValue: $0) } ?? .identity
        let message = request.message
        let name: Result<String, Refusal> = message.withUnsafeReadableBytes { bytes in
            do {
                let plain = try coding.decode(bytes, limit: messageBytesMax)
                return .success(
                    try plain.withUnsafeBytes { try Jaeger.SamplingStrategy.serviceName(inProtobuf: $0) }
                )
            } catch {
                return .failure(Refusal(.malformed, "the question is no SamplingStrategyParameters: \(error)"))
            }
        }
        return try name.get()
    }
}
