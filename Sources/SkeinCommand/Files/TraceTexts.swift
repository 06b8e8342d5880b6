// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinBase
import SkeinWire

/// The forms that traces are written in.
enum ExportFormat: String, CaseIterable {
    /// One `ExportTraceServiceRequest` a line.
    case otlp
    /// An answer of Jaeger's query API: one object, with a trace a line.
    case jaeger
    /// A list of spans, one a line.
    case zipkin

    /// What stands before all traces.
    var opening: String {
        switch self {
        case .otlp: ""
        case .jaeger: "{\"data\":["
        case .zipkin: "["
        }
    }

    /// What stands between two elements.
    var separator: String { self == .otlp ? "\n" : ",\n" }

    /// What stands behind all traces, of which there are some or none.
    func closing(isEmpty: Bool) -> String {
        switch self {
        case .otlp: isEmpty ? "" : "\n"
        case .jaeger: "]}\n"
        case .zipkin: "]\n"
        }
    }
}

/// Reads traces from a server as texts of a form.
struct TraceTexts: Sendable {
    let client: ServerClient
    let format: ExportFormat

    /// Spans of a page; a trace of more is written in parts where the form allows it.
    private static let pageSpanCount = 1000

    /// Calls `body` with the texts of one trace, in order. `false` when it is not there.
    func forEach(of traceID: String, _ body: (Data) throws(CommandFailure) -> Void) async throws(CommandFailure) -> Bool
    {
        do throws(CommandFailure) {
            switch format {
            case .otlp: try await forEachPage(of: traceID, body)
            // As it is stored: ids are not made apart, nor tags sorted.
            case .jaeger:
                try Self.forEachObject(of: await client.get("/api/traces/\(traceID)", [("raw", "true")]), body)
            case .zipkin: try Self.forEachObject(of: await client.get("/zipkin/api/v2/trace/\(traceID)"), body)
            }
            return true
        } catch  where error.status == 404 {
            return false
        }
    }

    private func forEachPage(
        of traceID: String,
        _ body: (Data) throws(CommandFailure) -> Void
    ) async throws(CommandFailure) {
        let path = "/api/skein/v1/traces/\(traceID)/spans"
        var cursor: String?
        repeat {
            let answer = try await client.get(path, [("limit", String(Self.pageSpanCount)), ("cursor", cursor)])
            let page: SpanPageText
            do throws(WireError) {
                page = try SpanPageText(answer)
            } catch {
                throw CommandFailure(
                    description:
                        "The answer to \(path) is not what this version of skein expects: is a Skein server there?"
                )
            }
            if page.spanCount > 0 { try body(page.otlp()) }
            cursor = page.next
        } while cursor != nil
    }

    /// The traces or spans of an answer.
    private static func forEachObject(
        of answer: Data,
        _ body: (Data) throws(CommandFailure) -> Void
    ) throws(CommandFailure) {
        var splitter = JSONSplitter()
        answer.withUnsafeBytes { splitter.append($0) }
        splitter.finish()
        while let piece = splitter.next() {
            if case .object(let bytes, _, _) = piece { try body(Data(bytes)) }
        }
    }
}
