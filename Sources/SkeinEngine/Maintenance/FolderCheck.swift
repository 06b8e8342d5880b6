// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
public import SkeinStore

extension DataFolder {
    /// Reads every byte of the folder and says what is wrong. Throws when it cannot: no data folder, no right to read, a
    /// file of a later version.
    ///
    /// - Parameter blocksAtOnce: How many blocks are read at the same time, each by a thread of its own; at least 1.
    public func verify(
        blocksAtOnce: Int = 1,
        progress: (Progress) -> Void = { _ in }
    ) throws(StoreError) -> FolderReport {
        try requireFolder()
        var check = FolderCheck(self, blocksAtOnce: blocksAtOnce)
        try check.run(progress)
        guard let records = logRecords() else { return check.report }
        var report = check.report
        var inner = FolderCheck(records, blocksAtOnce: blocksAtOnce)
        try inner.run(progress)
        report.add(inner.report, of: StoreFolder.logRecordsName)
        return report
    }
}

/// One reading of all files of a data folder. What a start would do about damage follows ``Opening``.
private struct FolderCheck {
    private let data: DataFolder
    private let disk: any Disk
    private let folder: StoreFolder
    private(set) var report = FolderReport()
    private var state = CatalogState()
    private var removed: Set<BlockID> = []
    private var blocks: [BlockID] = []
    private var bad: Set<BlockID> = []
    private var progress = DataFolder.Progress()
    private let blocksAtOnce: Int

    /// Names of one block are enough to find the rest wanting.
    private static let failuresPerBlockMax = 20
    /// A file that changes while it is read is read so often until it is believed.
    private static let readingsMax = 3

    init(_ data: DataFolder, blocksAtOnce: Int) {
        self.data = data
        self.blocksAtOnce = blocksAtOnce
        disk = data.disk
        folder = data.folder
    }

    mutating func run(_ tell: (DataFolder.Progress) -> Void) throws(StoreError) {
        let segments = try data.names(folder.log).compactMap { LogSegment.number(ofFile: $0) }
        let others = try data.otherFiles().map { folder.root + "/" + $0 }
        let files = [folder.catalog] + segments.map(folder.segment) + (try presentBlocks().map(folder.block)) + others
        progress.totalByteCount = files.reduce(0) { $0 + byteCount($1) }
        let manifest = try readManifest()
        progress.totalByteCount += manifest?.byteCount ?? 0
        try checkCatalog()
        for number in segments { try checkSegment(number, tell) }
        // After the log: what was sealed meanwhile is here. Those that supersede others come first, so that it is known
        // whether they are good.
        let ids = try presentBlocks()
            .sorted {
                ($0.lastSegment - $0.firstSegment, $0.generation) > ($1.lastSegment - $1.firstSegment, $1.generation)
            }
        try checkBlocks(ids, tell)
        for path in others { try checkOther(path, tell) }
        try checkBlocksAreThere()
        noteQuarantine()
        if let manifest { compare(manifest, tell) }
    }

    private func presentBlocks() throws(StoreError) -> [BlockID] {
        try data.names(folder.blocks).compactMap { BlockID(fileName: $0) }
    }

    // MARK: Findings

    private mutating func note(_ path: String, at offset: Int? = nil, _ message: String, then consequence: String) {
        add(false, path, offset, message, consequence)
    }

    private mutating func damage(_ path: String, at offset: Int? = nil, _ message: String, then consequence: String) {
        add(true, path, offset, message, consequence)
    }

    private mutating func add(
        _ isDamage: Bool,
        _ path: String,
        _ offset: Int?,
        _ message: String,
        _ consequence: String
    ) {
        report.findings.append(
            FolderReport.Finding(
                isDamage: isDamage,
                file: data.relative(path),
                offset: offset,
                message: message,
                consequence: consequence
            )
        )
    }

    private mutating func count(_ byteCount: Int, _ tell: (DataFolder.Progress) -> Void) {
        report.fileCount += 1
        report.byteCount += byteCount
        progress.byteCount = report.byteCount
        tell(progress)
    }

    private func byteCount(_ path: String) -> Int { (try? disk.open(path, .read).size()) ?? 0 }

    // MARK: Catalog

    private mutating func checkCatalog() throws(StoreError) {
        guard let bytes = try data.contents(folder.catalog) else {
            return damage(
                folder.catalog,
                "The catalog is missing.",
                then: "The next start makes it anew from the blocks; colours of services may change."
            )
        }
        count(bytes.count) { _ in }
        guard let reading = try data.readCatalog() else { return }
        state = reading.state
        removed = reading.removed
        let consequence =
            "The next start puts it into quarantine and makes it anew from what it still says and from the blocks."
        if let reason = reading.damage {
            return damage(folder.catalog, "The catalog is damaged: \(reason).", then: consequence)
        }
        let goodCount = bytes.withUnsafeBytes {
            RecordFile.forEachRecord($0, types: [Catalog.editsType]) { _ in true }.goodByteCount
        }
        if goodCount <= RecordFile.headerByteCount {
            damage(
                folder.catalog,
                at: goodCount,
                "The catalog has no record that checks.",
                then: "The next start makes it anew from the blocks; colours of services may change."
            )
        } else if goodCount < bytes.count {
            note(
                folder.catalog,
                at: goodCount,
                "The catalog ends in a record that does not check, as after a stop in the middle of writing.",
                then: "The next start goes without that record; the names of the blocks say the rest."
            )
        }
    }

    // MARK: Log

    private mutating func checkSegment(_ number: UInt64, _ tell: (DataFolder.Progress) -> Void) throws(StoreError) {
        let path = folder.segment(number)
        guard let (segment, size) = try readSegment(number) else { return }
        if let version = segment.newerVersion {
            throw StoreError(newer: version, known: LogSegment.version, path: path)
        }
        report.segmentCount += 1
        report.spanCount += segment.batches.reduce(0) { $0 + $1.count }
        count(size, tell)
        let holder = try presentBlocks()
            .first { $0.covers(number) && !removed.contains($0) }
        let isNeeded = holder == nil && number >= state.firstSegment
        if let reason = segment.damage, segment.isHollow {
            note(
                path,
                at: 0,
                "The log segment holds nothing that checks (\(reason)), as after a stop while it was being made.",
                then: "The next start puts it into quarantine."
            )
        } else if let reason = segment.damage {
            let message = "The log segment is damaged: \(reason)."
            if isNeeded {
                damage(
                    path,
                    at: segment.damageOffset,
                    message,
                    then: "The next start copies its good batches to a new segment and puts it into quarantine; the "
                        + "spans of the others are lost."
                )
            } else {
                note(path, at: segment.damageOffset, message, then: Self.superfluous(holder))
            }
        } else if segment.goodByteCount < size {
            note(
                path,
                at: segment.goodByteCount,
                "The log segment ends in \(size - segment.goodByteCount) bytes that are no whole record, as after a stop "
                    + "in the middle of writing.",
                then: isNeeded
                    ? "The next start cuts them off; unless the file was changed they were never acknowledged."
                    : Self.superfluous(holder)
            )
        }
    }

    private static func superfluous(_ holder: BlockID?) -> String {
        holder.map { "Its spans are in the block \($0.fileName); the next start removes it." }
            ?? "The catalog says that its spans are in a block or past retention; the next start removes it."
    }

    /// Reads a segment that may be written to; `nil` when it is gone.
    private func readSegment(_ number: UInt64) throws(StoreError) -> (LogSegment, Int)? {
        var last: (segment: LogSegment, bytes: [UInt8])?
        for _ in 0..<Self.readingsMax {
            guard let bytes = try data.contents(folder.segment(number)) else { return nil }
            if let last, last.bytes == bytes { break }
            let segment = bytes.withUnsafeBytes { LogSegment($0, number: number) }
            last = (segment, bytes)
            if segment.damage == nil, segment.goodByteCount == bytes.count { break }
        }
        return last.map { ($0.segment, $0.bytes.count) }
    }

    // MARK: Blocks

    private mutating func checkBlocks(_ ids: [BlockID], _ tell: (DataFolder.Progress) -> Void) throws(StoreError) {
        let reading = BlockReadings(data, ids)
        let before = report.byteCount
        reading.run(blocksAtOnce) { byteCount in
            progress.byteCount = before + byteCount
            tell(progress)
        }
        for (id, outcome) in zip(ids, reading.outcomes) { try add(id, outcome, tell) }
    }

    private mutating func add(
        _ id: BlockID,
        _ outcome: BlockReadings.Outcome,
        _ tell: (DataFolder.Progress) -> Void
    ) throws(StoreError) {
        let path = folder.block(id)
        blocks.append(id)
        switch outcome {
        // Merged or past retention since the folder was listed.
        case .gone: return
        case .closed(let error):
            if error.code == .unusable { throw error }
            bad.insert(id)
            count(byteCount(path), tell)
            addBlock(id, error, isOpen: false)
        case .read(let byteCount, let spanCount, let failures):
            report.blockCount += 1
            report.spanCount += spanCount
            count(byteCount, tell)
            for failure in failures.prefix(Self.failuresPerBlockMax) { addBlock(id, failure, isOpen: true) }
            guard failures.count > Self.failuresPerBlockMax else { return }
            damage(
                path,
                "The block has \(failures.count) damaged places; the others are not listed.",
                then: consequence(id, isOpen: true)
            )
        }
    }

    private mutating func addBlock(_ id: BlockID, _ error: StoreError, isOpen: Bool) {
        let isSuperfluous = removed.contains(id) || blocks.contains { $0.supersedes(id) && !bad.contains($0) }
        let what = error.code == .corrupt ? "is damaged" : "cannot be read"
        add(
            !isSuperfluous,
            folder.block(id),
            error.offset,
            "The block \(what): \(error.message).",
            isSuperfluous
                ? "Its spans are in another block or past retention; the next start removes it."
                : error.code == .corrupt
                    ? consequence(id, isOpen: isOpen) : "The next start leaves it out, or readers get an error."
        )
    }

    /// What becomes of a damaged block. A start reads its end only; what lies before is checked when it is read.
    private func consequence(_ id: BlockID, isOpen: Bool) -> String {
        if isOpen {
            return "The next start does not notice. The first query that reads this place fails; then the block is "
                + "written anew without what cannot be read, and this file put into quarantine."
        }
        let segments = (try? data.names(folder.log).compactMap { LogSegment.number(ofFile: $0) }) ?? []
        let isInLog = segments.contains { id.covers($0) }
        return "The next start puts it into quarantine; "
            + (isInLog ? "spans that are still in the log count again." : "its spans are no longer found.")
    }

    /// Blocks that the catalog names and that are not there.
    private mutating func checkBlocksAreThere() throws(StoreError) {
        let missing = state.blocks.subtracting(blocks)
        guard !missing.isEmpty, let now = try data.readCatalog() else { return }
        let present = try presentBlocks()
        for id in missing.sorted() where now.state.blocks.contains(id) && !present.contains(id) {
            if present.contains(where: { $0.supersedes(id) }) { continue }
            damage(
                folder.block(id),
                "The catalog names a block that is missing.",
                then: "The next start goes without it and says so; its spans are lost unless a backup has them."
            )
        }
    }

    // MARK: Other files

    /// Reads a file whose content says nothing to us, or nothing yet.
    private mutating func checkOther(_ path: String, _ tell: (DataFolder.Progress) -> Void) throws(StoreError) {
        do throws(DiskError) {
            count(try disk.sum(of: path).byteCount, tell)
        } catch {
            if error.code == .notFound { return }
            if error.code == .readOnly { throw DataFolder.unreadable(error) }
            damage(path, "The file cannot be read: \(error.reason).", then: "The next start cannot read it either.")
            return
        }
        let prefix = folder.rollups + "/"
        if path.hasPrefix(prefix), let id = BlockID(rollupFileName: String(path.dropFirst(prefix.count))) {
            try checkRollup(id)
        }
        if path.hasPrefix(folder.workTrace + "/") { try checkRecords(path) }
        if path == folder.pins {
            try check(path, PinFile.check, "Nothing goes by age or late sampling until it is settled.")
        }
        if path == folder.lateDecisions {
            try check(
                path,
                { disk, folder throws(StoreError) in _ = try LateDecisions.read(disk, folder) },
                "It is put into quarantine; of traces that lie in several blocks some may have been dropped in part."
            )
        }
    }

    /// Records of open work and of messages. A start reads over what is damaged, and never writes to these files again.
    private mutating func checkRecords(_ path: String) throws(StoreError) {
        guard let bytes = try data.contents(path) else { return }
        let found = try bytes.withUnsafeBufferPointer { bytes throws(StoreError) in
            try SegmentLog.check(UnsafeRawBufferPointer(bytes), path: path)
        }
        if let offset = found.damageOffset {
            damage(
                path,
                at: offset,
                "Records of agents' work are damaged.",
                then: "The next start reads the good ones; what the others said of sessions or messages is lost."
            )
        } else if found.goodByteCount < bytes.count {
            note(
                path,
                at: found.goodByteCount,
                "The file ends in \(bytes.count - found.goodByteCount) bytes that are no whole record, as after a "
                    + "stop in the middle of writing.",
                then: "The next start leaves them out; unless the file was changed they were never acknowledged."
            )
        }
    }

    private mutating func check(
        _ path: String,
        _ read: (any Disk, StoreFolder) throws(StoreError) -> Void,
        _ consequence: String
    ) throws(StoreError) {
        do throws(StoreError) {
            try read(disk, folder)
        } catch {
            guard error.code == .corrupt else { throw error }
            damage(path, "The file is damaged: \(error.message).", then: consequence)
        }
    }

    private mutating func checkRollup(_ id: BlockID) throws(StoreError) {
        do throws(StoreError) {
            try StoredRollup(id, disk: disk, folder: folder, cache: PartCache(byteCountMax: 0)).check()
        } catch {
            if error.code == .unusable { throw error }
            // Removed meanwhile: what it said is in another.
            guard error.code == .corrupt else { return }
            damage(
                folder.rollup(id),
                at: error.offset,
                "The rollup is damaged: \(error.message).",
                then: "It is made anew from its block, or put aside when that is gone."
            )
        }
    }

    /// What a backup says of itself; `nil` for any other folder.
    private mutating func readManifest() throws(StoreError) -> BackupManifest? {
        guard let bytes = try data.contents(folder.manifest) else { return nil }
        report.fileCount += 1
        report.byteCount += bytes.count
        progress.totalByteCount += bytes.count
        do throws(BackupManifest.Failure) {
            return try BackupManifest(parsing: bytes)
        } catch {
            switch error {
            case .newer(let reason): throw StoreError(.unusable, reason, place: folder.manifest)
            case .damaged(let reason):
                damage(folder.manifest, "The manifest is damaged: \(reason).", then: Self.refusal)
                return nil
            }
        }
    }

    private static let refusal = "`skein restore` refuses this backup; take another one."

    /// Holds a backup to its manifest.
    private mutating func compare(_ manifest: BackupManifest, _ tell: (DataFolder.Progress) -> Void) {
        for (name, wanted) in manifest.files.sorted(by: { $0.key < $1.key }) {
            let path = folder.root + "/" + name
            guard let found = try? disk.sum(of: path) else {
                damage(path, "The manifest names a file that cannot be read.", then: Self.refusal)
                continue
            }
            if found != wanted { damage(path, "The file is not what the manifest says it was.", then: Self.refusal) }
            progress.byteCount += found.byteCount
            tell(progress)
        }
    }

    private mutating func noteQuarantine() {
        let fileCount = Quarantine(disk: disk, folder: folder).count
        guard fileCount > 0 else { return }
        note(
            folder.quarantine,
            "Earlier starts put \(fileCount == 1 ? "a file that does" : "\(fileCount) files that do") not check here; "
                + "each has a text beside it that says why.",
            then: "The next start leaves them alone, and so do queries."
        )
    }
}
