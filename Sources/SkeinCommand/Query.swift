// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import SkeinTraceQL

/// `skein query`: searches for traces and lists them, or counts spans and lists the series.
struct Query: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Search for traces, newest first, or count spans over time.",
        discussion: """
            Examples:
              skein query 'service = checkout and error = true' --since 1h
              skein query 'duration > 500ms and user.id = "abc123"'
              skein query '{ span.http.response.status_code >= 500 }' --json
              skein query '{ resource.service.name = "web" } >> { status = error } | order by duration'
              skein query '{ } | rate() by(resource.service.name)' --since 1h

            Exit codes: 0 when the question was answered, be it by nothing; 1 when it was not; 2 when the query is wrong.
            """
    )

    @Argument(help: "TraceQL, or a plain condition on spans; all traces when left out.")
    var query = ""

    @Option(help: ArgumentHelp("Most traces to list, at most 10000.", valueName: "n"))
    var limit = 20

    @Option(help: ArgumentHelp("Only the last while, such as 15m, 1h or 7d.", valueName: "duration"))
    var since: String?

    @Option(
        help: ArgumentHelp(
            "Only spans that start at this moment or later (RFC 3339 or Unix nanoseconds).",
            valueName: "time"
        )
    )
    var from: String?

    @Option(help: ArgumentHelp("Only spans that start before this moment.", valueName: "time"))
    var to: String?

    @Option(help: ArgumentHelp("The step of series, such as 1m; some 240 steps when left out.", valueName: "duration"))
    var step: String?

    @Flag(help: "Print the server's answer as it is.")
    var json = false

    @OptionGroup var address: ServerAddress

    func validate() throws {
        guard (1...10_000).contains(limit) else { throw ValidationError("--limit takes 1 to 10000, not \(limit)") }
        if since != nil, from != nil { throw ValidationError("give --since or --from, not both") }
        if let since, Figures.nanos(since) == nil {
            throw ValidationError("--since takes a duration such as 15m, 1h or 7d, not \"\(since)\"")
        }
    }

    func run() async throws {
        try await reportingFailures {
            let client = try ServerClient(address.server)
            // What does not parse is for the server to explain.
            if let parsed = try? TraceQL.parse(query), parsed.countsSpans { return try await listSeries(client) }
            if step != nil {
                throw CommandFailure(
                    description: "--step is for queries that count spans, such as { } | rate(); this one finds traces.",
                    exitCode: 2
                )
            }
            let parameters: [(String, String?)] = [
                ("q", query), ("limit", String(limit)), ("start", from ?? start(now: Date())), ("end", to),
            ]
            let path = "/api/skein/v1/search"
            let body: Data
            do throws(CommandFailure) {
                body = try await client.get(path, parameters)
            } catch {
                throw error.pointing(at: query)
            }
            if json { return CommandOutput.write(body + Data("\n".utf8)) }
            show(try ServerClient.decode(SearchAnswer.self, body, from: path), on: .standardOutput())
        }
    }

    private func listSeries(_ client: ServerClient) async throws {
        let path = "/api/skein/v1/metrics"
        let parameters: [(String, String?)] = [
            ("q", query), ("start", from ?? start(now: Date())), ("end", to), ("step", step),
        ]
        let body: Data
        do throws(CommandFailure) {
            body = try await client.get(path, parameters)
        } catch {
            throw error.pointing(at: query)
        }
        if json { return CommandOutput.write(body + Data("\n".utf8)) }
        let answer = try ServerClient.decode(SeriesAnswer.self, body, from: path)
        let terminal = Terminal.standardOutput()
        guard !answer.series.isEmpty else { return CommandOutput.note("No span matches.") }
        CommandOutput.write(answer.table(on: terminal).lines(on: terminal))
        if answer.truncated { CommandOutput.note("There are more series; group by less, or filter.") }
    }

    private func start(now: Date) -> String? { since.flatMap { Self.start(since: $0, now: now) } }

    /// The moment in Unix nanoseconds that lies a duration such as `1h` before `now`; `nil` for text that is none.
    static func start(since: String, now: Date) -> String? {
        guard let nanos = Figures.nanos(since) else { return nil }
        let now = UInt64(max(now.timeIntervalSince1970, 0) * 1e9)
        return String(now > nanos ? now - nanos : 0)
    }

    private func show(_ answer: SearchAnswer, on terminal: Terminal) {
        guard !answer.traces.isEmpty else {
            CommandOutput.note("No trace matches.")
            return answer.noteHints()
        }
        CommandOutput.write(answer.table(isNarrow: terminal.isWindow && terminal.width < 130).lines(on: terminal))
        if answer.next != nil { CommandOutput.note("There are more traces; raise --limit, or narrow the time.") }
    }
}

extension CommandFailure {
    /// The same failure, with the place in `query` that is to blame, if any is.
    func pointing(at query: String) -> CommandFailure {
        guard let problem else { return self }
        var failure = self
        let lines = QueryDiagnosis.lines(query: query, problem: problem, on: .standardError())
        failure.description = ([description] + lines).joined(separator: "\n")
        return failure
    }
}

/// Which server a command asks.
struct ServerAddress: ParsableArguments {
    @Option(help: ArgumentHelp("The server's web address.", valueName: "url"))
    var server = "http://127.0.0.1:16686"
}

/// The answer to a search, as far as it is listed.
struct SearchAnswer: Decodable {
    var traces: [Trace]
    var next: String?
    /// What may be wrong with the query; an older server has none.
    var hints: [String]?

    struct Trace: Decodable {
        var traceId: String
        var rootServiceName: String
        var rootSpanName: String
        var startTimeUnixNano: String
        var durationNanos: String
        var spanCount: Int
        var errorCount: Int
    }

    /// Shows what may be wrong with the query.
    func noteHints() { for hint in hints ?? [] { CommandOutput.note(TerminalText.harmless(hint)) } }

    /// One line for each trace. A narrow one shows times without milliseconds, and without the date when all are of one
    /// day.
    func table(isNarrow: Bool) -> Table {
        let started = traces.map { Figures.time(UInt64($0.startTimeUnixNano) ?? 0) }
        let isOneDay = Set(started.map { $0.prefix(10) }).count == 1
        var table = Table([
            .init(title: "TRACE"), .init(title: isNarrow ? "UTC" : "STARTED (UTC)"),
            .init(title: "DURATION", alignment: .right),
            .init(title: "SPANS", alignment: .right), .init(title: isNarrow ? "ERR" : "ERRORS", alignment: .right),
            .init(title: "SERVICE", isElastic: true), .init(title: "OPERATION", isElastic: true),
        ])
        for (trace, started) in zip(traces, started) {
            let time = isNarrow ? String(started.dropFirst(isOneDay ? 11 : 5).dropLast(4)) : started
            table.add([
                .init(trace.traceId), .init(time, .dim),
                .init(Figures.duration(UInt64(trace.durationNanos) ?? 0)), .init(Figures.count(trace.spanCount)),
                trace.errorCount > 0 ? .init(Figures.count(trace.errorCount), .error) : .init("0", .dim),
                .init(trace.rootServiceName.isEmpty ? "(no root yet)" : trace.rootServiceName, .bold),
                .init(trace.rootSpanName),
            ])
        }
        return table
    }
}
