// SPDX-License-Identifier: Apache-2.0

/// Which blocks are past their time: by the age of what they received last, then the oldest while all take too much.
struct Retention: Sendable {
    /// Nanoseconds that spans are kept after they were received; `nil` for ever.
    var ageNanos: UInt64?
    /// Bytes that blocks and log may take; `nil` for as many as there are.
    var byteCount: Int?

    /// What the rule needs to know of a block.
    struct Candidate {
        var id: BlockID
        var receivedUnixNanos: UInt64
        var byteCount: Int
    }

    /// The blocks to remove now. `otherByteCount` is what the log takes.
    func expired(_ blocks: [Candidate], otherByteCount: Int, nowUnixNanos now: UInt64) -> Set<BlockID> {
        var expired: Set<BlockID> = []
        var total = otherByteCount
        let oldestFirst = blocks.sorted { ($0.receivedUnixNanos, $0.id) < ($1.receivedUnixNanos, $1.id) }
        for block in oldestFirst {
            // A clock that was set back makes nothing old.
            if let ageNanos, now > block.receivedUnixNanos, now - block.receivedUnixNanos > ageNanos {
                expired.insert(block.id)
            } else {
                total += block.byteCount
            }
        }
        guard let byteCount else { return expired }
        for block in oldestFirst where total > byteCount && !expired.contains(block.id) {
            expired.insert(block.id)
            total -= block.byteCount
        }
        return expired
    }
}
