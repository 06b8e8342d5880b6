// SPDX-License-Identifier: Apache-2.0

/// Which blocks are past their time: by the age of what they received last, then the oldest while all files take too much.
struct Retention: Sendable {
    /// Nanoseconds that spans are kept after they were received; `nil` for ever.
    var ageNanos: UInt64?
    /// Bytes that all files may take; `nil` for as many as there are.
    var byteCount: Int?
    /// Bytes that rollups of spans that are gone may take before spans go for them.
    var pastByteCount = 0

    /// What the rule needs to know of a block, or of a rollup whose block is gone.
    struct Candidate {
        var id: BlockID
        var receivedUnixNanos: UInt64
        var byteCount: Int
        /// Whether age does not count, since somebody pinned a trace in it.
        var isPinned = false
    }

    /// What is to be removed.
    struct Choice {
        var blocks: Set<BlockID> = []
        /// Rollups of blocks that are gone.
        var rollups: Set<BlockID> = []
        /// Bytes that are too many even so.
        var excessByteCount = 0
    }

    /// What to remove now. `past` are rollups of blocks that are gone; `otherByteCount` is what all other files take and what
    /// must stay free.
    func expired(
        _ blocks: [Candidate],
        past: [Candidate] = [],
        otherByteCount: Int = 0,
        nowUnixNanos now: UInt64
    ) -> Choice {
        var choice = Choice()
        let blocks = Self.oldestFirst(blocks)
        var total = otherByteCount + past.reduce(0) { $0 + $1.byteCount }
        for block in blocks {
            if !block.isPinned, isPast(block.receivedUnixNanos, now) {
                choice.blocks.insert(block.id)
            } else {
                total += block.byteCount
            }
        }
        guard let byteCount else { return choice }
        let past = Self.oldestFirst(past)
        var pastTotal = past.reduce(0) { $0 + $1.byteCount }
        // Sums are kept long, but not at the price of all spans.
        for rollup in past where total > byteCount && pastTotal > pastByteCount {
            choice.rollups.insert(rollup.id)
            total -= rollup.byteCount
            pastTotal -= rollup.byteCount
        }
        for block in blocks where total > byteCount && !choice.blocks.contains(block.id) {
            choice.blocks.insert(block.id)
            total -= block.byteCount
        }
        for rollup in past where total > byteCount && !choice.rollups.contains(rollup.id) {
            choice.rollups.insert(rollup.id)
            total -= rollup.byteCount
        }
        choice.excessByteCount = max(0, total - byteCount)
        return choice
    }

    /// Whether what was received at this time is past its age. A clock that was set back makes nothing old.
    func isPast(_ received: UInt64, _ now: UInt64) -> Bool {
        ageNanos.map { now > received && now - received > $0 } ?? false
    }

    private static func oldestFirst(_ candidates: [Candidate]) -> [Candidate] {
        candidates.sorted { ($0.receivedUnixNanos, $0.id) < ($1.receivedUnixNanos, $1.id) }
    }
}
