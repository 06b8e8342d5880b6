// SPDX-License-Identifier: Apache-2.0
import NIOCore
import SkeinCompression
package import SkeinPipeline
import SkeinWire

/// What Jaeger agents and clients send to a collector over gRPC: `jaeger.api_v2.CollectorService/PostSpans`.
package struct JaegerGRPCService: GRPCService {
    private static let path = "/jaeger.api_v2.CollectorService/PostSpans"

    private let intake: SpanIntake
    private let decoders: DecoderPool<Jaeger.ProtobufDecoder>
    /// Has the other methods of a collector, such as sampling strategies.
    private let other: @Sendable (String) -> GRPCMethod?

    /// A service in front of `intake`.
    package init(_ intake: SpanIntake, other: @escaping @Sendable (String) -> GRPCMethod? = { _ in nil }) {
        self.intake = intake
        self.other = other
        decoders = DecoderPool { [limits = intake.limits] in Jaeger.ProtobufDecoder(limits: limits) }
    }

    package func method(at path: String) -> GRPCMethod? {
        if path != Self.path, let method = other(path) { return method }
        intake.counters.requests.add()
        guard path == Self.path else { return nil }
        return .unary { [intake, decoders] request throws(Refusal) in
            let coding = request.coding.flatMap { ContentCoding(rawValue: $0) } ?? .identity
            let (message, memory) = (request.message, request.memory)
            _ = consume request
            _ = try await intake.receive(message, coding: coding, memory: memory) {
                bytes,
                now throws(WireError) -> DecodedSpans in
                try decoders.lend { decoder throws(WireError) in try decoder.decode(bytes, receivedUnixNanos: now) }
            }
            // `PostSpansResponse` has no fields.
            return ByteBuffer()
        }
    }

    package func count(_ reason: Refusal.Reason) { intake.counters.refuse(reason) }
}
