// SPDX-License-Identifier: Apache-2.0
import SkeinBase
package import SkeinStore
import Synchronization

/// Saved queries in a file of the data folder, which is written anew at every change and takes the old one's place.
package final class SavedQueryFile: SavedQueries {
    static let magic: UInt64 = 0x7972_6551_6e69_6b53
    static let version: UInt32 = 1
    static let listType: UInt32 = 0x5453_494c
    private static let byteCountMax = 64 << 20

    private let disk: any Disk
    private let folder: StoreFolder
    private let list: Mutex<SavedQueryList>
    /// What is wrong with the file, in words.
    let problem: String?

    /// Reads the file, if there is one. One that does not check is left as it is, under another name. Throws
    /// ``StoreError/Code/unusable`` when a later version wrote it.
    init(_ disk: any Disk, _ folder: StoreFolder) throws(StoreError) {
        self.disk = disk
        self.folder = folder
        var reading = Reading.list(SavedQueryList())
        do throws(DiskError) {
            let bytes = try disk.contents(of: folder.savedQueries, limit: Self.byteCountMax)
            reading = bytes.withUnsafeBytes { Self.read($0) }
        } catch {
            guard error.code == .notFound else { throw StoreError(read: error) }
        }
        switch reading {
        case .list(let found):
            list = Mutex(found)
            problem = nil
        case .newer(let version):
            throw StoreError(newer: version, known: Self.version, path: folder.savedQueries)
        case .damaged:
            let aside = folder.savedQueries + ".damaged"
            try? disk.rename(folder.savedQueries, to: aside)
            list = Mutex(SavedQueryList())
            problem = "\(folder.savedQueries) is damaged and was put aside as \(aside): saved queries are lost."
        }
    }

    package func all() -> [SavedQuery] { list.withLock { $0.all } }

    package func save(_ query: SavedQuery) throws(StoreError) {
        try list.withLock { list throws(StoreError) in
            var changed = list
            try changed.save(query)
            try write(changed)
            list = changed
        }
    }

    package func remove(_ name: String) throws(StoreError) -> Bool {
        try list.withLock { list throws(StoreError) in
            var changed = list
            guard changed.remove(name) else { return false }
            try write(changed)
            list = changed
            return true
        }
    }

    private func write(_ list: SavedQueryList) throws(StoreError) {
        var out = RecordFile.header(magic: Self.magic, version: Self.version, number: 0)
        RecordFile.append(type: Self.listType, to: &out) { out in
            out.appendVarint(UInt64(list.all.count))
            for query in list.all {
                for text in [query.name, query.query, query.description] {
                    out.appendVarint(UInt64(text.utf8.count))
                    out.append(utf8: text)
                }
                out.appendVarint(query.savedUnixNanos)
            }
        }
        let path = folder.savedQueries
        do throws(DiskError) {
            try disk.replace(path, with: out.bytes)
        } catch {
            throw StoreError(error.code == .noSpace ? .full : .io, "the query cannot be saved: \(error)", place: path)
        }
    }

    private enum Reading {
        case list(SavedQueryList)
        case newer(UInt32)
        case damaged
    }

    private static func read(_ bytes: UnsafeRawBufferPointer) -> Reading {
        guard case .good(let version, _) = RecordFile.readHeader(bytes, magic: magic) else { return .damaged }
        if version > Self.version { return .newer(version) }
        var list: SavedQueryList?
        _ = RecordFile.forEachRecord(bytes, types: [listType]) { record in
            var reader = ByteReader(record.payload)
            list = try? SavedQueryList(&reader)
            return true
        }
        return list.map { .list($0) } ?? .damaged
    }
}

extension SavedQueryList {
    fileprivate init(_ reader: inout ByteReader) throws {
        self.init()
        for _ in 0..<(try reader.readCount(max: SavedQuery.countMax)) {
            let name = String(decoding: try reader.readLengthPrefixed(), as: UTF8.self)
            let query = String(decoding: try reader.readLengthPrefixed(), as: UTF8.self)
            let description = String(decoding: try reader.readLengthPrefixed(), as: UTF8.self)
            try save(
                SavedQuery(
                    name: name,
                    query: query,
                    description: description,
                    savedUnixNanos: try reader.readVarint()
                )
            )
        }
    }
}
