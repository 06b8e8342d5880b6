// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import SkeinEngine

/// `skein verify`: reads every byte of a data folder.
struct Verify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Read every byte of a data folder or a backup and say what is wrong.",
        discussion: """
            Changes nothing, needs no server, and works beside one. Each finding says where it is and what the next \
            start would do about it.

            Exit code 0 when all is good, 1 when there is damage, 2 when the folder cannot be read or is of a later \
            version.
            """
    )

    @Argument(help: "The folder, in place of --data-dir.")
    var path: String?

    @OptionGroup var data: DataFolderOption

    @Flag(help: "Print the findings as JSON.")
    var json = false

    func validate() throws {
        if let path, let other = data.dataDir {
            throw ValidationError("name one folder, not \(path) and --data-dir \(other)")
        }
    }

    func run() async throws {
        try await reportingStoreFailures(exitCode: 2) {
            var line = ProgressLine()
            defer { line.end() }
            let report = try (path.map { DataFolder($0) } ?? data.folder).verify(
                blocksAtOnce: ProcessInfo.processInfo.activeProcessorCount
            ) {
                line.show($0.byteCount, of: $0.totalByteCount)
            }
            line.end()
            if json {
                try CommandOutput.write(json: Answer(report))
            } else {
                CommandOutput.write(Self.lines(report, on: .standardOutput()))
            }
            if !report.isGood { throw ExitCode.failure }
        }
    }

    static func lines(_ report: FolderReport, on terminal: Terminal) -> [String] {
        var lines: [String] = []
        let arrow = terminal.hasUnicode ? "→" : "->"
        for finding in report.findings {
            let sign = finding.isDamage ? (terminal.hasUnicode ? "✗" : "!!") : (terminal.hasUnicode ? "•" : "--")
            let place = finding.offset.map { " at byte \($0)" } ?? ""
            lines.append(
                terminal.styled(sign, finding.isDamage ? .error : .warning) + " "
                    + terminal.styled(TerminalText.harmless(finding.file), .bold) + place
            )
            lines.append("  " + TerminalText.harmless(finding.message))
            lines.append("  " + terminal.styled("\(arrow) \(TerminalText.harmless(finding.consequence))", .dim))
        }
        let damages = report.findings.count(where: \.isDamage)
        let read =
            "\(Figures.count(report.fileCount, "file")), \(Figures.bytes(report.byteCount)) read: "
            + "\(Figures.count(report.blockCount, "block")), \(Figures.count(report.segmentCount, "log segment")), "
            + "\(Figures.count(report.spanCount, "span"))."
        let verdict =
            damages == 0
            ? terminal.styled("No damage.", .good)
            : terminal.styled("Damage in \(Figures.count(damages, "place")).", .error)
        return lines + ["\(read) \(verdict)"]
    }

    private struct Answer: Encodable {
        var good: Bool
        var files: Int
        var bytes: Int
        var blocks: Int
        var segments: Int
        var spans: Int
        var findings: [Finding]

        struct Finding: Encodable {
            var damage: Bool
            var file: String
            var offset: Int?
            var message: String
            var consequence: String
        }

        init(_ report: FolderReport) {
            good = report.isGood
            files = report.fileCount
            bytes = report.byteCount
            blocks = report.blockCount
            segments = report.segmentCount
            spans = report.spanCount
            findings = report.findings.map {
                Finding(
                    damage: $0.isDamage,
                    file: $0.file,
                    offset: $0.offset,
                    message: $0.message,
                    consequence: $0.consequence
                )
            }
        }
    }
}
