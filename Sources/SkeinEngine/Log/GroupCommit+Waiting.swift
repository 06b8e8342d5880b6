// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import Synchronization

/// What waits for the log.
extension GroupCommit {
    struct Request {
        let batch: SpanBatch
        let record: Record
        /// Of the record.
        let byteCount: Int
        let enqueuedNanos: UInt64
        let done: CheckedContinuation<StoreError?, Never>

        /// What the head will take: the batch, and the rows' places in the index.
        var headByteCount: Int { batch.byteCount + 32 * batch.count }
    }

    /// The memory of a packed record on its way to the log; reused, since fresh pages cost more than packing.
    final class Record: Sendable {
        private let bytes = Mutex(ByteWriter(capacity: 1 << 16))

        /// Holds the record of `batch` from now on. Returns its length.
        func pack(_ batch: SpanBatch) -> Int {
            bytes.withLock { bytes in
                bytes.removeAll()
                LogSegment.append(batch, to: &bytes)
                return bytes.count
            }
        }

        func append(to out: inout ByteWriter) { bytes.withLock { out.append($0.bytes) } }

        func write(to log: inout LogWriter) throws(DiskError) {
            try bytes.withLock { bytes throws(DiskError) in try log.write(bytes.bytes) }
        }
    }

    struct Waiting {
        var requests: [Request] = []
        var byteCount = 0
        var isScheduled = false
        var isClosed = false
        /// The head is full: requests wait until a part of it has become a block.
        var isHeld = false
        /// Somebody will look for it soon.
        var isLooking = false
        /// Why no part of the head can become a block, while that is so.
        var sealFailure: StoreError?
    }
}

extension GroupCommit.Waiting {
    /// What the head will take of the request that came first; 0 when none waits.
    var firstHeadByteCount: Int { requests.first?.headByteCount ?? 0 }

    /// Takes out the requests that `isChosen` names.
    mutating func removeAll(_ isChosen: (GroupCommit.Request) -> Bool) -> [GroupCommit.Request] {
        let chosen = requests.filter(isChosen)
        requests.removeAll(where: isChosen)
        byteCount = requests.reduce(0) { $0 + $1.byteCount }
        return chosen
    }

    /// Takes out the first requests, as many as have records of `byteCount` bytes and find room in the head and in its part
    /// that grows. Only in the head has the first one to find room, too.
    mutating func removeFirst(
        upTo byteCount: Int,
        headRoom: Int,
        partRoom: Int
    ) -> [GroupCommit.Request] {
        var (count, recordBytes, headBytes) = (0, 0, 0)
        for request in requests {
            recordBytes += request.byteCount
            headBytes += request.headByteCount
            if headBytes > headRoom || count > 0 && (recordBytes > byteCount || headBytes > partRoom) { break }
            count += 1
        }
        let chosen = Array(requests.prefix(count))
        requests.removeFirst(count)
        self.byteCount -= chosen.reduce(0) { $0 + $1.byteCount }
        return chosen
    }
}
