// SPDX-License-Identifier: Apache-2.0
import NIOCore
import SkeinBase
import SkeinCompression
import SkeinPipeline
import SkeinWire

/// What becomes of the signals that OTLP has, over whatever they come.
package struct OTLPExports: Sendable {
    enum Signal: Sendable { case traces, logs, metrics }

    let traces: TraceExport
    private let logs: LogExport?
    private let metrics: MetricExport

    /// Exports of which logs are stored when `logs` is there, and otherwise are unknown.
    package init(traces: TraceExport, logs: LogExport?, metrics: MetricExport) {
        self.traces = traces
        self.logs = logs
        self.metrics = metrics
    }

    /// The signal that is posted to a path.
    ///
    /// The Langfuse SDK appends `/api/public/otel/v1/traces` to `LANGFUSE_HOST` and cannot be told another path.
    func signal(atPath path: Substring) -> Signal? {
        switch path {
        case "/v1/traces", "/api/public/otel/v1/traces": .traces
        case "/v1/logs" where logs != nil: .logs
        case "/v1/metrics": .metrics
        default: nil
        }
    }

    func receive(
        _ signal: Signal,
        _ body: consuming ByteBuffer,
        coding: ContentCoding,
        encoding: TraceExport.Encoding,
        memory: HeldMemory?,
        isImport: Bool = false
    ) async throws(Refusal) -> OTLP.ExportResponse {
        switch signal {
        case .traces:
            return try await traces.receive(
                body,
                coding: coding,
                encoding: encoding,
                memory: memory,
                isImport: isImport
            )
        case .logs:
            traces.counters.bytes.add(body.readableBytes)
            guard let logs else { throw Refusal(.unsupported, "logs are not stored here") }
            return try await logs.receive(body, coding: coding, encoding: encoding, memory: memory)
        case .metrics:
            traces.counters.bytes.add(body.readableBytes)
            try metrics.receive(body, coding: coding, encoding: encoding, memory: memory)
            return OTLP.ExportResponse()
        }
    }
}
