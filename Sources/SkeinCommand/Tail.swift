// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation

/// `skein tail`: shows traces as they come.
struct Tail: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show traces that match as they come, until it is stopped.",
        discussion: """
            Examples:
              skein tail 'error = true'
              skein tail '{ resource.service.name = "web" } >> { status = error }' --json

            A trace that grows is shown again. Exit codes: 1 when the server went away; 2 when the query is wrong.
            """
    )

    @Argument(help: "A query of spans; all traces when left out.")
    var query = ""

    @Flag(help: "Print each trace as a line of JSON.")
    var json = false

    @OptionGroup var address: ServerAddress

    func run() async throws {
        try await reportingFailures {
            let client = try ServerClient(address.server)
            let terminal = Terminal.standardOutput()
            do throws(CommandFailure) {
                try await client.events("/api/skein/v1/tail", [("q", query)]) { event, data in
                    show(event, data, on: terminal)
                }
            } catch {
                throw error.pointing(at: query)
            }
            throw CommandFailure(description: "The server ended the stream.")
        }
    }

    private func show(_ event: String, _ data: Data, on terminal: Terminal) {
        switch event {
        case "start": if !json { CommandOutput.note("Waiting for traces; stop with Control-C.") }
        case "dropped":
            let count = (try? JSONDecoder().decode(Dropped.self, from: data))?.traces ?? 0
            CommandOutput.note("\(Figures.count(count, "trace")) came too fast to be shown; narrow the query.")
        case "trace":
            if json { return CommandOutput.write(data + Data("\n".utf8)) }
            guard let trace = try? JSONDecoder().decode(SearchAnswer.Trace.self, from: data) else { return }
            CommandOutput.write([line(trace, on: terminal)])
        default: break
        }
    }

    private func line(_ trace: SearchAnswer.Trace, on terminal: Terminal) -> String {
        func fitted(_ text: String, _ width: Int, _ alignment: TerminalText.Alignment = .left) -> String {
            let ellipsis = terminal.hasUnicode ? "…" : "~"
            return TerminalText.fitted(TerminalText.harmless(text), width, alignment: alignment, ellipsis: ellipsis)
        }
        let time = Figures.time(UInt64(trace.startTimeUnixNano) ?? 0).dropFirst(11)
        let errors = trace.errorCount > 0 ? Figures.count(trace.errorCount, "error") : ""
        return [
            terminal.styled(String(time), .dim), trace.traceId,
            fitted(Figures.duration(UInt64(trace.durationNanos) ?? 0), 8, .right),
            fitted(Figures.count(trace.spanCount, "span"), 11, .right),
            terminal.styled(fitted(errors, 9, .right), .error),
            terminal.styled(
                fitted(trace.rootServiceName.isEmpty ? "(no root yet)" : trace.rootServiceName, 16),
                .bold
            ),
            TerminalText.harmless(trace.rootSpanName),
        ].joined(separator: "  ")
    }

    private struct Dropped: Decodable {
        var traces: Int
    }
}
