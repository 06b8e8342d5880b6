// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import Synchronization

/// The file that says which spans were removed at whose wish: a ``RecordFile`` that only ever grows.
///
/// What is asked for is written, and synced, before anything is removed; what was done, after it.
final class RemovalLog: Sendable {
    static let magic: UInt64 = 0x766d_526e_6965_6b53
    static let version: UInt32 = 1
    static let askedType: UInt32 = 0x444b_5341
    static let doneType: UInt32 = 0x454e_4f44

    private let disk: any Disk
    private let folder: StoreFolder
    private struct State {
        var records: [Removal.Record] = []
        /// By number of a removal that has a file of found traces: the last segment that it is about.
        var found: [Int: UInt64] = [:]
        var underWay: Set<Int> = []
        /// The greatest number that was ever given, as far as files say.
        var lastNumber = 0
    }

    private let state: Mutex<State>
    /// What is wrong with the files, in words.
    let problem: String?

    /// Reads the files, if there are any. Throws ``StoreError/Code/unusable`` when a later version wrote one.
    init(_ disk: any Disk, _ folder: StoreFolder) throws(StoreError) {
        self.disk = disk
        self.folder = folder
        let path = folder.removals
        var problems: [String] = []
        var reading = Reading()
        do throws(DiskError) {
            let bytes = try disk.contents(of: path, limit: 1 << 30)
            reading = bytes.withUnsafeBytes { Reading($0) }
        } catch {
            guard error.code == .notFound else { throw StoreError(read: error) }
        }
        if let newer = reading.newerVersion { throw StoreError(newer: newer, known: Self.version, path: path) }
        if reading.isHollow {
            // It was being made at a stop; nothing was removed before it was.
            try? disk.remove(path)
        } else if let damage = reading.damage {
            let place = reading.records.isEmpty ? Self.putAside(path, damage, disk, folder) : nil
            problems.append("\(place ?? path) is damaged (\(damage)): records of removals may be missing.")
        } else if reading.goodByteCount < reading.byteCount {
            // A torn end is cut off, so that the next record does not stand behind it.
            _ = try? disk.open(path, .append).truncate(to: reading.goodByteCount)
        }
        state = Mutex(try Self.state(reading.records, disk, folder, &problems))
        problem = problems.isEmpty ? nil : problems.joined(separator: " ")
    }

    /// What the file said.
    private struct Reading {
        var records: [Removal.Record] = []
        /// What is wrong with it, in words. A torn end is nothing wrong.
        var damage: String?
        var newerVersion: UInt32?
        /// Whether it ends before its first record.
        var isHollow = false
        var byteCount = 0
        /// Up to here it is good.
        var goodByteCount = 0

        /// No file.
        init() {}

        init(_ bytes: UnsafeRawBufferPointer) {
            byteCount = bytes.count
            switch RecordFile.readHeader(bytes, magic: RemovalLog.magic) {
            case .good(let version, _) where version > RemovalLog.version:
                newerVersion = version
                return
            case .good: break
            case .short, .damaged:
                damage = "its header does not check"
                isHollow = bytes.count <= RecordFile.headerByteCount
            }
            let outcome = RecordFile.forEachRecord(bytes, types: [RemovalLog.askedType, RemovalLog.doneType]) {
                record in
                var reader = ByteReader(record.payload)
                if record.type == RemovalLog.askedType {
                    if let asked = try? Removal.Record(asked: &reader) {
                        records.append(asked)
                    } else {
                        damage = "the record at offset \(record.range.lowerBound) cannot be"
                    }
                } else if let number = try? reader.readVarint(),
                    let index = records.firstIndex(where: { UInt64($0.number) == number })
                {
                    try? records[index].finish(&reader)
                }
                return true
            }
            goodByteCount = outcome.goodByteCount
            if let offset = outcome.firstBadOffset { damage = "the record at offset \(offset) does not check" }
            if records.isEmpty, damage == nil, RecordFile.isWhole(bytes, at: goodByteCount) {
                damage = "its only record does not check"
            }
        }
    }

    /// What `records` and the files of found traces say. Files of removals that are done are removed, damaged ones put aside.
    private static func state(
        _ records: [Removal.Record],
        _ disk: any Disk,
        _ folder: StoreFolder,
        _ problems: inout [String]
    ) throws(StoreError) -> State {
        var state = State(records: records, lastNumber: records.map(\.number).max() ?? 0)
        let names: [String]
        do throws(DiskError) { names = try disk.list(folder.root) } catch { throw StoreError(read: error) }
        for number in names.compactMap(StoreFolder.removal) {
            state.lastNumber = max(state.lastNumber, number)
            let path = folder.foundTraces(number)
            let record = records.last { $0.number == number }
            if let record, record.isDone {
                try? disk.remove(path)
                continue
            }
            do throws(StoreError) {
                guard record != nil else { throw StoreError(.corrupt, "no record says what it is about", place: path) }
                state.found[number] = try FoundTraces(number, disk, folder).lastSegment
            } catch {
                guard error.code == .corrupt else { throw error }
                let place = putAside(path, error.message, disk, folder) ?? path
                problems.append(
                    "\(place), the traces that removal \(number) found, cannot be used (\(error.message)): ask for that "
                        + "removal again; of traces that it had begun with, what is left may not match."
                )
            }
        }
        return state
    }

    /// Returns where the file is now; `nil` when it cannot be put aside.
    private static func putAside(
        _ path: String,
        _ reason: String,
        _ disk: any Disk,
        _ folder: StoreFolder
    ) -> String? {
        let name = String(path.dropFirst(folder.root.utf8.count + 1))
        return try? Quarantine(disk: disk, folder: folder).take(name, from: folder.root, reason: reason)
    }

    /// Every removal, oldest first.
    var all: [Removal.Record] { state.withLock { $0.records } }

    // MARK: What is not finished

    /// What was asked for and is neither done nor under way, in words: what failed or was stopped on the way, unless it was
    /// asked for again and that was done.
    var unfinished: [String] {
        let state = state.withLock { $0 }
        return state.records.filter { record in
            (record.finishedUnixNanos == nil || !record.isDone && state.found[record.number] != nil)
                && !state.underWay.contains(record.number)
                && !state.records.contains { later in
                    later.number > record.number && later.isDone && later.isAlike(record)
                }
        }.map { record in
            let why = record.failure.isEmpty ? "" : ": \(record.failure)"
            return record.action == .delete && state.found[record.number] != nil
                ? "Removal \(record.number) (\(record.queryText)) is not finished; what it found goes on being deleted\(why)"
                : "Removal \(record.number) (\(record.queryText)) did not finish, ask for it again\(why)"
        }
    }

    /// The numbers of deletions that found their traces and neither are done nor under way, oldest first.
    var interruptedDeletions: [Int] {
        state.withLock { state in
            state.found.keys.filter { number in
                !state.underWay.contains(number)
                    && state.records.contains { $0.number == number && $0.action == .delete && !$0.isDone }
            }.sorted()
        }
    }

    /// The last segments of what is not finished: no block may be made by merging that reaches beyond one of them.
    var lastSegments: Set<UInt64> { Set(state.withLock { $0.found.values }) }

    /// What removal `number` found.
    func found(by number: Int) throws(StoreError) -> FoundTraces { try FoundTraces(number, disk, folder) }

    /// What this removal found before and, of a redaction, all like it that were not finished. Those deletions are finished on
    /// their own.
    func found(like number: Int) throws(StoreError) -> Set<TraceID> {
        let numbers = state.withLock { state in
            let record = state.records.last { $0.number == number }
            return state.records.filter { other in
                guard state.found[other.number] != nil, let record else { return false }
                return other.number == number || record.action != .delete && other.isAlike(record)
            }.map(\.number)
        }
        var ids: Set<TraceID> = []
        for number in numbers { ids.formUnion(try found(by: number).ids) }
        return ids
    }

    /// Notes for good what removal `number` found, before any of it is removed.
    func note(_ found: FoundTraces, by number: Int) throws(StoreError) {
        do throws(DiskError) {
            try found.write(number, disk, folder)
        } catch {
            throw StoreError("the removal cannot be put on record", error)
        }
        state.withLock { $0.found[number] = found.lastSegment }
    }

    // MARK: Records

    /// Notes for good that `removal` was asked for; returns its number.
    func ask(_ removal: Removal, nowUnixNanos now: UInt64) throws(StoreError) -> Int {
        try state.withLock { state throws(StoreError) in
            let record = Removal.Record(
                number: state.lastNumber + 1,
                action: removal.action,
                range: removal.range,
                queryText: removal.queryText,
                requestedBy: removal.requestedBy,
                requestedUnixNanos: now
            )
            let bytes = RecordFile.record(type: Self.askedType) { record.appendAsked(to: &$0) }
            try write(bytes)
            state.records.append(record)
            state.lastNumber = record.number
            state.underWay.insert(record.number)
            return record.number
        }
    }

    /// Notes for good what became of removal `number`. Once it is done, what it and those like it found is forgotten.
    func finish(
        _ number: Int,
        _ outcome: Removal.Outcome,
        failure: String,
        nowUnixNanos now: UInt64
    ) throws(StoreError) {
        let done = try state.withLock { state throws(StoreError) -> [Int] in
            guard let index = state.records.firstIndex(where: { $0.number == number }) else { return [] }
            state.underWay.remove(number)
            var record = state.records[index]
            record.finishedUnixNanos = now
            record.outcome = outcome
            record.failure = failure
            let bytes = RecordFile.record(type: Self.doneType) { record.appendDone(to: &$0) }
            state.records[index] = record
            try write(bytes)
            guard failure.isEmpty else { return [] }
            return state.records.filter { other in
                other.number <= number && state.found[other.number] != nil
                    && (other.number == number || record.action != .delete && other.isAlike(record))
            }.map(\.number)
        }
        guard !done.isEmpty else { return }
        // Blocks are kept apart until the file is gone for good: were it there again without the record, its traces would be
        // taken out of what came later, too. A file that stays is removed at a start.
        for number in done { try? disk.remove(folder.foundTraces(number)) }
        guard (try? disk.syncDirectory(folder.root)) != nil else { return }
        state.withLock { state in for number in done { state.found[number] = nil } }
    }

    private func write(_ record: borrowing ByteWriter) throws(StoreError) {
        do throws(DiskError) {
            let file: any DiskFile
            do throws(DiskError) {
                file = try disk.open(folder.removals, .append)
            } catch {
                guard error.code == .notFound else { throw error }
                file = try disk.open(folder.removals, .create)
                let header = RecordFile.header(magic: Self.magic, version: Self.version, number: 0)
                try file.append(header.bytes)
                try file.sync()
                try disk.syncDirectory(folder.root)
            }
            let size = try file.size()
            do throws(DiskError) {
                try file.append(record.bytes)
                try file.sync()
            } catch {
                // Half a record would hide those behind it.
                try? file.truncate(to: size)
                throw error
            }
        } catch {
            throw StoreError("the removal cannot be put on record", error)
        }
    }
}

extension Removal.Record {
    fileprivate var isDone: Bool { finishedUnixNanos != nil && failure.isEmpty }

    /// Whether the same was asked for, as far as its words say.
    fileprivate func isAlike(_ other: Removal.Record) -> Bool {
        action == other.action && range == other.range && queryText == other.queryText
    }

    //     asked  number, time, start and end of the range: varints; 0 delete or 1 redact;
    //            texts: query, who asked; number of keys (varint) and as many texts
    //     done   number, time, traces, spans: varints; text: failure
    // A text is its length as a varint and its bytes.

    fileprivate func appendAsked(to out: inout ByteWriter) {
        for number in [UInt64(number), requestedUnixNanos, range.start, range.end] { out.appendVarint(number) }
        var keys: [String] = []
        if case .redact(let redacted) = action { keys = redacted }
        out.append(action == .delete ? 0 : 1)
        for text in [queryText, requestedBy] { out.append(text: text) }
        out.appendVarint(UInt64(keys.count))
        for key in keys { out.append(text: key) }
    }

    fileprivate init(asked reader: inout ByteReader) throws(ByteError) {
        let at = reader.position
        let number = try reader.readVarint()
        // Counting on from a greater one must not overflow.
        guard number <= FileNumber.greatest else { throw ByteError(.invalid, at: at) }
        let time = try reader.readVarint()
        let start = try reader.readVarint()
        let range = TimeRange(start: start, end: try reader.readVarint())
        let isDelete = try reader.readByte() == 0
        let queryText = try reader.readText()
        let requestedBy = try reader.readText()
        var keys: [String] = []
        for _ in 0..<(try reader.readCount(max: reader.remaining)) { keys.append(try reader.readText()) }
        self.init(
            number: Int(number),
            action: isDelete ? .delete : .redact(keys: keys),
            range: range,
            queryText: queryText,
            requestedBy: requestedBy,
            requestedUnixNanos: time
        )
    }

    fileprivate func appendDone(to out: inout ByteWriter) {
        for number in [
            UInt64(number), finishedUnixNanos ?? 0, UInt64(outcome.traceCount), UInt64(outcome.spanCount),
        ] { out.appendVarint(number) }
        out.append(text: failure)
    }

    /// Reads what follows the number.
    fileprivate mutating func finish(_ reader: inout ByteReader) throws(ByteError) {
        finishedUnixNanos = try reader.readVarint()
        outcome.traceCount = Int(clamping: try reader.readVarint())
        outcome.spanCount = Int(clamping: try reader.readVarint())
        failure = try reader.readText()
    }
}

extension ByteWriter {
    fileprivate mutating func append(text: String) {
        appendVarint(UInt64(text.utf8.count))
        append(utf8: text)
    }
}

extension ByteReader {
    fileprivate mutating func readText() throws(ByteError) -> String {
        String(decoding: try readLengthPrefixed(), as: UTF8.self)
    }
}
