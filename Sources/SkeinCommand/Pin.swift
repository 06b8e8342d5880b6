// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation

/// `skein pin`: keeps traces from late sampling and from growing too old, and lets them go again.
struct Pin: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Keep a trace until it is unpinned, and show which are pinned.",
        discussion: "`skein pin ID` pins, `skein pin --remove ID` unpins.",
        subcommands: [Change.self, List.self],
        defaultSubcommand: Change.self
    )

    private static let path = "/api/skein/v1/pins"

    /// `skein pin ID`.
    struct Change: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "trace",
            abstract: "Pin a trace, or unpin it.",
            shouldDisplay: false
        )

        @Argument(help: "The trace's id, 1 to 32 hexadecimal digits.")
        var id: String

        @Flag(help: "Unpin the trace.")
        var remove = false

        @OptionGroup var address: ServerAddress

        func validate() throws {
            guard (1...32).contains(id.utf8.count), id.allSatisfy({ $0.isHexDigit && $0.isASCII }) else {
                throw ValidationError("a trace id is 1 to 32 hexadecimal digits, not \"\(id)\"")
            }
        }

        func run() async throws {
            try await reportingFailures(as: "pin") {
                let client = try ServerClient(address.server)
                let path = "/api/skein/v1/traces/\(id)/pin"
                if remove {
                    try await client.delete(path)
                    return CommandOutput.write(["Unpinned \(id)."])
                }
                let pin = try ServerClient.decode(
                    PinnedTrace.self,
                    try await client.post(path, json: Data()),
                    from: path
                )
                CommandOutput.write(["Pinned \(TerminalText.harmless(pin.traceId))."])
            }
        }
    }

    /// `skein pin list`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show the pinned traces, the one pinned last first.")

        @Flag(help: "Print the server's answer as it is.")
        var json = false

        @OptionGroup var address: ServerAddress

        func run() async throws {
            try await reportingFailures(as: "pin list") {
                let body = try await ServerClient(address.server).get(Pin.path, [("limit", "1000")])
                if json { return CommandOutput.write(body + Data("\n".utf8)) }
                let answer = try ServerClient.decode(Answer.self, body, from: Pin.path)
                guard !answer.pins.isEmpty else { return CommandOutput.note("No trace is pinned.") }
                var table = Table([.init(title: "TRACE"), .init(title: "PINNED (UTC)")])
                for pin in answer.pins {
                    table.add([.init(pin.traceId), .init(Figures.time(UInt64(pin.pinnedTimeUnixNano) ?? 0), .dim)])
                }
                CommandOutput.write(table.lines(on: .standardOutput()))
                if answer.next != nil {
                    CommandOutput.note("There are more than these \(Figures.count(answer.pins.count)).")
                }
            }
        }

        private struct Answer: Decodable {
            var pins: [PinnedTrace]
            var next: String?
        }
    }

    private struct PinnedTrace: Decodable {
        var traceId: String
        var pinnedTimeUnixNano: String
    }
}
