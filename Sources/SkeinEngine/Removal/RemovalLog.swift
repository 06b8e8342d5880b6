// SPDX-License-Identifier: Apache-2.0
import SkeinBase
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
    private let records: Mutex<[Removal.Record]>
    /// What is wrong with the file, in words.
    let problem: String?

    /// Reads the file, if there is one. Throws ``StoreError/Code/unusable`` when a later version wrote it.
    init(_ disk: any Disk, _ folder: StoreFolder) throws(StoreError) {
        self.disk = disk
        self.folder = folder
        let bytes: [UInt8]
        do throws(DiskError) {
            bytes = try disk.contents(of: folder.removals, limit: 1 << 30)
        } catch {
            guard error.code == .notFound else { throw StoreError(read: error) }
            records = Mutex([])
            problem = nil
            return
        }
        var found: [Removal.Record] = []
        var problem: String?
        var newer: UInt32?
        var goodByteCount = 0
        bytes.withUnsafeBytes { bytes in
            switch RecordFile.readHeader(bytes, magic: Self.magic) {
            case .good(let version, _) where version > Self.version:
                newer = version
                return
            case .good: break
            case .short, .damaged: problem = "its header does not check"
            }
            let outcome = RecordFile.forEachRecord(bytes, types: [Self.askedType, Self.doneType]) { record in
                var reader = ByteReader(record.payload)
                if record.type == Self.askedType {
                    if let asked = try? Removal.Record(asked: &reader) { found.append(asked) }
                } else if let number = try? reader.readVarint(),
                    let index = found.firstIndex(where: { UInt64($0.number) == number })
                {
                    try? found[index].finish(&reader)
                }
                return true
            }
            goodByteCount = outcome.goodByteCount
            if let offset = outcome.firstBadOffset { problem = "the record at offset \(offset) does not check" }
        }
        if problem != nil, found.isEmpty {
            // It was being made at a stop; nothing was removed before it was.
            try? disk.remove(folder.removals)
            problem = nil
        }
        // A torn end is cut off, so that the next record does not stand behind it.
        if newer == nil, problem == nil, !found.isEmpty, goodByteCount < bytes.count {
            _ = try? disk.open(folder.removals, .append).truncate(to: goodByteCount)
        }
        if let newer { throw StoreError(newer: newer, known: Self.version, path: folder.removals) }
        records = Mutex(found)
        self.problem = problem.map { "\(folder.removals) is damaged (\($0)): records of removals may be missing." }
    }

    /// Every removal, oldest first.
    var all: [Removal.Record] { records.withLock { $0 } }

    /// The last removal that was not finished, unless it was asked for again and that was.
    var unfinished: Removal.Record? {
        let records = all
        return records.last { record in
            record.finishedUnixNanos == nil
                && !records.contains { later in
                    later.number > record.number && later.finishedUnixNanos != nil && later.failure.isEmpty
                        && later.action == record.action && later.range == record.range
                        && later.queryText == record.queryText
                }
        }
    }

    /// Notes for good that `removal` was asked for; returns its number.
    func ask(_ removal: Removal, nowUnixNanos now: UInt64) throws(StoreError) -> Int {
        try records.withLock { records throws(StoreError) in
            let record = Removal.Record(
                number: (records.last?.number ?? 0) + 1,
                action: removal.action,
                range: removal.range,
                queryText: removal.queryText,
                requestedBy: removal.requestedBy,
                requestedUnixNanos: now
            )
            let bytes = RecordFile.record(type: Self.askedType) { record.appendAsked(to: &$0) }
            try write(bytes)
            records.append(record)
            return record.number
        }
    }

    /// Notes for good what became of removal `number`.
    func finish(
        _ number: Int,
        _ outcome: Removal.Outcome,
        failure: String,
        nowUnixNanos now: UInt64
    ) throws(StoreError) {
        try records.withLock { records throws(StoreError) in
            guard let index = records.firstIndex(where: { $0.number == number }) else { return }
            records[index].finishedUnixNanos = now
            records[index].outcome = outcome
            records[index].failure = failure
            let record = records[index]
            let bytes = RecordFile.record(type: Self.doneType) { record.appendDone(to: &$0) }
            try write(bytes)
        }
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
        let number = Int(clamping: try reader.readVarint())
        let time = try reader.readVarint()
        let start = try reader.readVarint()
        let range = TimeRange(start: start, end: try reader.readVarint())
        let isDelete = try reader.readByte() == 0
        let queryText = try reader.readText()
        let requestedBy = try reader.readText()
        var keys: [String] = []
        for _ in 0..<(try reader.readCount(max: reader.remaining)) { keys.append(try reader.readText()) }
        self.init(
            number: number,
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
