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
    static let pageSpanCount = 1000

    /// The beginning of a trace: all of it, or its first page.
    struct Head: Sendable {
        var texts: [Data] = []
        /// Where the pages go on; `nil` when this is all.
        var next: String?
    }

    /// What was read of one of several traces.
    private struct Placed: Sendable {
        var place: Int
        var head: Result<Head?, CommandFailure>
    }

    /// The beginnings of these traces, read at once, in order; `nil` for one that is not there.
    func heads(of traceIDs: [String]) async -> [Result<Head?, CommandFailure>] {
        await withTaskGroup(of: Placed.self) { group in
            for (place, id) in traceIDs.enumerated() {
                group.addTask { Placed(place: place, head: await found(id)) }
            }
            var heads = [Result<Head?, CommandFailure>](repeating: .success(nil), count: traceIDs.count)
            for await found in group { heads[found.place] = found.head }
            return heads
        }
    }

    private func found(_ traceID: String) async -> Result<Head?, CommandFailure> {
        do throws(CommandFailure) {
            return .success(try await head(of: traceID))
        } catch {
            return error.status == 404 ? .success(nil) : .failure(error)
        }
    }

    private func head(of traceID: String) async throws(CommandFailure) -> Head {
        switch format {
        case .otlp: return try await page(of: traceID, from: nil)
        // As it is stored: ids are not made apart, nor tags sorted.
        case .jaeger:
            return Head(texts: Self.objects(try await client.get("/api/traces/\(traceID)", [("raw", "true")])))
        case .zipkin: return Head(texts: Self.objects(try await client.get("/zipkin/api/v2/trace/\(traceID)")))
        }
    }

    /// The page of a trace that `cursor` leads to.
    func page(of traceID: String, from cursor: String?) async throws(CommandFailure) -> Head {
        let path = "/api/skein/v1/traces/\(traceID)/spans"
        let answer = try await client.get(path, [("limit", String(Self.pageSpanCount)), ("cursor", cursor)])
        do throws(WireError) {
            let page = try SpanPageText(answer)
            return Head(texts: page.spanCount > 0 ? [page.otlp()] : [], next: page.next)
        } catch {
            throw CommandFailure(
                description: "The answer to \(path) is not what this version of skein expects: is a Skein server there?"
            )
        }
    }

    /// The traces or spans of an answer.
    private static func objects(_ answer: Data) -> [Data] {
        var splitter = JSONSplitter()
        answer.withUnsafeBytes { splitter.append($0) }
        splitter.finish()
        var objects: [Data] = []
        while let piece = splitter.next() {
            if case .object(let bytes, _, _) = piece { objects.append(Data(bytes)) }
        }
        return objects
    }
}
