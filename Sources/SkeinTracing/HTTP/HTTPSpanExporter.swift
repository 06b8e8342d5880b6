// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinExport
import SkeinRecording
import SkeinWire
import Synchronization

/// Posts spans to a collector.
final class HTTPSpanExporter: SpanExporter {
    /// What a collector understands.
    enum Format: Sendable {
        case otlpProtobuf, otlpJSON, zipkinJSON, jaegerThrift

        var contentType: String {
            switch self {
            case .otlpProtobuf: "application/x-protobuf"
            case .otlpJSON, .zipkinJSON: "application/json"
            case .jaegerThrift: "application/x-thrift"
            }
        }

        /// As in the semantic conventions, `otel.component.type`.
        var exporterName: String {
            switch self {
            case .otlpProtobuf: "otlp_http_span_exporter"
            case .otlpJSON: "otlp_http_json_span_exporter"
            case .zipkinJSON: "zipkin_http_span_exporter"
            case .jaegerThrift: "jaeger_http_span_exporter"
            }
        }
    }

    private let format: Format
    private let sender: HTTPSender
    /// Kept from export to export.
    private let buffer = Mutex(ByteWriter(capacity: 64 << 10))

    init(_ format: Format, to target: HTTPTarget) throws {
        self.format = format
        sender = try HTTPSender(target)
    }

    var typeName: String { format.exporterName }

    func shutdown() { sender.shutdown() }

    func export(_ spans: [FinishedSpan], by deadline: ContinuousClock.Instant) -> ExportResult {
        switch format {
        case .otlpProtobuf:
            buffer.withLock { buffer in
                buffer.removeAll()
                OTLPProtobuf.append(spans, to: &buffer)
                return post(buffer.bytes, spans.count, by: deadline)
            }
        case .otlpJSON:
            post(json: deadline, spans.count) { OTLPJSON.write(spans, to: &$0) }
        case .zipkinJSON:
            post(json: deadline, spans.count) { ZipkinJSON.write(spans, to: &$0) }
        case .jaegerThrift:
            postBatches(spans, by: deadline)
        }
    }

    private func post(
        json deadline: ContinuousClock.Instant,
        _ count: Int,
        _ write: (inout JSONWriter) -> Void
    ) -> ExportResult {
        var json = JSONWriter(capacity: 64 << 10)
        write(&json)
        return post(json.bytes, count, by: deadline)
    }

    private func post(_ body: UnsafeRawBufferPointer, _ count: Int, by deadline: ContinuousClock.Instant)
        -> ExportResult
    {
        do throws(HTTPSender.Failure) {
            let answer = try sender.post(
                body,
                contentType: format.contentType,
                userAgent: SDKVersion.userAgent,
                by: deadline
            )
            return result(answer, count)
        } catch {
            return .failed(reason: error.reason + (error.answer.flatMap(message).map { ": \($0)" } ?? ""))
        }
    }

    /// Jaeger's collectors take the spans of one service at a time.
    private func postBatches(_ spans: [FinishedSpan], by deadline: ContinuousClock.Instant) -> ExportResult {
        var lostCount = 0
        var reason = ""
        JaegerThrift.forEachBatch(of: spans) { bytes, count in
            if case .failed(let why) = post(bytes, count, by: deadline) {
                (lostCount, reason) = (lostCount + count, why)
            }
        }
        if lostCount == 0 { return .done }
        return lostCount == spans.count ? .failed(reason: reason) : .partlyRejected(count: lostCount, reason: reason)
    }

    /// What an answer with success says of the spans. One without a body, or with one that cannot be read, says nothing bad.
    private func result(_ answer: HTTPSender.Answer, _ count: Int) -> ExportResult {
        guard format == .otlpProtobuf || format == .otlpJSON, !answer.body.isEmpty,
            let response = OTLPAnswer.partialSuccess(
                answer.body,
                isJSON: answer.contentType.hasPrefix("application/json")
            ),
            response.rejectedCount > 0
        else { return .done }
        return .partlyRejected(
            count: min(response.rejectedCount, count),
            reason: OTLPAnswer.shown(response.errorMessage)
        )
    }

    /// What an answer without success says, if it is text or the status of OTLP.
    private func message(_ answer: HTTPSender.Answer) -> String? {
        if answer.body.isEmpty { return nil }
        if answer.contentType.hasPrefix("application/x-protobuf") { return OTLPAnswer.statusMessage(answer.body) }
        return OTLPAnswer.shown(String(decoding: answer.body.prefix(OTLPAnswer.shownBytesMax), as: UTF8.self))
    }
}
