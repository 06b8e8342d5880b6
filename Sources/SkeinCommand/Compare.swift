// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation

/// `skein compare A B`: what one trace does that another does not, and what takes longer.
struct Compare: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compare two traces, path by path: what is new, what is gone, what takes longer.",
        discussion: """
            Spans that stand below the same services and operations are one row. With several traces behind the first \
            one, it is compared with their average: give a slow trace, and then some that are as they should be.

            Rows that differ most come first where there are too many; the others are left out with what stands below \
            them. Without a terminal, or with NO_COLOR set, there are no colours.
            """
    )

    @Argument(help: "The id of a trace, 1 to 32 hexadecimal digits.")
    var a: String

    @Argument(help: "The trace to compare it with, or several of which the average is meant.")
    var b: [String]

    @Option(help: ArgumentHelp("About how many rows to draw; 0 for all, those that are the same too.", valueName: "n"))
    var limit = 60

    @Flag(help: "Print the server's answer as it is.")
    var json = false

    @OptionGroup var address: ServerAddress

    func validate() throws {
        for id in [a] + b {
            guard (1...32).contains(id.utf8.count), id.allSatisfy({ $0.isHexDigit && $0.isASCII }) else {
                throw ValidationError("a trace id is 1 to 32 hexadecimal digits, not \"\(id)\"")
            }
        }
        guard (1...50).contains(b.count) else {
            throw ValidationError("a trace is compared with 1 to 50 others, not \(b.count)")
        }
        guard limit >= 0 else { throw ValidationError("--limit takes 0 or more, not \(limit)") }
    }

    func run() async throws {
        try await reportingFailures {
            let path = "/api/skein/v1/compare"
            let body = try await ServerClient(address.server).get(path, [("a", a)] + b.map { ("b", $0) })
            if json { return CommandOutput.write(body + Data("\n".utf8)) }
            let answer = try ServerClient.decode(ComparisonAnswer.self, body, from: path)
            guard answer.isSound else {
                throw CommandFailure(description: "The server's answer contradicts itself; is it of this version?")
            }
            CommandOutput.write(ComparisonDrawing(answer, on: .standardOutput(), limit: limit).lines())
        }
    }
}
