// SPDX-License-Identifier: Apache-2.0
import SkeinStore

/// What is known of blocks that were found damaged while they were read: which are to be written anew without what cannot
/// be read any more, and what became of those that were.
struct Mending: Sendable {
    /// Found damaged and still in use, with what was found.
    private(set) var waiting: [BlockID: StoreError] = [:]
    /// When blocks were read whole, and nothing was found that does not check, by the monotonic clock. What still cannot be
    /// read of them is not looked for again and again.
    private var checkedNanos: [BlockID: UInt64] = [:]
    private static let checkRestNanos: UInt64 = 3_600_000_000_000
    /// Blocks written anew or put aside.
    private(set) var blockCount = 0
    /// Spans that were lost with what could not be read.
    private(set) var lostSpanCount = 0
    /// What became of the latest ones, in whole sentences.
    private var told: [String] = []
    private static let toldMax = 8

    /// Notes that reading a block ended in `error`. Returns whether that is news.
    mutating func note(_ id: BlockID, _ error: StoreError) -> Bool {
        guard waiting[id] == nil else { return false }
        waiting[id] = error
        return true
    }

    /// Forgets a block that is gone.
    mutating func forget(_ id: BlockID) {
        waiting[id] = nil
        checkedNanos[id] = nil
    }

    /// Notes that a block is good after all: it may have been misread once.
    mutating func noteGood(_ id: BlockID, at now: UInt64) {
        waiting[id] = nil
        checkedNanos[id] = now
    }

    /// Whether a block was found good within the last hour.
    func isChecked(_ id: BlockID, at now: UInt64) -> Bool {
        checkedNanos[id].map { now &- $0 < Self.checkRestNanos } ?? false
    }

    /// Notes that nothing in use is damaged any more of a block of `spanCount` spans; `path` is where its file lies now.
    mutating func finish(_ id: BlockID, _ damage: BlockDamage, of spanCount: Int, path: String?) {
        forget(id)
        blockCount += 1
        lostSpanCount += damage.lostSpanCount
        let found = damage.reason.map { ": \($0.message)" + ($0.offset.map { " at byte \($0)" } ?? "") } ?? ""
        let outcome =
            if damage.isUnreadable {
                "Its \(spanCount) spans are no longer found"
            } else if damage.lostSpanCount > 0 {
                "\(damage.lostSpanCount) of its \(spanCount) spans are lost, the others were written anew"
            } else {
                "No span is lost, all were written anew"
            }
        let file = path.map { "; the damaged file is \($0)" } ?? ""
        told.append("The block \(id.fileName) was damaged\(found). \(outcome)\(file). Look after the disk.")
        if told.count > Self.toldMax { told.removeFirst(told.count - Self.toldMax) }
    }

    /// What an operator should know.
    var problems: [String] {
        waiting.sorted { $0.key < $1.key }.map { id, error in
            "The block \(id.fileName) is damaged (\(error)): questions that need what cannot be read fail until it is written "
                + "anew without that."
        } + told
    }
}
