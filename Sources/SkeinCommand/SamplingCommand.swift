// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation

/// `skein sampling`: what policies of sampling do.
struct SamplingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sampling",
        abstract: "Try policies of sampling on stored traces.",
        subcommands: [Explain.self]
    )

    /// `skein sampling explain`.
    struct Explain: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what policies would keep of the traces that are stored.",
            discussion: """
                Changes nothing. For each policy it tells what it is about, what it would decide to keep and to drop beside the \
                others, and examples of traces. Where there are more traces than --limit, a sample of them is looked at.

                Examples:
                  skein sampling explain --config sampling.yaml --since 24h
                  skein sampling explain --config sampling.yaml --trace 4bf92f3577b34da6a3ce929d0e0e4736
                """
        )

        @Option(help: ArgumentHelp("The file with the policies; - is standard input.", valueName: "file"))
        var config: String

        @Option(
            help: ArgumentHelp("Only traces with a span in this time before now, such as 24h.", valueName: "duration")
        )
        var since = "24h"

        @Option(help: ArgumentHelp("Only this trace, and what each policy says of it.", valueName: "id"))
        var trace: String?

        @Option(help: ArgumentHelp("The most traces to ask about, up to 1000000.", valueName: "n"))
        var limit = 100_000

        @Flag(help: "Print the server's answer as it is.")
        var json = false

        @OptionGroup var address: ServerAddress

        func validate() throws {
            guard Figures.nanos(since) != nil else {
                throw ValidationError("--since takes a duration such as 15m, 24h or 7d, not \"\(since)\"")
            }
            guard (1...1_000_000).contains(limit) else {
                throw ValidationError("--limit takes 1 to 1000000, not \(limit)")
            }
        }

        func run() async throws {
            try await reportingFailures {
                let path = "/api/skein/v1/sampling/explain"
                let body = try await ServerClient(address.server).post(
                    path,
                    [
                        ("start", trace == nil ? Query.start(since: since, now: Date()) : nil), ("trace", trace),
                        ("limit", "\(limit)"),
                    ],
                    try policies(),
                    type: "application/yaml"
                )
                if json { return CommandOutput.write(body + Data("\n".utf8)) }
                let answer = try ServerClient.decode(SamplingExplanation.self, body, from: path)
                CommandOutput.write(answer.lines(on: .standardOutput()))
            }
        }

        private func policies() throws(CommandFailure) -> Data {
            do {
                guard config != "-" else { return try FileHandle.standardInput.readToEnd() ?? Data() }
                return try Data(contentsOf: URL(fileURLWithPath: config))
            } catch {
                throw CommandFailure(description: "The file \(config) cannot be read: \(error.localizedDescription)")
            }
        }
    }
}
