// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation

/// `skein remove`: forgets spans before their time, and shows what was forgotten at whose wish.
struct Remove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Delete traces or redact attributes by query, and show the record of it.",
        subcommands: [Delete.self, Redact.self, List.self],
        defaultSubcommand: List.self
    )

    /// What deleting and redacting have in common.
    struct Request: ParsableArguments {
        @Argument(help: "A condition on spans.")
        var query: String

        @Option(help: ArgumentHelp("Only spans that start at this moment or later.", valueName: "time"))
        var from: String?

        @Option(help: ArgumentHelp("Only spans that start before this moment.", valueName: "time"))
        var to: String?

        @Option(help: ArgumentHelp("Who asks and why, for the record.", valueName: "text"))
        var by: String?

        @Flag(name: .shortAndLong, help: "Do not ask whether this is meant.")
        var yes = false

        @OptionGroup var address: ServerAddress

        /// Asks the person at the terminal, then the server.
        func send(_ action: String, keys: [String]?, question: String) async throws {
            let client = try ServerClient(address.server)
            // A query that is wrong is told before anybody is asked whether it is meant.
            let parameters: [(String, String?)] = [("q", query), ("start", from), ("end", to), ("limit", "1")]
            do throws(CommandFailure) {
                _ = try await client.get("/api/skein/v1/search", parameters)
            } catch {
                throw error.pointing(at: query)
            }
            guard yes || Self.isMeant(question) else { return CommandOutput.note("Nothing was removed.") }
            var body: [String: Any] = ["action": action, "q": query]
            body["start"] = from
            body["end"] = to
            body["by"] = by ?? ProcessInfo.processInfo.environment["USER"]
            body["keys"] = keys
            let path = "/api/skein/v1/removals"
            let data = try await client.post(path, json: try JSONSerialization.data(withJSONObject: body))
            let outcome = try ServerClient.decode(Outcome.self, data, from: path)
            let what = action == "delete" ? "Deleted" : "Redacted"
            let (spans, traces) = (Figures.count(outcome.spans, "span"), Figures.count(outcome.traces, "trace"))
            CommandOutput.write(["\(what) \(spans) in \(traces)."])
        }

        private static func isMeant(_ question: String) -> Bool {
            guard isatty(STDIN_FILENO) == 1 else {
                CommandOutput.note("Say --yes where nobody can be asked.")
                return false
            }
            CommandOutput.note("\(question) This cannot be undone. Type yes to go on:")
            return readLine() == "yes"
        }
    }

    /// `skein remove delete`.
    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete every trace that holds a matching span, whole."
        )

        @OptionGroup var request: Request

        func run() async throws {
            try await reportingFailures {
                try await request.send("delete", keys: nil, question: "Delete all traces with \(request.query)?")
            }
        }
    }

    /// `skein remove redact`.
    struct Redact: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Replace the values of attribute keys in matching spans by [redacted]."
        )

        @Option(name: .long, help: ArgumentHelp("An attribute key to redact; may be given again.", valueName: "key"))
        var key: [String]

        @OptionGroup var request: Request

        func run() async throws {
            let names = key.joined(separator: ", ")
            try await reportingFailures {
                let question = "Redact \(names) in all spans with \(request.query)?"
                try await request.send("redact", keys: key, question: question)
            }
        }
    }

    /// `skein remove list`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show what was removed at whose wish, newest first.")

        @Flag(help: "Print the server's answer as it is.")
        var json = false

        @OptionGroup var address: ServerAddress

        func run() async throws {
            try await reportingFailures {
                let path = "/api/skein/v1/removals"
                let body = try await ServerClient(address.server).get(path, [("limit", "1000")])
                if json { return CommandOutput.write(body + Data("\n".utf8)) }
                show(try ServerClient.decode(Answer.self, body, from: path), on: .standardOutput())
            }
        }

        private func show(_ answer: Answer, on terminal: Terminal) {
            guard !answer.removals.isEmpty else { return CommandOutput.note("Nothing was ever removed by hand.") }
            var table = Table([
                .init(title: "WHEN"), .init(title: "ACTION"), .init(title: "TRACES", alignment: .right),
                .init(title: "SPANS", alignment: .right), .init(title: "BY"), .init(title: "QUERY", isElastic: true),
            ])
            for removal in answer.removals {
                let isDone = removal.finishedUnixNano != nil && removal.failure == nil
                table.add([
                    .init(Figures.time(UInt64(removal.requestedUnixNano) ?? 0), .dim),
                    .init(isDone ? removal.action : "\(removal.action), not finished"),
                    .init(Figures.count(removal.traces)),
                    .init(Figures.count(removal.spans)),
                    .init(removal.by),
                    .init(removal.q),
                ])
            }
            CommandOutput.write(table.lines(on: terminal))
        }
    }

    private struct Outcome: Decodable {
        var traces: Int
        var spans: Int
    }

    private struct Answer: Decodable {
        var removals: [Removal]

        struct Removal: Decodable {
            var action: String
            var q: String
            var by: String
            var requestedUnixNano: String
            var finishedUnixNano: String?
            var failure: String?
            var traces: Int
            var spans: Int
        }
    }
}
