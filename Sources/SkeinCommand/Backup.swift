// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import SkeinEngine

/// `skein backup`: a consistent copy of a data folder.
struct Backup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Take a backup of a data folder, while a server uses it or not.",
        discussion: """
            Every span acknowledged before is in it. On the same file system, blocks get a second name and take no \
            space; elsewhere, and with --copy, all is copied. The backup appears complete, with a checksum of every \
            file, or not at all. `skein restore` makes a data folder of it, `skein verify` checks it.
            """
    )

    @OptionGroup var data: DataFolderOption

    @Option(name: .customLong("to"), help: ArgumentHelp("The folder to make; it must not be there.", valueName: "path"))
    var destination: String

    @Flag(help: "Copy every byte, so that a failing disk cannot take both.")
    var copy = false

    func run() async throws {
        try await reportingStoreFailures {
            var line = ProgressLine()
            defer { line.end() }
            let report = try data.folder.backUp(to: destination, copies: copy) {
                line.show($0.byteCount, of: $0.totalByteCount)
            }
            line.end()
            let terminal = Terminal.standardOutput()
            let linked = Self.figures(report.linkedFileCount, report.linkedByteCount)
            let copied = Self.figures(report.copiedFileCount, report.copiedByteCount)
            CommandOutput.write(["Backed up \(data.path) to \(destination): \(linked) linked, \(copied) copied."])
            CommandOutput.write(report.problems.map { terminal.styled(TerminalText.harmless($0), .warning) })
        }
    }

    private static func figures(_ files: Int, _ bytes: Int) -> String {
        "\(Figures.count(files, "file")) (\(Figures.bytes(bytes)))"
    }
}
