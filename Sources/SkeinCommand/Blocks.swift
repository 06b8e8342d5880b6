// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import SkeinEngine

/// `skein blocks`: what lies in the blocks of a data folder, and what it costs.
struct Blocks: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the blocks of a data folder, or the columns of one of them.",
        discussion: "Changes nothing, needs no server, and works beside one."
    )

    @Argument(help: "A block, as the list names it or by its file, to see where its bytes go.")
    var block: String?

    @OptionGroup var data: DataFolderOption

    @Flag(help: "Print the figures as JSON.")
    var json = false

    func run() async throws {
        try await reportingStoreFailures {
            let terminal = Terminal.standardOutput()
            if let block {
                var isFolder: ObjCBool = false
                if FileManager.default.fileExists(atPath: block, isDirectory: &isFolder), isFolder.boolValue {
                    throw CommandFailure(description: "\(block) is a folder; write skein blocks --data-dir \(block).")
                }
                let details = try data.folder.block(named: block)
                if json { return try CommandOutput.write(json: DetailsAnswer(details)) }
                return CommandOutput.write(BlockTables.lines(details, on: terminal))
            }
            let blocks = try data.folder.blocks()
            if json { return try CommandOutput.write(json: ["blocks": blocks.map(BlockAnswer.init)]) }
            guard !blocks.isEmpty else {
                return CommandOutput.note("There is no block yet; the newest spans are in the log.")
            }
            CommandOutput.write(BlockTables.lines(blocks, on: terminal))
        }
    }

    private struct BlockAnswer: Encodable {
        var file: String
        var segments: String
        var generation: UInt64
        var bytes: Int
        var spans: Int
        var traces: Int
        var rowGroups: Int
        var startUnixNanos: [UInt64]
        var receivedUnixNanos: [UInt64]
        var problem: String?

        init(_ block: BlockSummary) {
            file = block.fileName
            segments = block.segments
            generation = block.generation
            bytes = block.byteCount
            spans = block.spanCount
            traces = block.traceCount
            rowGroups = block.groupCount
            startUnixNanos = [block.startUnixNanos.lowerBound, block.startUnixNanos.upperBound]
            receivedUnixNanos = [block.receivedUnixNanos.lowerBound, block.receivedUnixNanos.upperBound]
            problem = block.problem
        }
    }

    private struct DetailsAnswer: Encodable {
        var block: BlockAnswer
        var columns: [Part]
        var keys: [Part]

        struct Part: Encodable {
            var name: String
            var encodings: [String]
            var storedBytes: Int
            var rawBytes: Int
            var values: Int

            init(_ part: BlockDetails.Part) {
                name = part.name
                encodings = part.encodings
                storedBytes = part.storedByteCount
                rawBytes = part.rawByteCount
                values = part.valueCount
            }
        }

        init(_ details: BlockDetails) {
            block = BlockAnswer(details.summary)
            columns = details.columns.map(Part.init)
            keys = details.keys.map(Part.init)
        }
    }
}
