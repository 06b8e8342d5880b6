// SPDX-License-Identifier: Apache-2.0
import SkeinBase
public import SkeinStore

/// What is known of a block from its end alone.
public struct BlockSummary: Sendable {
    /// Its file below `blocks/`.
    public internal(set) var fileName: String
    /// First and last log segment whose spans it holds, `12-16`.
    public internal(set) var segments: String
    /// How often spans were taken out of it.
    public internal(set) var generation: UInt64
    public internal(set) var byteCount = 0
    public internal(set) var spanCount = 0
    public internal(set) var traceCount = 0
    public internal(set) var groupCount = 0
    /// Least and greatest start of its spans, nanoseconds since 1970.
    public internal(set) var startUnixNanos: ClosedRange<UInt64> = 0...0
    /// When its first and its last spans were received.
    public internal(set) var receivedUnixNanos: ClosedRange<UInt64> = 0...0
    /// Why nothing but name and size is known; `nil` for a block that opens.
    public internal(set) var problem: String?
}

/// Where the bytes of a block go.
public struct BlockDetails: Sendable {
    public internal(set) var summary: BlockSummary
    /// In the order of the file: columns of row groups, then directories and tables. Together they are the whole file.
    public internal(set) var columns: [Part] = []
    /// The attribute keys with columns of their own, the largest first; keys with few values share one.
    public internal(set) var keys: [Part] = []

    /// A column, a table or the values of a key, over all row groups.
    public struct Part: Hashable, Sendable {
        public internal(set) var name: String
        /// How it is stored, most row groups first; empty where that says nothing.
        public internal(set) var encodings: [String] = []
        /// Bytes in the file.
        public internal(set) var storedByteCount = 0
        /// Bytes once unpacked.
        public internal(set) var rawByteCount = 0
        /// Values in it.
        public internal(set) var valueCount = 0
    }
}

extension DataFolder {
    /// The blocks that count, in order of arrival: those that another one supersedes are left out.
    public func blocks() throws(StoreError) -> [BlockSummary] {
        try requireFolder()
        let removed = try readCatalog()?.removed ?? []
        let present = try names(folder.blocks).compactMap { BlockID(fileName: $0) }
        var summaries: [BlockSummary] = []
        for id in present.sorted() where !removed.contains(id) && !present.contains(where: { $0.supersedes(id) }) {
            // Merged since the folder was listed: the next listing shows by what.
            guard let file = try? disk.open(folder.block(id), .read) else { continue }
            summaries.append(Self.summary(id, file, folder.block(id)).summary)
        }
        return summaries
    }

    /// Where the bytes of one block go. `name` is its file's, or its segments and generation as `12-16` or `12-16.2`.
    public func block(named name: String) throws(StoreError) -> BlockDetails {
        try requireFolder()
        guard let id = Self.blockID(name), let file = try? disk.open(folder.block(id), .read) else {
            throw StoreError(.unusable, "there is no block \(name) in \(folder.root); `skein blocks` lists them")
        }
        let (summary, block) = Self.summary(id, file, folder.block(id))
        guard let block else {
            throw StoreError(.corrupt, "the block cannot be read: \(summary.problem ?? "")", place: folder.block(id))
        }
        var survey = BlockSurvey(block, summary)
        try survey.run()
        return survey.details
    }

    private static func blockID(_ name: String) -> BlockID? {
        let name = name.split(separator: "/").last.map(String.init) ?? name
        if let id = BlockID(fileName: name) ?? BlockID(fileName: name + ".block") { return id }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        let segments = parts[0].split(separator: "-", omittingEmptySubsequences: false).map { UInt64($0) }
        guard parts.count <= 2, segments.count == 2, let first = segments[0], let last = segments[1] else { return nil }
        guard parts.count == 2 else { return BlockID(firstSegment: first, lastSegment: last) }
        return UInt64(parts[1]).map { BlockID(firstSegment: first, lastSegment: last, generation: $0) }
    }

    private static func summary(_ id: BlockID, _ file: any DiskFile, _ path: String) -> (
        summary: BlockSummary, block: Block?
    ) {
        var summary = BlockSummary(
            fileName: id.fileName,
            segments: "\(id.firstSegment)-\(id.lastSegment)",
            generation: id.generation
        )
        summary.byteCount = (try? file.size()) ?? 0
        do throws(StoreError) {
            let block = try Block(file, path: path, id: 0)
            summary.spanCount = block.footer.spanCount
            summary.traceCount = block.footer.traceCount
            summary.groupCount = block.footer.groups.count
            summary.startUnixNanos = block.footer.start
            let (first, last) = (block.footer.receivedMin, block.footer.receivedMax)
            summary.receivedUnixNanos = min(first, last)...last
            return (summary, block)
        } catch {
            summary.problem = error.message
            return (summary, nil)
        }
    }
}

/// Adds up the chunks of a block.
private struct BlockSurvey {
    private let block: Block
    private var parts: [Sum] = []
    private var indices: [String: Int] = [:]
    private var keySums: [String: Sum] = [:]
    private(set) var details: BlockDetails

    private struct Sum {
        var part: BlockDetails.Part
        var encodings: [String: Int] = [:]

        init(_ name: String) { part = BlockDetails.Part(name: name) }

        mutating func add(_ column: AnyColumn, valueCount: Int) {
            for chunk in column.chunks {
                part.storedByteCount += chunk.storedCount
                part.rawByteCount += chunk.rawCount
            }
            part.valueCount += valueCount
            if column.encoding != "bytes" { encodings[column.encoding, default: 0] += 1 }
        }

        var finished: BlockDetails.Part {
            var part = part
            part.encodings = encodings.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key)
            return part
        }
    }

    init(_ block: Block, _ summary: BlockSummary) {
        self.block = block
        details = BlockDetails(summary: summary)
    }

    mutating func run() throws(StoreError) {
        let footer = block.footer
        let keyTable = try block.keyTable()
        for (index, group) in footer.groups.enumerated() {
            let directory = try block.directory(ofGroup: index)
            for (name, column) in directory.columns { add(name, column, valueCount: column.valueCount(in: group)) }
            for (owner, table) in directory.attributeTables where table.shapeCount > 0 {
                for column in table.shapeColumns { add("\(owner) attributes: keys", column, valueCount: 0) }
                for (number, column) in table.columns.enumerated() {
                    add("\(owner) attributes: values", .texts(column), valueCount: column.count)
                    let keys = table.keys.filter { $0.column == number }
                    let isOne = keys.count == 1 && (keys.first.map { $0.key < keyTable.entries.count } ?? false)
                    let name =
                        isOne
                        ? keyTable.withName(keys[0].key) { String(decoding: $0, as: UTF8.self) }
                        : "(keys with few values)"
                    keySums["\(owner): \(name)", default: Sum("\(owner): \(name)")]
                        .add(.texts(column), valueCount: column.count)
                }
            }
        }
        var columns = parts.map(\.finished)
        columns.append(part("directories", footer.groups.map(\.directory)))
        let tables = [
            ("resources", footer.resources), ("scopes", footer.scopes), ("keys", footer.keys),
            ("operations", footer.operations),
        ]
        for (name, table) in tables { columns.append(part("table: \(name)", [table])) }
        for (name, filters) in [("trace ids", footer.traceFilters), ("values", footer.valueFilters)] {
            let byteCount = filters.byteCount(groups: footer.groups.count)
            columns.append(
                BlockDetails.Part(name: "filters: \(name)", storedByteCount: byteCount, rawByteCount: byteCount)
            )
        }
        let rest = footer.byteCount - columns.reduce(0) { $0 + $1.storedByteCount }
        columns.append(BlockDetails.Part(name: "header, footer, trailer", storedByteCount: rest, rawByteCount: rest))
        details.columns = columns
        details.keys = keySums.values.map(\.finished)
            .sorted { ($1.storedByteCount, $0.name) < ($0.storedByteCount, $1.name) }
    }

    private mutating func add(_ name: String, _ column: AnyColumn, valueCount: Int) {
        let index = indices[name] ?? parts.count
        if index == parts.count {
            indices[name] = index
            parts.append(Sum(name))
        }
        parts[index].add(column, valueCount: valueCount)
    }

    private func part(_ name: String, _ chunks: [ChunkAddress]) -> BlockDetails.Part {
        BlockDetails.Part(
            name: name,
            storedByteCount: chunks.reduce(0) { $0 + $1.storedCount },
            rawByteCount: chunks.reduce(0) { $0 + $1.rawCount }
        )
    }
}

extension AnyColumn {
    /// Values in the column.
    fileprivate func valueCount(in group: BlockFooter.Group) -> Int {
        switch self {
        case .bytes: group.traceCount
        case .numbers(let column): column.count
        case .texts(let column): column.count
        }
    }
}
