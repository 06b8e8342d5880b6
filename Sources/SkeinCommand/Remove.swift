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

        @Flag(help: "Only count what would be removed.")
        var dryRun = false

        @Flag(name: .shortAndLong, help: "Do not ask whether this is meant.")
        var yes = false

        @OptionGroup var address: ServerAddress

        /// Asks the person at the terminal, then the server. Without keys whole traces are deleted.
        func send(keys: [String]? = nil) async throws {
            let client = try ServerClient(address.server)
            let isDelete = keys == nil
            if dryRun || !yes {
                let preview = try await outcome(client, keys, isDryRun: true)
                preview.noteHints()
                let all = "\(preview.counts) at \(client.server)"
                if dryRun {
                    CommandOutput.write(["Would \(isDelete ? "delete" : "redact") \(all)."] + preview.samples)
                    return
                }
                guard preview.spans > 0 || preview.logRecords ?? 0 > 0 else {
                    return CommandOutput.note("Nothing to remove: \(all).")
                }
                guard try await isMeant("\(isDelete ? "Delete" : "Redact") \(all)", client) else {
                    throw CommandFailure(description: "Nothing was removed.")
                }
            }
            let outcome = try await outcome(client, keys, isDryRun: false)
            if yes { outcome.noteHints() }
            CommandOutput.write(["\(isDelete ? "Deleted" : "Redacted") \(outcome.counts)."])
        }

        private func outcome(
            _ client: ServerClient,
            _ keys: [String]?,
            isDryRun: Bool
        ) async throws(CommandFailure) -> Outcome {
            var body: [String: Any] = ["action": keys == nil ? "delete" : "redact", "q": query, "dryRun": isDryRun]
            body["start"] = from
            body["end"] = to
            body["by"] = by ?? ProcessInfo.processInfo.environment["USER"]
            body["keys"] = keys
            let path = "/api/skein/v1/removals"
            guard let json = try? JSONSerialization.data(withJSONObject: body) else {
                throw CommandFailure(description: "The query cannot be sent: it is no text.")
            }
            do throws(CommandFailure) {
                return try ServerClient.decode(Outcome.self, try await client.post(path, json: json), from: path)
            } catch {
                throw error.pointing(at: query)
            }
        }

        private func isMeant(_ what: String, _ client: ServerClient) async throws(CommandFailure) -> Bool {
            guard isatty(STDIN_FILENO) == 1 else {
                throw CommandFailure(description: "Nothing was removed: say --yes where nobody can be asked.")
            }
            let folder = try await client.get(ServerStatusAnswer.self, ServerStatusAnswer.path).dataDirectory
            let place = folder.map { " (\(TerminalText.harmless($0)))" } ?? ""
            CommandOutput.note("\(what)\(place)? This cannot be undone. Type yes to go on:")
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
                try await request.send()
            }
        }
    }

    /// `skein remove redact`.
    struct Redact: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Replace the values of attribute keys by [redacted] in matching spans, and in log records of their traces."
        )

        @Option(name: .long, help: ArgumentHelp("An attribute key to redact; may be given again.", valueName: "key"))
        var key: [String]

        @OptionGroup var request: Request

        func run() async throws {
            try await reportingFailures {
                try await request.send(keys: key)
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
                show(try ServerClient.decode(RemovalList.self, body, from: path), on: .standardOutput())
            }
        }

        private func show(_ answer: RemovalList, on terminal: Terminal) {
            guard !answer.removals.isEmpty else { return CommandOutput.note("Nothing was ever removed by hand.") }
            CommandOutput.write(answer.lines(on: terminal))
            if answer.next != nil {
                CommandOutput.note("There are more than these \(Figures.count(answer.removals.count)).")
            }
        }
    }

    /// What a removal did, or would.
    private struct Outcome: Decodable {
        var traces: Int
        var spans: Int
        /// Of a server that counts them.
        var logRecords: Int?
        var sampleTraceIds: [String]?
        /// What may be wrong with the query.
        var hints: [String]?

        var counts: String {
            let logs = logRecords ?? 0
            return "\(Figures.count(spans, "span"))\(logs > 0 ? " and \(Figures.count(logs, "log record"))" : "")"
                + " in \(Figures.count(traces, "trace"))"
        }

        /// A line for each trace that is named.
        var samples: [String] {
            let ids = sampleTraceIds ?? []
            return ids.map { "  \(TerminalText.harmless($0))" } + (traces > ids.count ? ["  …"] : [])
        }

        func noteHints() { for hint in hints ?? [] { CommandOutput.note(TerminalText.harmless(hint)) } }
    }
}
