// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import SkeinBase

/// `skein doctor`: looks for what keeps a server from working.
struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check ports, server, disk and data folder.",
        discussion: """
            Changes nothing. With a server running it is asked how it does; without one its ports and folder are tried. \
            Exit code 1 when there is a problem.
            """
    )

    @OptionGroup var data: DataFolderOption

    @Flag(help: "Print the findings as JSON.")
    var json = false

    @OptionGroup var address: ServerAddress

    func run() async throws {
        try await reportingFailures {
            let findings =
                [Finding.ok("skein", Version.current)]
                + (try await ServerCheck(address: address.server, dataDirectory: data.path).findings())
                + DataFolderCheck.findings(data.path)
            let problems = findings.count { $0.verdict == .problem }
            if json {
                try CommandOutput.write(json: ["findings": findings])
            } else {
                let terminal = Terminal.standardOutput()
                CommandOutput.write(findings.flatMap { $0.lines(on: terminal) })
                CommandOutput.note(problems == 0 ? "No problems." : Figures.count(problems, "problem") + ".")
            }
            if problems > 0 { throw ExitCode.failure }
        }
    }
}
