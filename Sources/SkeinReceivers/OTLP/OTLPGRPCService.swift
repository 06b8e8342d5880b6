// SPDX-License-Identifier: Apache-2.0
import NIOCore
import SkeinCompression
package import SkeinPipeline

/// OTLP over gRPC (OTLP 1.9 §OTLP/gRPC): `Export` of traces, logs and metrics.
package struct OTLPGRPCService: GRPCService {
    private let exports: OTLPExports

    /// The service in front of `exports`.
    package init(_ exports: OTLPExports) { self.exports = exports }

    package func method(at path: String) -> GRPCMethod? {
        exports.traces.counters.requests.add()
        let signal: OTLPExports.Signal
        switch path {
        case "/opentelemetry.proto.collector.trace.v1.TraceService/Export": signal = .traces
        case "/opentelemetry.proto.collector.logs.v1.LogsService/Export": signal = .logs
        case "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export": signal = .metrics
        default: return nil
        }
        return .unary { [exports] request throws(Refusal) in
            let coding = request.coding.flatMap { ContentCoding(rawValue: $0) } ?? .identity
            let (message, memory) = (request.message, request.memory)
            _ = consume request
            let response = try await exports.receive(
                signal,
                message,
                coding: coding,
                encoding: .protobuf,
                memory: memory
            )
            return TraceExport.Encoding.protobuf.body(response)
        }
    }

    package func count(_ reason: Refusal.Reason) { exports.traces.counters.refuse(reason) }
}
