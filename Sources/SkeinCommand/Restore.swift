// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import SkeinEngine

/// `skein restore`: a data folder out of a backup.
struct Restore: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a data folder out of a backup.",
        discussion: """
            Every byte of the backup is checked before anything is written. The data folder must be empty, or not be \
            there. All is copied, then opened once to see that it is whole; the backup stays as it is.
            """
    )

    @Argument(help: "The backup.")
    var backup: String

    @OptionGroup var data: DataFolderOption

    func run() async throws {
        try await reportingStoreFailures {
            var line = ProgressLine()
            defer { line.end() }
            let report = try await data.folder.restore(from: backup) { line.show($0.byteCount, of: $0.totalByteCount) }
            line.end()
            let files = "\(Figures.count(report.fileCount, "file")) (\(Figures.bytes(report.byteCount)))"
            let source = "\(TerminalText.harmless(report.source)), taken \(Figures.time(report.takenUnixNanos)) UTC"
            let spans = Figures.count(report.spanCount, "span")
            let blocks = Figures.count(report.recovery.blockCount, "block")
            let segments = Figures.count(report.recovery.segmentCount, "log segment")
            CommandOutput.write([
                "Checked \(files) of the backup of \(source).",
                "Restored \(data.path): \(spans) in \(blocks) and \(segments).",
            ])
            guard report.recovery.problems.isEmpty else {
                throw CommandFailure(description: report.recovery.problems.joined(separator: "\n"))
            }
        }
    }
}
