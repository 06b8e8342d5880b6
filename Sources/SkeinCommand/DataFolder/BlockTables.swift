// SPDX-License-Identifier: Apache-2.0
import SkeinEngine

/// Blocks as tables for people.
enum BlockTables {
    /// Keys shown of one block; JSON has them all.
    private static let keyCountMax = 20

    /// A row for each block, and one for all when there are several.
    static func lines(_ blocks: [BlockSummary], on terminal: Terminal) -> [String] {
        var table = Table([
            .init(title: "BLOCK"), .init(title: "GEN", alignment: .right), .init(title: "SPANS", alignment: .right),
            .init(title: "TRACES", alignment: .right), .init(title: "BYTES", alignment: .right),
            .init(title: "A SPAN", alignment: .right), .init(title: "SPANS START", isElastic: true),
            .init(title: "RECEIVED", isElastic: true),
        ])
        for block in blocks {
            let name = Table.Cell(block.segments, block.problem == nil ? .plain : .error)
            if let problem = block.problem {
                table.add([
                    name, .init("\(block.generation)", .dim), .init(""), .init(""),
                    .init(Figures.bytes(block.byteCount)), .init(""), .init("does not open: \(problem)", .error),
                    .init(""),
                ])
                continue
            }
            table.add([
                name, .init("\(block.generation)", .dim), .init(Figures.count(block.spanCount)),
                .init(Figures.count(block.traceCount)), .init(Figures.bytes(block.byteCount)),
                .init(perSpan(block.byteCount, block.spanCount)), .init(range(block.startUnixNanos), .dim),
                .init(range(block.receivedUnixNanos), .dim),
            ])
        }
        if blocks.count > 1 {
            let (spans, bytes) = (total(blocks, \.spanCount), total(blocks, \.byteCount))
            table.add([
                .init("all \(blocks.count)", .bold), .init(""), .init(Figures.count(spans), .bold), .init(""),
                .init(Figures.bytes(bytes), .bold), .init(perSpan(bytes, spans), .bold), .init(""), .init(""),
            ])
        }
        return table.lines(on: terminal)
    }

    /// Where the bytes of one block go: its columns, then its largest keys.
    static func lines(_ details: BlockDetails, on terminal: Terminal) -> [String] {
        let block = details.summary
        let heading = [
            terminal.styled(block.fileName, .bold),
            "\(Figures.count(block.spanCount, "span")) in \(Figures.count(block.traceCount, "trace")), "
                + "\(Figures.count(block.groupCount, "row group")), \(Figures.bytes(block.byteCount)), "
                + "\(perSpan(block.byteCount, block.spanCount)) bytes a span",
            "",
        ]
        var lines = heading + table(details.columns, "COLUMN", of: block, on: terminal)
        guard !details.keys.isEmpty else { return lines }
        let shown = details.keys.prefix(keyCountMax)
        lines += [""] + table(Array(shown), "ATTRIBUTE", of: block, on: terminal)
        if shown.count < details.keys.count {
            lines.append(terminal.styled("and \(details.keys.count - shown.count) smaller ones; --json has all", .dim))
        }
        return lines
    }

    private static func table(
        _ parts: [BlockDetails.Part],
        _ title: String,
        of block: BlockSummary,
        on terminal: Terminal
    ) -> [String] {
        var table = Table([
            .init(title: title, isElastic: true), .init(title: "STORED", alignment: .right),
            .init(title: "SHARE", alignment: .right), .init(title: "A SPAN", alignment: .right),
            .init(title: "RAW", alignment: .right), .init(title: "VALUES", alignment: .right),
            .init(title: "ENCODING", isElastic: true),
        ])
        for part in parts {
            let isNothing = part.storedByteCount == 0
            let permille = part.storedByteCount * 1_000 / max(1, block.byteCount)
            table.add([
                .init(part.name, isNothing ? .dim : .plain),
                .init(isNothing ? "" : Figures.bytes(part.storedByteCount)),
                .init(isNothing ? "" : "\(permille / 10).\(permille % 10) %"),
                .init(isNothing ? "" : perSpan(part.storedByteCount, block.spanCount)),
                .init(isNothing ? "" : Figures.bytes(part.rawByteCount), .dim),
                .init(part.valueCount == 0 ? "" : Figures.count(part.valueCount), .dim),
                .init(part.encodings.joined(separator: ", "), .dim),
            ])
        }
        return table.lines(on: terminal)
    }

    private static func total(_ blocks: [BlockSummary], _ figure: KeyPath<BlockSummary, Int>) -> Int {
        blocks.reduce(0) { $0 + $1[keyPath: figure] }
    }

    /// Bytes a span with one decimal.
    private static func perSpan(_ bytes: Int, _ spans: Int) -> String {
        guard spans > 0 else { return "" }
        let tenths = bytes * 10 / spans
        return "\(tenths / 10).\(tenths % 10)"
    }

    /// A moment to the second, and how much later the last one is.
    private static func range(_ range: ClosedRange<UInt64>) -> String {
        let first = Figures.time(range.lowerBound).prefix(19)
        let length = range.upperBound - range.lowerBound
        return length == 0 ? String(first) : "\(first) +\(Figures.duration(length))"
    }
}
