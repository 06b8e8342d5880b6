// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation

/// `skein trace ID`: draws one trace as a waterfall.
struct Trace: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Draw one trace: its spans as a tree, and when each of them ran.",
        discussion: """
            A large trace is cut down to its failed and its longest spans, with all that stands above them. Without a \
            terminal, or with NO_COLOR set, there are no colours.
            """
    )

    @Argument(help: "The trace's id, 1 to 32 hexadecimal digits.")
    var id: String

    @Option(help: ArgumentHelp("About how many spans to draw; 0 for all.", valueName: "n"))
    var limit = 100

    @Flag(help: "Show the log records of the trace below it.")
    var logs = false

    @Flag(help: "Print the trace as OTLP JSON.")
    var json = false

    @OptionGroup var address: ServerAddress

    func validate() throws {
        guard (1...32).contains(id.utf8.count), id.allSatisfy({ $0.isHexDigit && $0.isASCII }) else {
            throw ValidationError("a trace id is 1 to 32 hexadecimal digits, not \"\(id)\"")
        }
        guard limit >= 0 else { throw ValidationError("--limit takes 0 or more, not \(limit)") }
    }

    func run() async throws {
        try await reportingFailures {
            let client = try ServerClient(address.server)
            let path = "/api/skein/v1/traces/\(id)"
            if json { return CommandOutput.write(try await client.get(path) + Data("\n".utf8)) }
            let skeleton = try await client.get(TraceSkeleton.self, path + "/skeleton")
            guard skeleton.isSound else {
                throw CommandFailure(description: "The server's answer contradicts itself; is it of this version?")
            }
            let terminal = Terminal.standardOutput()
            CommandOutput.write(Waterfall(skeleton, on: terminal, limit: limit).lines())
            await tellCauses(of: skeleton, path, client, terminal)
            guard logs else { return }
            let records = try await client.get(TraceLogs.self, path + "/logs", [("limit", "10000")])
            let start = UInt64(skeleton.traceStartUnixNano) ?? 0
            CommandOutput.write(records.lines(startUnixNanos: start, on: terminal))
        }
    }

    /// A server that does not say why leaves the drawing as it is.
    private func tellCauses(
        of skeleton: TraceSkeleton,
        _ path: String,
        _ client: ServerClient,
        _ terminal: Terminal
    ) async {
        let causes = FailureCauses(skeleton)
        guard !causes.ids.isEmpty else { return }
        let answer = try? await client.get(
            FailureCauses.Answer.self,
            path + "/spans",
            [("ids", causes.ids.joined(separator: ","))]
        )
        if let answer { CommandOutput.write(causes.lines(answer, on: terminal)) }
    }
}
