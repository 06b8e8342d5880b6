// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation

/// `skein sessions`: what agents did, one session a line.
struct Sessions: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List sessions of agents, newest first.",
        discussion: """
            Examples:
              skein sessions --since 1h
              skein sessions checkout --outcome failure
              skein sessions '{ span.gen_ai.request.model = "gpt-5" }' --priority high
              skein sessions --task task-17 --json

            `skein session ID` shows what one of them did, with all that it started; a part of an id is enough where no other
            has it. A window shows of ids that are a trace's and a span's only that of the span.
            """
    )

    @Argument(help: "Part of a title, of an agent's name or of an id; or TraceQL in braces. All when left out.")
    var text = ""

    @Option(help: ArgumentHelp("Only sessions of this agent, by name or id.", valueName: "agent"))
    var agent: String?

    @Option(help: ArgumentHelp("Only those that ended so, such as failure.", valueName: "outcome"))
    var outcome: String?

    @Option(
        help: ArgumentHelp(
            "Only those of tasks of this priority: critical … background, or P0 to P4.",
            valueName: "priority"
        )
    )
    var priority: String?

    @Option(help: ArgumentHelp("Only those of this task.", valueName: "id"))
    var task: String?

    @Option(help: ArgumentHelp("Only those that cost as much, in US dollars.", valueName: "usd"))
    var minCost: Double?

    @Option(
        help: ArgumentHelp("Only those at work in the last while, such as 15m, 1h or 7d.", valueName: "duration")
    )
    var since: String?

    @Option(help: ArgumentHelp("Most sessions to list, at most 1000.", valueName: "n"))
    var limit = 20

    @Flag(help: "Print the server's answer as it is.")
    var json = false

    @OptionGroup var address: ServerAddress

    func validate() throws {
        guard (1...1000).contains(limit) else { throw ValidationError("--limit takes 1 to 1000, not \(limit)") }
        if let since, Figures.nanos(since) == nil {
            throw ValidationError("--since takes a duration such as 15m, 1h or 7d, not \"\(since)\"")
        }
        let priorities = ["critical", "high", "normal", "low", "background", "p0", "p1", "p2", "p3", "p4"]
        if let priority, !priorities.contains(priority.lowercased()) {
            throw ValidationError(
                "--priority takes critical, high, normal, low, background or P0 to P4, not \"\(priority)\""
            )
        }
        if let minCost, !(minCost >= 0 && minCost.isFinite) {
            throw ValidationError("--min-cost takes 0 or more US dollars, not \(minCost)")
        }
    }

    func run() async throws {
        try await reportingFailures {
            let path = "/api/worktrace/v1/sessions"
            let isQuery = text.hasPrefix("{")
            let parameters: [(String, String?)] = [
                ("text", isQuery || text.isEmpty ? nil : text), ("q", isQuery ? text : nil), ("agent", agent),
                ("outcome", outcome), ("priority", priority), ("task", task), ("minCost", minCost.map { "\($0)" }),
                ("from", since.flatMap { Query.start(since: $0, now: Date()) }), ("limit", String(limit)),
            ]
            let body: Data
            do throws(CommandFailure) {
                body = try await ServerClient(address.server).get(path, parameters)
            } catch {
                throw error.pointing(at: text)
            }
            if json { return CommandOutput.write(body + Data("\n".utf8)) }
            let answer = try ServerClient.decode(SessionListAnswer.self, body, from: path)
            guard !answer.sessions.isEmpty else { return CommandOutput.note("No session matches.") }
            let terminal = Terminal.standardOutput()
            CommandOutput.write(answer.table(on: terminal).lines(on: terminal))
            if answer.next != nil { CommandOutput.note("There are more sessions; raise --limit, or ask for fewer.") }
        }
    }
}
