// SPDX-License-Identifier: Apache-2.0
import NIOCore
import SkeinCompression
package import SkeinPipeline
import SkeinWire

/// Zipkin's spans over gRPC: `zipkin.proto3.SpanService/Report` (zipkin-api 1.0.0 `zipkin.proto`).
package struct ZipkinGRPCService: GRPCService {
    private static let path = "/zipkin.proto3.SpanService/Report"

    private let intake: ZipkinIntake

    /// The service in front of `intake`.
    package init(_ intake: ZipkinIntake) { self.intake = intake }

    package func method(at path: String) -> GRPCMethod? {
        intake.counters.requests.add()
        guard path == Self.path else { return nil }
        return .unary { [intake] request throws(Refusal) in
            let coding = request.coding.flatMap { ContentCoding(rawValue: $0) } ?? .identity
            let (message, memory) = (request.message, request.memory)
            _ = consume request
            try await intake.receive(message, coding: coding, as: .known(.proto3), memory: memory)
            // `ReportResponse` has no fields.
            return ByteBuffer()
        }
    }

    package func count(_ reason: Refusal.Reason) { intake.counters.refuse(reason) }
}
