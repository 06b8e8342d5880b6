// SPDX-License-Identifier: Apache-2.0
import Dispatch
import SkeinBase
package import SkeinStore
import Synchronization

/// A ``RecordLog`` in files of the data folder, each a ``RecordFile``, written one after the other: `0000000000000017.journal`.
///
/// All that waits is written and synced in one go, on a queue of its own. A process begins a new segment and never writes to
/// one that another process left, so that a torn end stays what it is. A segment whose first record is of the type "new"
/// takes the place of all before it. The folder is made when the first record comes.
///
/// Where records build on each other (``isChain``), nothing is taken behind one that was lost, and nobody is told that what came before
/// is durable, until a replacement was written.
package final class SegmentLog: RecordLog {
    static let magic: UInt64 = 0x6472_6f63_6552_6b53
    static let version: UInt32 = 1
    static let recordType: UInt32 = 0x2043_4552
    /// Nothing before this segment counts any more. No payload.
    static let newType: UInt32 = 0x2057_454e
    private static let segmentBytesRead = 1 << 31

    private struct Item {
        var records: [[UInt8]]
        var byteCount: Int
        var isReplacing: Bool
        var receipt: RecordReceipt
    }

    private struct Waiting {
        var items: [Item] = []
        var byteCount = 0
        var isScheduled = false
        /// Why records of a chain were lost since the last replacement.
        var gap: StoreError?
    }

    /// Only touched on ``thread``, but at the start.
    private struct Writing {
        var file: (any DiskFile)?
        var byteCount = 0
        var segment: UInt64
        var isFolderMade = false
    }

    private let disk: any Disk
    private let folder: String
    private let suffix: String
    private let segmentBytesMax: Int
    private let syncs: Bool
    private let isChain: Bool
    private let thread: DispatchQueue
    private let waiting = Mutex(Waiting())
    private let writing: Mutex<Writing>
    private let sizes: Mutex<[UInt64: Int]>
    private let found = Mutex<[String]>([])

    /// The log of the files that end with `suffix` in `folder`. Segments are ended at `segmentBytesMax`. Without `syncs` the
    /// operating system decides when records reach the disk. `isChain` says that records build on each other.
    init(
        on disk: any Disk,
        in folder: String,
        suffix: String,
        segmentBytesMax: Int,
        syncs: Bool,
        isChain: Bool = false
    ) throws(StoreError) {
        self.disk = disk
        self.folder = folder
        self.suffix = suffix
        self.segmentBytesMax = segmentBytesMax
        self.syncs = syncs
        self.isChain = isChain
        thread = DispatchQueue(label: "skein.records" + suffix)
        var sizes: [UInt64: Int] = [:]
        do throws(DiskError) {
            for name in try Self.names(disk, folder) {
                if name.hasSuffix(suffix + StoreFolder.temporarySuffix) { try? disk.remove(folder + "/" + name) }
                guard let number = Self.number(ofFile: name, suffix) else { continue }
                sizes[number] = try disk.open(folder + "/" + name, .read).size()
            }
        } catch {
            throw StoreError(read: error)
        }
        writing = Mutex(Writing(segment: min(sizes.keys.max() ?? 0, FileNumber.greatest) + 1))
        self.sizes = Mutex(sizes)
    }

    package var waitingByteCount: Int { waiting.withLock { $0.byteCount } }
    package var byteCount: Int { sizes.withLock { $0.values.reduce(0, +) } }
    package var problems: [String] { found.withLock { $0 } }

    // MARK: Reading

    package func forEachRecord(_ body: (RecordPlace, UnsafeRawBufferPointer) -> Void) throws(StoreError) {
        var problems: [String] = []
        for number in try segmentsThatCount() {
            let path = path(number)
            let bytes: [UInt8]
            do throws(DiskError) {
                bytes = try disk.contents(of: path, limit: Self.segmentBytesRead)
            } catch {
                throw StoreError(read: error)
            }
            try bytes.withUnsafeBufferPointer { buffer throws(StoreError) in
                let bytes = UnsafeRawBufferPointer(buffer)
                switch RecordFile.readHeader(bytes, magic: Self.magic) {
                case .short: return
                case .damaged: problems.append("\(path) is damaged: its header does not check.")
                case .good(let version, _):
                    if version > Self.version {
                        throw StoreError(newer: version, known: Self.version, path: path)
                    }
                }
                let outcome = RecordFile.forEachRecord(bytes, types: [Self.recordType, Self.newType]) { record in
                    guard record.type == Self.recordType else { return true }
                    let offset = record.range.lowerBound
                    body(RecordPlace(segment: number, offset: offset, byteCount: record.payload.count), record.payload)
                    return true
                }
                if let offset = outcome.firstBadOffset {
                    problems.append("\(path) is damaged at byte \(offset): what stood there is lost.")
                }
            }
        }
        found.withLock { $0 = problems }
    }

    /// What a reading of the bytes of a segment finds.
    struct Check {
        /// Where something stands that is no record although good ones follow; 0 for a header that does not check.
        var damageOffset: Int?
        /// What is behind it is the torn end.
        var goodByteCount: Int
    }

    /// Reads the segment `bytes`. Throws when a later version wrote it.
    static func check(_ bytes: UnsafeRawBufferPointer, path: String) throws(StoreError) -> Check {
        switch RecordFile.readHeader(bytes, magic: magic) {
        case .short: return Check(damageOffset: nil, goodByteCount: 0)
        case .damaged: return Check(damageOffset: 0, goodByteCount: 0)
        case .good(let newest, _):
            if newest > version { throw StoreError(newer: newest, known: version, path: path) }
        }
        let outcome = RecordFile.forEachRecord(bytes, types: [recordType, newType]) { _ in true }
        return Check(damageOffset: outcome.firstBadOffset, goodByteCount: outcome.goodByteCount)
    }

    /// The segments from the last one on that took the place of those before, in order.
    private func segmentsThatCount() throws(StoreError) -> [UInt64] {
        var numbers: [UInt64] = []
        for number in sizes.withLock({ $0.keys.sorted(by: >) }) {
            numbers.append(number)
            if try isReplacement(number) { break }
        }
        return numbers.reversed()
    }

    private func isReplacement(_ number: UInt64) throws(StoreError) -> Bool {
        let marker = Self.marker
        let head: [UInt8]
        do throws(DiskError) {
            let file = try disk.open(path(number), .read)
            head = try file.bytes(at: 0, count: RecordFile.headerByteCount + marker.count)
        } catch {
            throw StoreError(read: error)
        }
        return head.dropFirst(RecordFile.headerByteCount).elementsEqual(marker)
    }

    package func record(at place: RecordPlace) async throws(StoreError) -> [UInt8] {
        let result = await withCheckedContinuation { done in
            thread.async { done.resume(returning: self.read(place)) }
        }
        return try result.get()
    }

    private func read(_ place: RecordPlace) -> Result<[UInt8], StoreError> {
        let gone = StoreError(.corrupt, "a record of \(path(place.segment)) is gone or damaged", place: folder)
        guard place.byteCount >= 0, place.byteCount <= RecordFile.payloadBytesMax, place.offset >= 0 else {
            return .failure(gone)
        }
        do throws(DiskError) {
            let file = try disk.open(path(place.segment), .read)
            let bytes = try file.bytes(at: place.offset, count: RecordFile.recordHeaderByteCount + place.byteCount)
            var payload: [UInt8]?
            bytes.withUnsafeBytes { bytes in
                _ = RecordFile.forEachRecord(bytes, from: 0, types: [Self.recordType]) { record in
                    payload = Array(record.payload)
                    return false
                }
            }
            return payload.map { .success($0) } ?? .failure(gone)
        } catch {
            return .failure(error.code == .notFound ? gone : StoreError(read: error))
        }
    }

    // MARK: Writing

    package func append(_ records: [[UInt8]], replacing: Bool) -> RecordReceipt {
        if records.isEmpty, !replacing {
            let isDone = waiting.withLock { $0.items.isEmpty && !$0.isScheduled && $0.gap == nil }
            if isDone { return RecordReceipt([]) }
        }
        let item = Item(
            records: records,
            byteCount: records.reduce(0) { $0 + $1.count + RecordFile.recordHeaderByteCount },
            isReplacing: replacing,
            receipt: RecordReceipt()
        )
        waiting.withLock { waiting in
            waiting.items.append(item)
            waiting.byteCount += item.byteCount
            guard !waiting.isScheduled else { return }
            waiting.isScheduled = true
            thread.async { self.drain() }
        }
        return item.receipt
    }

    package func removeSegments(before segment: UInt64) {
        thread.async {
            self.writing.withLock { writing in
                for number in self.sizes.withLock({ $0.keys.filter { $0 < segment && $0 != writing.segment } }) {
                    self.remove(number)
                }
            }
        }
    }

    /// Writes what waits, and comes again for what came meanwhile: those who read stand in the same queue.
    private func drain() {
        let items = waiting.withLock { waiting -> [Item] in
            // A replacement stands alone: it is one file that is there whole or not at all.
            var count = waiting.items.firstIndex { $0.isReplacing } ?? waiting.items.count
            if count == 0, !waiting.items.isEmpty { count = 1 }
            let items = Array(waiting.items.prefix(count))
            waiting.items.removeFirst(count)
            return items
        }
        let results = items.isEmpty ? [] : writeUnlessGap(items)
        for (item, result) in zip(items, results) { item.receipt.resolve(result) }
        let goesOn = waiting.withLock { waiting in
            waiting.byteCount -= items.reduce(0) { $0 + $1.byteCount }
            waiting.isScheduled = !waiting.items.isEmpty
            return waiting.isScheduled
        }
        if goesOn { thread.async { self.drain() } }
    }

    private func writeUnlessGap(_ items: [Item]) -> [Result<[RecordPlace], StoreError>] {
        let isReplacing = items.first?.isReplacing == true
        if !isReplacing, let gap = waiting.withLock({ $0.gap }) { return items.map { _ in .failure(gap) } }
        let results = writing.withLock { write(items, &$0) }
        waiting.withLock { waiting in
            switch results.first {
            case .failure(let error) where isChain: waiting.gap = error
            case .success where isReplacing: waiting.gap = nil
            default: break
            }
        }
        return results
    }

    private func write(_ items: [Item], _ writing: inout Writing) -> [Result<[RecordPlace], StoreError>] {
        do throws(DiskError) {
            let places =
                items.first?.isReplacing == true ? try replace(items, &writing) : try add(items, &writing)
            return places.map { .success($0) }
        } catch {
            let failure = StoreError(append: error)
            return items.map { _ in .failure(failure) }
        }
    }

    /// Appends to the open segment.
    private func add(_ items: [Item], _ writing: inout Writing) throws(DiskError) -> [[RecordPlace]] {
        if writing.byteCount > segmentBytesMax { giveUp(&writing) }
        // Nothing but a wish to hear that what came before is durable.
        if items.allSatisfy({ $0.records.isEmpty }) { return items.map { _ in [] } }
        let file = try open(&writing)
        var out = ByteWriter()
        let places = Self.pack(items, at: writing.byteCount, writing.segment, to: &out)
        do throws(DiskError) {
            try file.append(out.bytes)
            if syncs { try file.sync() }
        } catch {
            // What a failed sync leaves in doubt is not written behind.
            if error.operation != .append || (try? file.truncate(to: writing.byteCount)) == nil { giveUp(&writing) }
            throw error
        }
        writing.byteCount += out.count
        sizes.withLock { $0[writing.segment] = writing.byteCount }
        return places
    }

    /// Writes a segment that takes the place of all others, and removes those.
    private func replace(_ items: [Item], _ writing: inout Writing) throws(DiskError) -> [[RecordPlace]] {
        giveUp(&writing)
        try makeFolder(&writing)
        let (path, temporary) = (path(writing.segment), path(writing.segment) + StoreFolder.temporarySuffix)
        var out = RecordFile.header(magic: Self.magic, version: Self.version, number: writing.segment)
        RecordFile.append(type: Self.newType, to: &out) { _ in }
        let places = Self.pack(items, at: out.count, writing.segment, isBehind: true, to: &out)
        try? disk.remove(temporary)
        do throws(DiskError) {
            let file = try disk.open(temporary, .create)
            try file.append(out.bytes)
            try file.sync()
            try disk.rename(temporary, to: path)
            try disk.syncDirectory(folder)
        } catch {
            try? disk.remove(temporary)
            giveUp(&writing)
            writing.segment += 1
            throw error
        }
        let last = writing.segment
        sizes.withLock { $0[last] = out.count }
        writing.segment += 1
        for number in sizes.withLock({ $0.keys.filter { $0 < last } }) { remove(number) }
        return places
    }

    /// Appends the records to `out`, which begins at `offset` of its file, or with `isBehind` is that file.
    private static func pack(
        _ items: [Item],
        at offset: Int,
        _ segment: UInt64,
        isBehind: Bool = false,
        to out: inout ByteWriter
    ) -> [[RecordPlace]] {
        items.map { item in
            item.records.map { record in
                let start = isBehind ? out.count : offset + out.count
                RecordFile.append(type: recordType, to: &out) { out in record.withUnsafeBytes { out.append($0) } }
                return RecordPlace(segment: segment, offset: start, byteCount: record.count)
            }
        }
    }

    private func open(_ writing: inout Writing) throws(DiskError) -> any DiskFile {
        if let file = writing.file { return file }
        try makeFolder(&writing)
        let path = path(writing.segment)
        do throws(DiskError) {
            let file = try disk.open(path, .create)
            let header = RecordFile.header(magic: Self.magic, version: Self.version, number: writing.segment)
            try file.append(header.bytes)
            try disk.syncDirectory(folder)
            writing.file = file
            writing.byteCount = header.count
            return file
        } catch {
            try? disk.remove(path)
            writing.segment += 1
            throw error
        }
    }

    private func makeFolder(_ writing: inout Writing) throws(DiskError) {
        guard !writing.isFolderMade else { return }
        try disk.createDirectory(folder)
        try disk.syncDirectory(StoreFolder.parent(of: folder))
        writing.isFolderMade = true
    }

    private func giveUp(_ writing: inout Writing) {
        if writing.file != nil { writing.segment += 1 }
        writing.file = nil
        writing.byteCount = 0
    }

    private func remove(_ number: UInt64) {
        guard (try? disk.remove(path(number))) != nil else { return }
        sizes.withLock { _ = $0.removeValue(forKey: number) }
    }

    // MARK: Names

    private static var marker: [UInt8] { RecordFile.record(type: newType) { _ in }.array() }

    private func path(_ number: UInt64) -> String { folder + "/" + FileNumber.text(number) + suffix }

    private static func number(ofFile name: String, _ suffix: String) -> UInt64? {
        name.hasSuffix(suffix) ? FileNumber.parse(name.dropLast(suffix.count)) : nil
    }

    private static func names(_ disk: any Disk, _ folder: String) throws(DiskError) -> [String] {
        do throws(DiskError) {
            return try disk.list(folder)
        } catch {
            if error.code == .notFound { return [] }
            throw error
        }
    }
}
