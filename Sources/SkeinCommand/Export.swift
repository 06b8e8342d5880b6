// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation

/// `skein export`: writes traces to a file.
struct Export: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write traces to a file that skein import and other tools read.",
        discussion: """
            OTLP JSON has all that is stored: one request a line, of one trace or a part of a large one. Jaeger's and \
            Zipkin's JSON have what those systems have room for. Without -o the traces go to standard output; a file has \
            its name once it is whole.

            Examples:
              skein export 'service = checkout and error = true' --since 1d -o errors.jsonl
              skein export --trace 0af7651916cd43dd8448eb211c80319c --format jaeger > trace.json
              skein export | gzip > everything.jsonl.gz

            Exit codes: 0 when all was written; 1 when it was not; 2 when the query is wrong.
            """
    )

    @Argument(help: "A query of spans, whose traces are written whole; all traces when left out.")
    var query = ""

    @Option(help: ArgumentHelp("otlp, jaeger or zipkin.", valueName: "form"))
    var format = "otlp"

    @Option(name: .shortAndLong, help: ArgumentHelp("The file to write.", valueName: "path"))
    var output: String?

    @Option(help: ArgumentHelp("Write this trace instead of those of a query; may come again.", valueName: "id"))
    var trace: [String] = []

    @Option(help: ArgumentHelp("Most traces to write, the newest.", valueName: "n"))
    var limit: Int?

    @Option(help: ArgumentHelp("Only the last while, such as 15m, 1h or 7d.", valueName: "duration"))
    var since: String?

    @Option(
        help: ArgumentHelp(
            "Only traces with a match at this moment or later (RFC 3339 or Unix nanoseconds).",
            valueName: "time"
        )
    )
    var from: String?

    @Option(help: ArgumentHelp("Only traces with a match before this moment.", valueName: "time"))
    var to: String?

    @OptionGroup var address: ServerAddress

    /// Traces of a page of a search.
    private static let pageTraceCount = 1000
    /// Traces that are asked for at once.
    private static let togetherMax = 8

    func validate() throws {
        guard ExportFormat(rawValue: format) != nil else {
            throw ValidationError("--format takes otlp, jaeger or zipkin, not \"\(format)\"")
        }
        if let limit, limit < 1 { throw ValidationError("--limit takes 1 or more, not \(limit)") }
        if since != nil, from != nil { throw ValidationError("give --since or --from, not both") }
        if let since, Figures.nanos(since) == nil {
            throw ValidationError("--since takes a duration such as 15m, 1h or 7d, not \"\(since)\"")
        }
        let narrowing = [query.isEmpty ? nil : query, since, from, to, limit.map { String($0) }]
        if !trace.isEmpty, narrowing.contains(where: { $0 != nil }) {
            throw ValidationError("--trace names the traces: give no query, time or limit with it")
        }
    }

    func run() async throws {
        try await reportingFailures {
            let client = try ServerClient(address.server)
            let texts = TraceTexts(client: client, format: ExportFormat(rawValue: format) ?? .otlp)
            var run = try ExportRun(texts, output)
            do throws(CommandFailure) {
                if trace.isEmpty {
                    try await writeFound(client, &run)
                } else {
                    for id in trace { try await run.write([id], areNamed: true) }
                }
                try run.finish()
            } catch {
                throw error.pointing(at: query)
            }
            CommandOutput.note(run.summary)
            for problem in run.problems { CommandOutput.note(problem) }
            if !run.problems.isEmpty { throw ExitCode.failure }
        }
    }

    /// Writes the traces that match, page by page.
    private func writeFound(_ client: ServerClient, _ run: inout ExportRun) async throws(CommandFailure) {
        var left = limit ?? .max
        var cursor: String?
        let start = from ?? since.flatMap { Query.start(since: $0, now: Date()) }
        repeat {
            let page = try await client.get(
                SearchAnswer.self,
                "/api/skein/v1/search",
                [
                    ("q", query), ("start", start), ("end", to), ("cursor", cursor),
                    ("limit", String(min(left, Self.pageTraceCount))),
                ]
            )
            if run.traceCount == 0, cursor == nil { page.noteHints() }
            var rest = page.traces[...]
            while let first = rest.first {
                // Small traces are asked for together; a large one fills the memory that it may take alone.
                let small = rest.prefix(Self.togetherMax).prefix { $0.spanCount <= TraceTexts.pageSpanCount }
                try await run.write(small.isEmpty ? [first.traceId] : small.map(\.traceId))
                rest = rest.dropFirst(max(1, small.count))
            }
            left -= page.traces.count
            cursor = page.next
        } while cursor != nil && left > 0
    }
}

/// Writes traces one after the other, and counts them.
struct ExportRun: ~Copyable {
    /// Traces that were written.
    private(set) var traceCount = 0
    /// What could not be written, in sentences.
    private(set) var problems: [String] = []
    private let texts: TraceTexts
    private let path: String?
    private var target: ExportTarget
    private var line = ProgressLine()
    private var isEmpty = true
    private let begin = ContinuousClock.now

    /// Begins to write to `path`, or to standard output.
    init(_ texts: TraceTexts, _ path: String?) throws(CommandFailure) {
        var target = try ExportTarget(path)
        try target.write(texts.format.opening.utf8)
        self.target = target
        self.texts = texts
        self.path = path
    }

    /// Writes traces. One that is gone since it was found is no matter, unless someone named it.
    mutating func write(_ traceIDs: [String], areNamed: Bool = false) async throws(CommandFailure) {
        for (id, head) in zip(traceIDs, await texts.heads(of: traceIDs)) {
            switch head {
            case .success(let head?):
                try await write(head, of: id)
                traceCount += 1
            case .success(nil):
                if areNamed { problems.append("No span of trace \(TerminalText.harmless(id)) is stored.") }
            case .failure(let failure):
                // A trace that is too large for forms that have it in one piece is no reason to stop.
                guard failure.status == 422 else { throw failure }
                problems.append("\(failure.description) Or export it as otlp, which takes traces of any size.")
            }
        }
        let (traces, bytes) = (traceCount, target.byteCount)
        let rate = Double(traces) / max(begin.duration(to: .now) / .seconds(1), 1e-3)
        line.show { "\(Figures.count(traces, "trace"))  \(Figures.bytes(bytes))  \(Figures.count(Int(rate))) traces/s" }
    }

    /// Writes a trace from its head on.
    private mutating func write(_ head: TraceTexts.Head, of traceID: String) async throws(CommandFailure) {
        var head = head
        while true {
            for text in head.texts {
                if !isEmpty { try target.write(texts.format.separator.utf8) }
                isEmpty = false
                try target.write(text)
            }
            guard let next = head.next else { return }
            head = try await texts.page(of: traceID, from: next)
        }
    }

    /// Ends the form, and gives the file its name.
    mutating func finish() throws(CommandFailure) {
        try target.write(texts.format.closing(isEmpty: isEmpty).utf8)
        try target.finish()
        line.end()
    }

    var summary: String {
        let place = path.map { " to \($0)" } ?? ""
        return "Wrote \(Figures.count(traceCount, "trace")), \(Figures.bytes(target.byteCount))\(place)."
    }
}
