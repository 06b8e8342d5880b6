// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Small records that outlive the process, in the order in which they came: what is neither span nor log record, and what
/// only its owner can read.
///
/// Records are handed over by synchronous calls, so that whoever holds a lock can keep two orders the same, and are durable
/// when their receipt says so. A log is read once, at the start, before anything is appended.
package protocol RecordLog: AnyObject, Sendable {
    /// Calls `body` with every record that counts, oldest first. A torn end is no error; what is damaged in between is left
    /// out, and told by ``problems``.
    func forEachRecord(_ body: (RecordPlace, UnsafeRawBufferPointer) -> Void) throws(StoreError)

    /// Takes records behind those that were taken before. With `replacing` they take the place of all of them: after a stop
    /// there are either all of the old ones or all of these.
    ///
    /// A failure is told by the receipt. Records that follow may be kept all the same, so that whoever relies on all of them
    /// then writes them anew with `replacing`.
    func append(_ records: [[UInt8]], replacing: Bool) -> RecordReceipt

    /// A record that was kept. Throws ``StoreError/Code/corrupt`` when its bytes do not check or are gone.
    func record(at place: RecordPlace) async throws(StoreError) -> [UInt8]

    /// Removes the segments whose number is below `segment`, with all their records.
    func removeSegments(before segment: UInt64)

    /// Bytes that wait to be written; 0 when all was written.
    var waitingByteCount: Int { get }
    /// Bytes of all that is kept.
    var byteCount: Int { get }
    /// What was found damaged, in words.
    var problems: [String] { get }
}

/// Where a record lies.
package struct RecordPlace: Hashable, Sendable {
    package var segment: UInt64
    /// Of its first byte, in the segment's file.
    package var offset: Int
    /// Of its content.
    package var byteCount: Int

    package init(segment: UInt64, offset: Int, byteCount: Int) {
        self.segment = segment
        self.offset = offset
        self.byteCount = byteCount
    }
}

/// Tells when records are durable; any number of tasks may wait for it.
package final class RecordReceipt: Sendable {
    private struct State {
        var result: Result<[RecordPlace], StoreError>?
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    package init() {}

    /// A receipt of records that are durable already.
    package init(_ places: [RecordPlace]) { state.withLock { $0.result = .success(places) } }

    /// Says what became of the records; once.
    package func resolve(_ result: Result<[RecordPlace], StoreError>) {
        let waiting = state.withLock { state in
            state.result = result
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Where the records lie, in their order; returns when they are durable.
    package func places() async throws(StoreError) -> [RecordPlace] {
        await withCheckedContinuation { continuation in
            let isDone = state.withLock { state in
                if state.result == nil { state.waiting.append(continuation) }
                return state.result != nil
            }
            if isDone { continuation.resume() }
        }
        return try state.withLock { $0.result ?? .success([]) }.get()
    }
}

/// Records in memory, for tests and where nothing is kept.
package final class MemoryRecordLog: RecordLog {
    private struct State {
        var records: [[UInt8]] = []
        var failure: StoreError?
    }

    private let state = Mutex(State())

    package init(_ records: [[UInt8]] = []) { state.withLock { $0.records = records } }

    /// Makes every append fail with this until it is `nil` again.
    package func fail(with failure: StoreError?) { state.withLock { $0.failure = failure } }

    /// What is kept.
    package var records: [[UInt8]] { state.withLock { $0.records } }

    package func forEachRecord(_ body: (RecordPlace, UnsafeRawBufferPointer) -> Void) throws(StoreError) {
        for (index, record) in records.enumerated() {
            record.withUnsafeBytes { body(RecordPlace(segment: 1, offset: index, byteCount: record.count), $0) }
        }
    }

    package func append(_ records: [[UInt8]], replacing: Bool) -> RecordReceipt {
        let receipt = RecordReceipt()
        let result = state.withLock { state -> Result<[RecordPlace], StoreError> in
            if let failure = state.failure { return .failure(failure) }
            if replacing { state.records = [] }
            let first = state.records.count
            state.records += records
            return .success(
                records.enumerated().map {
                    RecordPlace(segment: 1, offset: first + $0.offset, byteCount: $0.element.count)
                }
            )
        }
        receipt.resolve(result)
        return receipt
    }

    package func record(at place: RecordPlace) async throws(StoreError) -> [UInt8] {
        let records = records
        guard records.indices.contains(place.offset) else { throw StoreError(.corrupt, "there is no such record") }
        return records[place.offset]
    }

    package func removeSegments(before segment: UInt64) {}
    package var waitingByteCount: Int { 0 }
    package var byteCount: Int { records.reduce(0) { $0 + $1.count } }
    package var problems: [String] { [] }
}
