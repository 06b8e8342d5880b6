// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// The file that says what is stored: a ``RecordFile`` whose records are edits, appended and synced one by one, and
/// written anew when it has grown long. Used by one thread at a time.
///
/// After a failed append nobody knows whether its record is on the device. The next commit then writes the whole file
/// anew, without the failed edits, before it is believed.
struct Catalog: ~Copyable {
    static let magic: UInt64 = 0x6c74_6143_6965_6b53
    static let version: UInt32 = 1
    static let editsType: UInt32 = 0x5449_4445
    /// Records after which the file is written anew.
    private static let recordCountMax = 4_096

    private let disk: any Disk
    private let folder: StoreFolder
    private(set) var state: CatalogState
    /// `nil` when the file must be written anew first.
    private var file: (any DiskFile)?
    private var recordCount = 0
    /// Blocks that were removed though their files may still be there: they are called removed as long as they are here,
    /// also when the file is written anew.
    var lingering: Set<BlockID> = []

    /// A catalog that says `state`; the file is written at the first commit.
    init(disk: any Disk, folder: StoreFolder, state: CatalogState) {
        self.disk = disk
        self.folder = folder
        self.state = state
    }

    /// Makes `edits` durable, all or none, and then the state.
    mutating func commit(_ edits: [CatalogState.Edit]) throws(DiskError) {
        var next = state
        for edit in edits { next.apply(edit) }
        if let file, recordCount < Self.recordCountMax {
            let record = Self.record(edits)
            do throws(DiskError) {
                try file.append(record.bytes)
                try file.sync()
                recordCount += 1
            } catch {
                self.file = nil
                throw error
            }
        } else {
            try rewrite(next)
        }
        state = next
    }

    /// Takes `edits` as made although the disk is too full to say so: the next commit that succeeds says it.
    mutating func assume(_ edits: [CatalogState.Edit]) {
        for edit in edits { state.apply(edit) }
        file = nil
    }

    private mutating func rewrite(_ next: CatalogState) throws(DiskError) {
        // What the old file says was removed must be gone for good before the new one no longer says so.
        try disk.syncDirectory(folder.blocks)
        let new = folder.catalog + StoreFolder.temporarySuffix
        try? disk.remove(new)
        let file = try disk.open(new, .create)
        try Self.content(of: next, lingering).withUnsafeBufferPointer { bytes throws(DiskError) in
            try file.append(UnsafeRawBufferPointer(bytes))
        }
        try file.sync()
        try disk.rename(new, to: folder.catalog)
        try disk.syncDirectory(folder.root)
        self.file = file
        recordCount = 1
    }

    /// The bytes of a file that says `state`, that the blocks `lingering` are removed, and nothing of what was before.
    static func content(of state: CatalogState, _ lingering: Set<BlockID> = []) -> [UInt8] {
        var bytes = RecordFile.header(magic: magic, version: version, number: 0)
        let record = record(state.edits + lingering.subtracting(state.blocks).sorted().map { .removeBlock($0) })
        bytes.append(record.bytes)
        return bytes.array()
    }

    private static func record(_ edits: [CatalogState.Edit]) -> ByteWriter {
        RecordFile.record(type: editsType) { out in
            for edit in edits { edit.append(to: &out) }
        }
    }
}

/// What the catalog's file said at a start.
struct CatalogReading {
    var state = CatalogState()
    /// Blocks that it says were removed: their files may still be there.
    var removed: Set<BlockID> = []
    /// What is wrong with the file, in words.
    var damage: String?
    /// Set when a later version of Skein wrote the file.
    var newerVersion: UInt32?

    /// Takes blocks as removed whose marks say so.
    mutating func note(marks: Set<BlockID>) {
        state.blocks.subtract(marks)
        removed.formUnion(marks)
    }

    /// Reads the whole of the file.
    init(_ bytes: UnsafeRawBufferPointer) {
        switch RecordFile.readHeader(bytes, magic: Catalog.magic) {
        case .short: damage = "it is shorter than its header"
        case .damaged: damage = "its header does not check"
        case .good(let version, _) where version > Catalog.version:
            newerVersion = version
            return
        case .good: break
        }
        let outcome = RecordFile.forEachRecord(bytes, types: [Catalog.editsType]) { record in
            var reader = ByteReader(record.payload)
            do throws(ByteError) {
                while !reader.isAtEnd {
                    guard let edit = try CatalogState.Edit(&reader) else {
                        damage =
                            damage ?? "the record at offset \(record.range.lowerBound) holds an edit that cannot be"
                        return true
                    }
                    state.apply(edit)
                    if case .removeBlock(let id) = edit { removed.insert(id) }
                    if case .addBlock(let id) = edit { removed.remove(id) }
                }
            } catch {
                damage = damage ?? "the record at offset \(record.range.lowerBound) ends too early"
            }
            return true
        }
        if let offset = outcome.firstBadOffset {
            damage = damage ?? "the record at offset \(offset) does not check"
        }
    }
}
