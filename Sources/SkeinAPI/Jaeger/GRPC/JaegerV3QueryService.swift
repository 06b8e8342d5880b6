// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinWire

/// `jaeger.api_v3.QueryService` and `jaeger.api_v3.Capabilities` (jaeger-idl, query_service.proto, capabilities.proto), which
/// Jaeger serves on port 16685: spans are OTLP's.
package struct JaegerV3QueryService: APIStreamService {
    private let api: API

    package init(_ api: API) { self.api = api }

    private static let package = "/jaeger.api_v3."
    /// Spans that are put into a message, if they fit.
    private static let spanCountMax = 500
    private static let summaryCountMax = 100

    package func call(_ path: String, _ message: [UInt8]) -> APIStreamAnswer? {
        guard path.hasPrefix(Self.package) else { return nil }
        let streaming = JaegerStreaming(api, path)
        switch path.dropFirst(Self.package.count) {
        case "QueryService/GetTrace":
            return streaming.answer { streaming, send in
                let request = try JaegerTraceRequest(message, idIsText: true)
                try await streaming.forTrace(request.id) { try await Self.send($0, isRaw: request.isRaw, send) }
            }
        case "QueryService/FindTraces":
            return streaming.answer { streaming, send in
                let query = try JaegerQuery(findTraces: message, needsTimes: true)
                let ids = try await streaming.api.traceIDs(query, streaming.call)
                try await streaming.forEachTrace(ids) { try await Self.send($0, isRaw: query.isRaw, send) }
            }
        case "QueryService/FindTraceSummaries":
            return streaming.answer { streaming, send in
                let query = try JaegerQuery(findTraces: message, needsTimes: true)
                let summaries = try await JaegerV3API.summaries(of: query, streaming.api, streaming.call)
                for start in stride(from: 0, to: summaries.count, by: Self.summaryCountMax) {
                    let end = min(start + Self.summaryCountMax, summaries.count)
                    try await send(Self.message(of: summaries[start..<end]))
                }
            }
        case "QueryService/GetServices":
            return streaming.answer { (streaming) throws(APIError) in try await JaegerQueryService.services(streaming) }
        case "QueryService/GetOperations":
            return streaming.answer { (streaming) throws(APIError) in try await Self.operations(message, streaming) }
        case "QueryService/GetDependencies":
            return streaming.answer { (streaming) throws(APIError) in
                try await JaegerQueryService.dependencies(message, streaming)
            }
        case "Capabilities/GetCapabilities": return streaming.answer { _ in Self.capabilities }
        default: return nil
        }
    }

    /// Sends a trace as `TracesData` (OTLP), some spans at a time.
    private static func send(_ batch: SpanBatch, isRaw: Bool, _ send: APIStreamAnswer.Send) async throws {
        let batch = isRaw ? batch : batch.adjustedAsJaegerDoes()
        var start = 0
        var count = spanCountMax
        while start < batch.count {
            let rows = start..<min(start + count, batch.count)
            let message = OTLP.ProtobufEncoder.bytes(of: batch.part(rows))
            // Large spans are tried again in smaller parts.
            if message.count > JaegerStreaming.messageBytesMax, rows.count > 1 {
                count = rows.count / 2
                continue
            }
            try await send(message)
            start = rows.upperBound
        }
    }

    /// `GetOperationsResponse{ 1 operations{ 1 name, 2 span_kind }* }`.
    private static func operations(
        _ message: [UInt8],
        _ streaming: JaegerStreaming
    ) async throws(APIError) -> [UInt8] {
        let operations = try await JaegerQueryService.operations(message, streaming, word: JaegerV3API.word(for:))
        var out = ByteWriter(capacity: 64 + operations.count * 64)
        for operation in operations {
            out.appendMessage(1) { out in
                out.appendField(1, text: operation.name)
                out.appendField(2, text: JaegerV3API.word(for: operation))
            }
        }
        return out.array()
    }

    /// `FindTraceSummariesResponse{ 1 summaries* }`, each `{ 1 trace_id, 2 root_service_name, 3 root_operation_name,
    /// 4 min_start_time_unix_nano (fixed64), 5 max_end_time_unix_nano (fixed64), 6 span_count, 7 error_span_count,
    /// 8 orphan_span_count, 9 services{ 1 name, 2 span_count, 3 error_span_count }* }`.
    private static func message(of summaries: ArraySlice<JaegerTraceSummary>) -> [UInt8] {
        var out = ByteWriter(capacity: summaries.count * 256)
        for summary in summaries {
            out.appendMessage(1) { out in
                out.appendField(1, text: summary.trace.traceID.description)
                out.appendField(2, text: summary.trace.rootServiceName)
                out.appendField(3, text: summary.trace.rootSpanName)
                out.appendField(4, fixed64: summary.trace.startUnixNanos)
                out.appendField(5, fixed64: summary.endUnixNanos)
                out.appendField(6, varint: UInt64(Int32(clamping: summary.trace.spanCount)))
                out.appendField(7, varint: UInt64(Int32(clamping: summary.trace.errorCount)))
                out.appendField(8, varint: UInt64(Int32(clamping: summary.orphanCount)))
                for service in summary.services {
                    out.appendMessage(9) { out in
                        out.appendField(1, text: service.name)
                        out.appendField(2, varint: UInt64(Int32(clamping: service.spanCount)))
                        out.appendField(3, varint: UInt64(Int32(clamping: service.errorCount)))
                    }
                }
            }
        }
        return out.array()
    }

    /// `GetCapabilitiesResponse{ 1 search{ 1 without_service_name, 2 same_span_conjunction } }`.
    private static var capabilities: [UInt8] {
        var out = ByteWriter(capacity: 16)
        out.appendMessage(1) { out in
            out.appendField(1, varint: 1)
            out.appendField(2, varint: 1)
        }
        return out.array()
    }
}
