// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation

/// `skein session ID`: what one session of an agent did, with all that it started.
struct Session: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what an agent did: who worked when, where the time went, what it cost.",
        discussion: """
            The whole orchestration around the session is drawn: a bar for each session, the time by what it was spent for, the \
            critical path across agents, the gaps before called agents began, the tools, and what to look at first.

            Without a terminal, or with NO_COLOR set, there are no colours.
            """
    )

    @Argument(help: "A session's id, or that of a trace.")
    var id: String

    @Option(help: ArgumentHelp("Most rows of each part; 0 for all.", valueName: "n"))
    var limit = 20

    @Flag(help: "Show what was said in the session below it.")
    var messages = false

    @Option(help: ArgumentHelp("Show what is different in that session or trace instead.", valueName: "other id"))
    var compare: String?

    @Flag(help: "Print the server's answer as it is.")
    var json = false

    @OptionGroup var address: ServerAddress

    func validate() throws {
        guard !id.isEmpty else { throw ValidationError("a session's id is not empty") }
        guard limit >= 0 else { throw ValidationError("--limit takes 0 or more, not \(limit)") }
        guard compare != "" else { throw ValidationError("--compare takes the id of a session or of a trace") }
        guard compare == nil || !messages else {
            throw ValidationError("--messages shows one session; leave out --compare")
        }
    }

    func run() async throws {
        try await reportingFailures {
            let client = try ServerClient(address.server)
            let base = "/api/worktrace/v1/"
            if let compare { return try await show(comparisonWith: compare, client, base) }
            let path = base + "orchestrations/\(ServerClient.encoded(id))"
            let body = try await client.get(path)
            if json { return CommandOutput.write(body + Data("\n".utf8)) }
            let answer = try ServerClient.decode(OrchestrationAnswer.self, body, from: path)
            let terminal = Terminal.standardOutput()
            var drawing = OrchestrationDrawing(answer, asked: id, on: terminal, limit: limit)
            drawing.bottlenecks =
                try await client.get(BottleneckAnswer.self, path + "/bottlenecks", [("limit", "5")]).bottlenecks.map(
                    \.text
                )
            CommandOutput.write(drawing.lines())
            guard messages else { return }
            let said = try await client.get(
                ConversationAnswer.self,
                base + "sessions/\(ServerClient.encoded(id))/conversation",
                [("limit", String(limit == 0 ? 1000 : min(limit, 1000)))]
            )
            CommandOutput.write(said.lines(on: terminal))
        }
    }
    private func show(
        comparisonWith other: String,
        _ client: ServerClient,
        _ base: String
    ) async throws(CommandFailure) {
        let path = base + "sessions/\(ServerClient.encoded(id))/compare/\(ServerClient.encoded(other))"
        let body = try await client.get(path)
        if json { return CommandOutput.write(body + Data("\n".utf8)) }
        let answer = try ServerClient.decode(OrchestrationComparisonAnswer.self, body, from: path)
        let drawing = OrchestrationComparisonDrawing(
            answer,
            of: (id, other),
            on: Terminal.standardOutput(),
            limit: limit
        )
        CommandOutput.write(drawing.lines())
    }
}
