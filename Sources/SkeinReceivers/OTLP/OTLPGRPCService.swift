// SPDX-License-Identifier: Apache-2.0
import NIOCore
import SkeinCompression
package import SkeinPipeline

/// OTLP over gRPC (OTLP 1.5 §OTLP/gRPC): `TraceService/Export`.
package struct OTLPGRPCService: GRPCService {
    private static let path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

    private let export: TraceExport

    /// The service in front of `export`.
    package init(_ export: TraceExport) { self.export = export }

    package func method(at path: String) -> GRPCMethod? {
        export.counters.requests.add()
        guard path == Self.path else { return nil }
        return .unary { [export] request throws(Refusal) in
            let coding = request.coding.flatMap { ContentCoding(rawValue: $0) } ?? .identity
            let (message, memory) = (request.message, request.memory)
            _ = consume request
            let response = try await export.receive(message, coding: coding, encoding: .protobuf, memory: memory)
            return TraceExport.Encoding.protobuf.body(response)
        }
    }

    package func count(_ reason: Refusal.Reason) { export.counters.refuse(reason) }
}
