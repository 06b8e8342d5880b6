// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore

/// Opens a data folder: looks at everything first and changes nothing, then mends what the last stop left behind.
///
/// No file that holds spans is ever deleted unless a block holds them; what does not check is put aside. A block that is
/// not in the catalog was finished just before a stop, or the catalog lost it: it counts, and makes the log segments
/// that it is named after superfluous.
struct Opening {
    private let disk: any Disk
    private let folder: StoreFolder
    private let cache: PartCache
    private let limits: HeadLimits
    private let memory: EmbeddedStore.Memory
    private let quarantine: Quarantine
    private(set) var report = RecoveryReport()

    private var state = CatalogState()
    private var removed: Set<BlockID> = []
    /// Removed blocks that have a mark.
    private var marks: Set<BlockID> = []
    private var catalogDamage: String?
    private var isCatalogMissing = false
    private var good: [BlockID: StoredBlock] = [:]
    /// Blocks whose spans another one holds too.
    private var superseded: [BlockID] = []
    private var bad: [BlockID: StoreError] = [:]
    /// Those of them that cannot be read at present, and may hold what nothing else does.
    private var leftOut: Set<BlockID> = []
    private var segments: [UInt64] = []
    /// Files, by folder and name, that end like blocks or segments and are not named like any.
    private var misnamed: [(folder: String, name: String)] = []
    /// Whether the device refused to make a segment durable that was read back.
    private var isReplayInDoubt = false

    init(disk: any Disk, folder: StoreFolder, cache: PartCache, limits: HeadLimits, memory: EmbeddedStore.Memory) {
        self.disk = disk
        self.folder = folder
        self.cache = cache
        self.limits = limits
        self.memory = memory
        quarantine = Quarantine(disk: disk, folder: folder)
    }

    /// What an open store starts from.
    struct Opened: ~Copyable {
        var contents: Contents
        var catalog: Catalog
        var log: LogWriter
        /// Removed blocks whose marks are still there.
        var marks: Set<BlockID> = []
        /// Files of blocks that are to go before anything else does; see ``Sealer``.
        var orphans: Set<BlockID> = []
    }

    /// `nowNanos` is the monotonic clock's.
    mutating func open(nowNanos: UInt64) throws(StoreError) -> Opened {
        try readCatalog()
        try openBlocks()
        try checkSegments()
        try checkRollups()

        var edits = mendBlocks()
        mendCatalog()
        removeStrays()
        for (folder, name) in misnamed { putAside(name, from: folder, reason: "its name is none that Skein gives") }
        // A block made of some segments of one that is left out would supersede it.
        let replayed = segments.filter { segment in
            !isCovered(segment) && !leftOut.contains { $0.covers(segment) }
        }
        let past = try openPastRollups(replayed)
        // No segment gets the number of one whose spans are in a block, or were.
        let stored = Array(good.keys) + Array(leftOut)
        let lastKnown = (stored + past.map(\.id)).map(\.lastSegment).max() ?? 0
        let nextSegment = max(state.firstSegment, (segments.last ?? 0) + 1, lastKnown + 1)
        let contents = Contents(
            firstSegment: replayed.first ?? nextSegment,
            blocks: Array(good.values),
            pastRollups: past,
            services: state.services,
            budget: memory.head
        )
        var damaged: [(segment: UInt64, batches: [SpanBatch], reason: String)] = []
        for (place, number) in replayed.enumerated() {
            let segment = try replay(number)
            if let reason = segment.damage, !segment.isHollow {
                damaged.append((number, segment.batches, reason))
            } else {
                contents.keep(segment.batches, logByteCount: segment.goodByteCount, nowNanos: nowNanos)
            }
            let following = replayed.dropFirst(place + 1).first
            // Spans that come from now on are in the next segment.
            let next = following ?? nextSegment
            // No block may lie between the segments of a part, and none is much larger than while serving.
            let isParted = (stored + past.map(\.id)).contains {
                number < $0.firstSegment && $0.firstSegment < next
            }
            if isParted || following != nil && limits.isFull(contents.activeFigures) {
                contents.freeze(
                    lastSegment: number,
                    nextSegment: next,
                    nowNanos: nowNanos,
                    isDoubtful: isReplayInDoubt
                )
            }
        }
        var log = LogWriter(
            disk: disk,
            folder: folder.log,
            segment: nextSegment
        )
        if isReplayInDoubt || !damaged.isEmpty, let last = replayed.last {
            // A block makes durable what the log could not. What is copied to the next segment belongs there alone.
            contents.freeze(
                lastSegment: last,
                nextSegment: nextSegment,
                nowNanos: nowNanos,
                isDoubtful: isReplayInDoubt
            )
        }
        for (number, batches, reason) in damaged {
            putAside(number, batches, reason, &log)
            contents.keep(batches, logByteCount: batches.reduce(0) { $0 + $1.byteCount }, nowNanos: nowNanos)
        }

        var catalog = Catalog(disk: disk, folder: folder, state: state)
        catalog.lingering = removed.filter { exists(folder.block($0)) }
        // Segments of a lost block count again until they are in another.
        let start = replayed.first ?? max(state.firstSegment, (stored.map(\.lastSegment).max() ?? 0) + 1)
        if start != state.firstSegment { edits.append(.startLog(start)) }
        if try commit(edits, &catalog) {
            // The catalog, synced, says where their spans are.
            for path in superseded.map(folder.block) + marks.map(folder.mark) where (try? disk.remove(path)) != nil {
                report.strayFileCount += 1
            }
            removeCoveredSegments()
            (marks, superseded) = ([], [])
        }
        report.blockCount = good.count
        return Opened(
            contents: contents,
            catalog: catalog,
            log: log,
            marks: marks,
            orphans: Set(superseded)
        )
    }

    /// Tells the catalog what the start found. Returns whether it knows for good: a full disk does not keep a store from
    /// opening, since retention may make room; what could be removed then stays until a later start.
    private mutating func commit(_ edits: [CatalogState.Edit], _ catalog: inout Catalog) throws(StoreError) -> Bool {
        guard !edits.isEmpty || isCatalogMissing || catalogDamage != nil || !marks.isEmpty else { return true }
        do throws(DiskError) {
            do throws(DiskError) {
                try catalog.commit(edits)
            } catch {
                guard error.code == .noSpace else { throw error }
                removeSegmentsOfCatalog()
                try catalog.commit(edits)
            }
            return true
        } catch {
            guard error.code == .noSpace else { throw Self.unusable(error) }
            catalog.assume(edits)
            return false
        }
    }

    /// Removes segments of which the catalog says already, as it is, that their spans are elsewhere: that takes no room.
    private mutating func removeSegmentsOfCatalog() {
        guard !isCatalogMissing, catalogDamage == nil, (try? disk.open(folder.catalog, .append).sync()) != nil else {
            return
        }
        for segment in segments where segment < state.firstSegment && isCovered(segment) { remove(segment) }
    }

    // MARK: Looking

    private mutating func readCatalog() throws(StoreError) {
        marks = StoreFolder.marks(try list(folder.blocks))
        let bytes: [UInt8]
        do throws(DiskError) {
            bytes = try disk.contents(of: folder.catalog, limit: .max)
        } catch {
            guard error.code == .notFound else { throw Self.unusable(error) }
            isCatalogMissing = true
            removed = marks
            return
        }
        var reading = bytes.withUnsafeBytes { CatalogReading($0) }
        if let version = reading.newerVersion {
            throw StoreError(newer: version, known: Catalog.version, path: folder.catalog)
        }
        reading.note(marks: marks)
        state = reading.state
        removed = reading.removed
        catalogDamage = reading.damage
    }

    /// Opens all block files, whether or not the catalog names them.
    private mutating func openBlocks() throws(StoreError) {
        var ids = state.blocks
        for name in try list(folder.blocks) where name.hasSuffix(".block") {
            if let id = BlockID(fileName: name) { ids.insert(id) } else { misnamed.append((folder.blocks, name)) }
        }
        for id in ids.subtracting(removed).sorted() {
            do throws(StoreError) {
                good[id] = try StoredBlock.open(id, disk: disk, folder: folder, cache: cache, budget: memory.blocks)
            } catch {
                // Of a later version.
                if error.code == .unusable { throw error }
                bad[id] = error
            }
        }
        superseded = ids.filter { id in good.keys.contains { $0.supersedes(id) } }
        for id in superseded {
            good[id] = nil
            bad[id] = nil
        }
    }

    private mutating func checkSegments() throws(StoreError) {
        for name in try list(folder.log) where name.hasSuffix(".log") {
            if let number = LogSegment.number(ofFile: name) {
                segments.append(number)
            } else {
                misnamed.append((folder.log, name))
            }
        }
        segments.sort()
        for number in segments {
            let path = folder.segment(number)
            let header: [UInt8]
            do throws(DiskError) {
                header = try disk.open(path, .read).bytes(at: 0, count: RecordFile.headerByteCount)
            } catch {
                throw Self.unusable(error)
            }
            if let version = header.withUnsafeBytes({ LogSegment.newerVersion($0) }) {
                throw StoreError(newer: version, known: LogSegment.version, path: path)
            }
        }
    }

    /// Refuses the folder when a later version wrote a rollup.
    private func checkRollups() throws(StoreError) {
        for name in try list(folder.rollups) {
            guard let id = BlockID(rollupFileName: name) else { continue }
            do throws(StoreError) {
                _ = try StoredRollup(id, disk: disk, folder: folder, cache: cache)
            } catch {
                if error.code == .unusable { throw error }
            }
        }
    }

    private func list(_ path: String) throws(StoreError) -> [String] {
        do throws(DiskError) { return try disk.list(path) } catch { throw Self.unusable(error) }
    }

    private static func unusable(_ error: DiskError) -> StoreError {
        StoreError(
            error.code == .noSpace ? .full : .unusable,
            "the data folder cannot be opened: \(error)",
            place: error.path
        )
    }

    // MARK: Mending

    /// Puts bad blocks aside; returns what the catalog must learn.
    private mutating func mendBlocks() -> [CatalogState.Edit] {
        var edits: [CatalogState.Edit] = []
        for (id, error) in bad.sorted(by: { $0.key < $1.key }) {
            if !exists(folder.block(id)) {
                report.problems.append("The block \(id.fileName) is missing; its spans are lost.")
                edits.append(.removeBlock(id))
            } else if error.code == .corrupt {
                putAside(id.fileName, from: folder.blocks, reason: error.description)
                edits.append(.removeBlock(id))
            } else {
                leftOut.insert(id)
                if !state.blocks.contains(id) { edits.append(.addBlock(id)) }
                report.problems.append("The block \(id.fileName) cannot be read and is left out: \(error)")
            }
        }
        for id in good.keys.sorted() where !state.blocks.contains(id) { edits.append(.addBlock(id)) }
        edits += superseded.sorted().map { .removeBlock($0) }
        for id in removed {
            if exists(folder.block(id)), (try? disk.remove(folder.block(id))) != nil { report.strayFileCount += 1 }
        }
        return edits
    }

    private mutating func mendCatalog() {
        guard let catalogDamage else { return }
        putAside("catalog", from: folder.root, reason: catalogDamage)
    }

    private mutating func removeStrays() {
        for path in [folder.root, folder.blocks, folder.rollups] {
            for name in (try? disk.list(path)) ?? [] where name.hasSuffix(StoreFolder.temporarySuffix) {
                if (try? disk.remove(path + "/" + name)) != nil { report.strayFileCount += 1 }
            }
        }
    }

    /// Whether the spans of a segment are in a block, or were and are past retention.
    private func isCovered(_ segment: UInt64) -> Bool {
        if good.keys.contains(where: { $0.covers(segment) }) { return true }
        return segment < state.firstSegment && !bad.keys.contains { $0.covers(segment) }
    }

    /// Removes segments whose spans are elsewhere. Only once the catalog, synced, says so: until then the name of a block
    /// that was finished just before a kill may still be lost with the power.
    private mutating func removeCoveredSegments() {
        for segment in segments where isCovered(segment) { remove(segment) }
    }

    private mutating func remove(_ segment: UInt64) {
        if (try? disk.remove(folder.segment(segment))) != nil { report.strayFileCount += 1 }
    }

    /// Opens the rollups of spans that are gone. Removes those that speak of spans which other files speak of: of blocks
    /// that were not finished, or were merged.
    private mutating func openPastRollups(_ replayed: [UInt64]) throws(StoreError) -> [StoredRollup] {
        let stored = Array(good.keys) + Array(leftOut)
        let present = Set(stored.map { BlockID(firstSegment: $0.firstSegment, lastSegment: $0.lastSegment) })
        var past: [StoredRollup] = []
        for id in try list(folder.rollups).compactMap({ BlockID(rollupFileName: $0) }) where !present.contains(id) {
            if replayed.contains(where: { id.covers($0) }) || present.contains(where: { $0.overlaps(id) }) {
                if (try? disk.remove(folder.rollup(id))) != nil { report.strayFileCount += 1 }
                continue
            }
            do throws(StoreError) {
                past.append(try StoredRollup(id, disk: disk, folder: folder, cache: cache))
            } catch {
                if error.code == .corrupt {
                    putAside(id.rollupFileName, from: folder.rollups, reason: error.description)
                } else {
                    report.problems.append("The rollup \(id.rollupFileName) cannot be read and is left out: \(error)")
                }
            }
        }
        for rollup in past where past.contains(where: { $0.id.supersedes(rollup.id) }) {
            if (try? disk.remove(folder.rollup(rollup.id))) != nil { report.strayFileCount += 1 }
        }
        return past.filter { rollup in !past.contains { $0.id.supersedes(rollup.id) } }
    }

    /// Reads a segment, cuts off a torn end and makes durable what a killed process had written and not yet synced.
    private mutating func replay(_ number: UInt64) throws(StoreError) -> LogSegment {
        let path = folder.segment(number)
        let bytes: [UInt8]
        do throws(DiskError) { bytes = try disk.contents(of: path, limit: .max) } catch { throw Self.unusable(error) }
        let segment = bytes.withUnsafeBytes { LogSegment($0, number: number) }
        report.segmentCount += 1
        report.replayedSpanCount += segment.batches.reduce(0) { $0 + $1.count }
        if segment.isHollow {
            // Nothing acknowledged can be in it, unless all of it was destroyed: so it is kept, and no trouble is made.
            report.tornByteCount += bytes.count
            let reason = "neither its header nor any record checks; most likely it was being made at a stop"
            if (try? quarantine.take(LogSegment.fileName(number), from: folder.log, reason: reason)) != nil {
                report.quarantinedCount += 1
            }
        } else if segment.damage == nil, segment.goodByteCount < bytes.count {
            report.tornByteCount += bytes.count - segment.goodByteCount
            // What stays uncut is found torn again at the next start, no more.
            _ = try? disk.open(path, .append).truncate(to: segment.goodByteCount)
        }
        if !segment.batches.isEmpty, (try? disk.open(path, .append).sync()) == nil { isReplayInDoubt = true }
        return segment
    }

    /// Writes the good batches of a damaged segment to a new one, then puts the damaged one aside.
    private mutating func putAside(_ number: UInt64, _ batches: [SpanBatch], _ reason: String, _ log: inout LogWriter) {
        do throws(DiskError) {
            for batch in batches {
                var record = ByteWriter()
                LogSegment.append(batch, to: &record)
                try log.write(record.bytes)
            }
            try log.sync()
        } catch {
            report.problems.append("The log segment \(folder.segment(number)) is damaged (\(reason)) and in use.")
            return
        }
        putAside(LogSegment.fileName(number), from: folder.log, reason: reason)
    }

    private mutating func putAside(_ name: String, from source: String, reason: String) {
        do throws(DiskError) {
            let place = try quarantine.take(name, from: source, reason: reason)
            report.quarantinedCount += 1
            report.problems.append("\(source)/\(name) is damaged (\(reason)); it is kept as \(place).")
        } catch {
            report.problems.append("\(source)/\(name) is damaged (\(reason)) and cannot be put aside: \(error)")
        }
    }

    /// Whether there is such a file, or may be: only the disk's word that there is none says no.
    private func exists(_ path: String) -> Bool {
        do throws(DiskError) {
            _ = try disk.open(path, .read)
            return true
        } catch {
            return error.code != .notFound
        }
    }
}

extension StoreError {
    /// A file of a later version: it is left as it is.
    init(newer version: UInt32, known: UInt32, path: String) {
        self.init(
            .unusable,
            "\(path) has format version \(version), this Skein knows versions up to \(known); "
                + "nothing was changed, start the newer Skein",
            place: path
        )
    }
}
