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
            if let compare {
                do throws(CommandFailure) {
                    return try await show(id, comparedWith: compare, client, base)
                } catch {
                    guard error.status == 404 else { throw error }
                    let (one, other) = (try await whole(id, client, base), try await whole(compare, client, base))
                    guard one != id || other != compare else { throw error }
                    return try await show(one, comparedWith: other, client, base)
                }
            }
            var id = id
            let body: Data
            do throws(CommandFailure) {
                body = try await client.get(Self.path(of: id, base))
            } catch {
                guard error.status == 404, case let whole = try await whole(id, client, base), whole != id else {
                    throw error
                }
                id = whole
                body = try await client.get(Self.path(of: id, base))
            }
            let path = Self.path(of: id, base)
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
            let sender = answer.sessions.contains { $0.sessionId == id } ? id : answer.rootSessionId
            let parameters = [("sessionId", sender), ("limit", "100")]
            let posted = try await client.get(MessageListAnswer.self, base + "messages", parameters)
            CommandOutput.write(said.lines(on: terminal, hasMessages: !posted.messages.isEmpty))
            CommandOutput.write(posted.lines(on: terminal))
        }
    }

    private static func path(of id: String, _ base: String) -> String {
        base + "orchestrations/\(ServerClient.encoded(id))"
    }

    /// The id of a session or trace that begins or ends so; `part` itself where no session does.
    private func whole(_ part: String, _ client: ServerClient, _ base: String) async throws(CommandFailure) -> String {
        let isTrace = part.utf8.count == 32 && part.allSatisfy(\.isHexDigit)
        guard !isTrace, SessionListAnswer.shortID(part) == part else { return part }
        let path = base + "sessions"
        let body = try await client.get(path, [("text", part), ("limit", "1000")])
        let found = try ServerClient.decode(SessionListAnswer.self, body, from: path).sessions.map(\.sessionId)
        let like = found.filter { $0.hasPrefix(part) || $0.hasSuffix(part) }
        if like.contains(part) || like.isEmpty { return part }
        if like.count == 1 { return like[0] }
        throw CommandFailure(
            description: "\"\(TerminalText.harmless(part))\" is a part of the ids of several sessions, such as "
                + "\(like.prefix(3).map(TerminalText.harmless).joined(separator: " and ")): say more of it."
        )
    }

    private func show(
        _ id: String,
        comparedWith other: String,
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
