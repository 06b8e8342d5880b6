// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import SkeinServer

/// `skein doctor`: looks for what keeps a server from working.
struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check ports, server, disk and data folder.",
        discussion: """
            Changes nothing. With a server running it is asked how it does; without one its ports and folder are tried. \
            Exit code 1 when there is a problem.
            """
    )

    @Option(
        help: ArgumentHelp("The data folder; as for serve, SKEIN_DATA_DIR or ./data unless given.", valueName: "path")
    )
    var dataDir: String?

    @Flag(help: "Print the findings as JSON.")
    var json = false

    @OptionGroup var address: ServerAddress

    func run() async throws {
        try await reportingFailures {
            let folder =
                dataDir ?? ProcessInfo.processInfo.environment["SKEIN_DATA_DIR"]
                ?? ServerConfiguration().dataDirectory
            let findings =
                [Finding.ok("skein", Version.current)] + (try await ServerCheck(address: address.server).findings())
                + DataFolderCheck.findings(folder)
            let problems = findings.count { $0.verdict == .problem }
            if json {
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
                CommandOutput.write(try encoder.encode(["findings": findings]) + Data("\n".utf8))
            } else {
                let terminal = Terminal.standardOutput()
                CommandOutput.write(findings.flatMap { $0.lines(on: terminal) })
                CommandOutput.note(problems == 0 ? "No problems." : Figures.count(problems, "problem") + ".")
            }
            if problems > 0 { throw ExitCode.failure }
        }
    }
}
