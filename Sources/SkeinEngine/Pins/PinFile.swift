// SPDX-License-Identifier: Apache-2.0
import SkeinBase
package import SkeinModel
package import SkeinStore
import Synchronization

/// Pinned traces in a file of the data folder, which is written anew at every change and takes the old one's place.
package final class PinFile: PinnedTraces {
    static let magic: UInt64 = 0x736e_6950_6e69_6b53
    static let version: UInt32 = 1
    static let listType: UInt32 = 0x5453_494c
    private static let byteCountMax = 64 << 20

    private struct State {
        var table = PinnedTraceTable()
        /// Counts changes.
        var version = 0
        /// Says of traces whether they are being dropped, and can be pinned no more.
        var departures: [Departure: @Sendable (TraceID) -> Bool] = [:]
        var departureCount = 0
    }

    /// Traces that are being dropped; see ``noteGone(_:)``.
    struct Departure: Hashable { fileprivate var number: Int }

    private let disk: any Disk
    private let folder: StoreFolder
    private let state: Mutex<State>
    private let unpinned = Mutex<@Sendable () -> Void>({})
    /// What is wrong with the file, in words. Then nobody knows what is pinned: nothing goes that a pin would keep, and nothing
    /// can be pinned.
    let problem: String?

    /// Reads the file, if there is one. One that does not check is left as it is. Throws ``StoreError/Code/unusable`` when a
    /// later version wrote it.
    init(_ disk: any Disk, _ folder: StoreFolder) throws(StoreError) {
        self.disk = disk
        self.folder = folder
        var reading = Reading.table(PinnedTraceTable())
        do throws(DiskError) {
            let bytes = try disk.contents(of: folder.pins, limit: Self.byteCountMax)
            reading = bytes.withUnsafeBytes { Self.read($0) }
        } catch {
            guard error.code == .notFound else { throw StoreError(read: error) }
        }
        switch reading {
        case .table(let found):
            state = Mutex(State(table: found))
            problem = nil
        case .newer(let version):
            throw StoreError(newer: version, known: Self.version, path: folder.pins)
        case .damaged:
            state = Mutex(State())
            problem =
                "\(folder.pins) is damaged, so that nobody knows which traces are pinned: until that is settled nothing goes by "
                + "age, rules of retention or late sampling. Put the file of a backup in its place, or move it away to go on "
                + "without those pins, and start again."
        }
    }

    /// Says what is to be done when traces are unpinned.
    func onUnpin(_ tell: @escaping @Sendable () -> Void) { unpinned.withLock { $0 = tell } }

    package func all() -> [PinnedTrace] { state.withLock { $0.table.all } }
    package func isPinned(_ id: TraceID) -> Bool { state.withLock { $0.table.contains(id) } }

    /// The pinned traces, and a number that changes with them.
    var pinned: (ids: Set<TraceID>, version: Int) { state.withLock { (Set($0.table.ids), $0.version) } }
    var version: Int { state.withLock { $0.version } }
    var isEmpty: Bool { state.withLock { $0.table.count == 0 } }

    package func pin(_ id: TraceID, atUnixNanos now: UInt64) throws(StoreError) -> PinnedTrace {
        try state.withLock { state throws(StoreError) in
            if let problem { throw StoreError(.unavailable, problem) }
            guard state.table.contains(id) || !state.departures.values.contains(where: { $0(id) }) else {
                throw StoreError(
                    .unavailable,
                    "trace \(id) is just being dropped by late sampling or retention: it cannot be pinned any more"
                )
            }
            var changed = state.table
            let pin = try changed.pin(id, atUnixNanos: now)
            guard changed.count > state.table.count else { return pin }
            try write(changed)
            state.table = changed
            state.version += 1
            return pin
        }
    }

    package func unpin(_ id: TraceID) throws(StoreError) -> Bool { try unpin([id]) > 0 }

    /// Unpins those of these traces that are pinned; returns how many were.
    func unpin(_ ids: Set<TraceID>) throws(StoreError) -> Int {
        let count = try state.withLock { state throws(StoreError) in
            var changed = state.table
            let count = ids.count { changed.unpin($0) }
            guard count > 0 else { return 0 }
            try write(changed)
            state.table = changed
            state.version += 1
            return count
        }
        if count > 0 { unpinned.withLock { $0 }() }
        return count
    }

    /// Keeps traces that are about to be dropped from being pinned until ``noteGone(_:)``; returns those that are pinned
    /// already, which stay.
    func letGo(_ ids: Set<TraceID>) -> (departure: Departure, pinned: Set<TraceID>) {
        state.withLock { state in
            let departure = Self.begin(&state) { ids.contains($0) }
            return (departure, Set(state.table.ids.filter { ids.contains($0) }))
        }
    }

    /// Keeps traces of which `isLeaving` is true, with many others if need be, from being pinned until ``noteGone(_:)``. Who
    /// is pinned afterwards was pinned before.
    func letGo(where isLeaving: @escaping @Sendable (TraceID) -> Bool) -> Departure {
        state.withLock { Self.begin(&$0, isLeaving) }
    }

    /// Notes that what was let go is gone, or stays.
    func noteGone(_ departure: Departure) { state.withLock { $0.departures[departure] = nil } }

    private static func begin(_ state: inout State, _ isLeaving: @escaping @Sendable (TraceID) -> Bool) -> Departure {
        state.departureCount += 1
        let departure = Departure(number: state.departureCount)
        state.departures[departure] = isLeaving
        return departure
    }

    /// Throws ``StoreError/Code/corrupt`` when the file of the folder does not check, ``StoreError/Code/unusable`` when a
    /// later version wrote it.
    static func check(_ disk: any Disk, _ folder: StoreFolder) throws(StoreError) {
        if try PinFile(disk, folder).problem != nil {
            throw StoreError(.corrupt, "the list of pinned traces does not check", place: folder.pins)
        }
    }

    private func write(_ table: PinnedTraceTable) throws(StoreError) {
        var out = RecordFile.header(magic: Self.magic, version: Self.version, number: 0)
        RecordFile.append(type: Self.listType, to: &out) { out in
            out.appendVarint(UInt64(table.count))
            for pin in table.all {
                out.appendLittleEndian(pin.traceID.high)
                out.appendLittleEndian(pin.traceID.low)
                out.appendVarint(pin.pinnedUnixNanos)
            }
        }
        do throws(DiskError) {
            try disk.replace(folder.pins, with: out.bytes)
        } catch {
            throw StoreError("the pin cannot be put on record", error)
        }
    }

    private enum Reading {
        case table(PinnedTraceTable)
        case newer(UInt32)
        case damaged
    }

    private static func read(_ bytes: UnsafeRawBufferPointer) -> Reading {
        guard case .good(let version, _) = RecordFile.readHeader(bytes, magic: magic) else { return .damaged }
        if version > Self.version { return .newer(version) }
        var table: PinnedTraceTable?
        _ = RecordFile.forEachRecord(bytes, types: [listType]) { record in
            var reader = ByteReader(record.payload)
            table = try? PinnedTraceTable(&reader)
            return true
        }
        return table.map { .table($0) } ?? .damaged
    }
}

extension PinnedTraceTable {
    fileprivate init(_ reader: inout ByteReader) throws {
        self.init()
        for _ in 0..<(try reader.readCount(max: PinnedTrace.countMax)) {
            let high = try reader.readLittleEndian(UInt64.self)
            let id = TraceID(high: high, low: try reader.readLittleEndian(UInt64.self))
            _ = try pin(id, atUnixNanos: try reader.readVarint())
        }
    }
}
