// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// How many bytes the data folder may take, and how many of those must stay free for what is being written.
///
/// The log of what is in memory cannot be removed, only waited for: its limits follow from the quota, and as much room as
/// they allow is kept free for it. So what is written between two looks finds its room before the quota is reached. Looks
/// come before each sealing and each merge, and once a second.
final class Quota: Sendable {
    /// Bytes that all files of the folder may take.
    let byteCount: Int
    /// Bytes of log that a block is made of; see ``HeadLimits``.
    private let headByteCount: Int
    /// What the merge under way may still write.
    private let mergeByteCount = Atomic<Int>(0)

    /// A head part takes no more than this part of the quota, and so the log no more than an eighth of it.
    private static let headShare = 24
    /// A block made by merging takes no more than this part of the quota.
    private static let blockShare = 16
    /// Files in quarantine take no more than this part of the quota: spans do not go for what nobody takes away.
    private static let quarantineShare = 8
    /// While room is short, sums of spans that are gone take no more than this part of it.
    private static let rollupShare = 4

    /// - Parameter headByteCount: What ``headByteCount(_:quota:)`` says.
    init(byteCount: Int, headByteCount: Int) {
        self.byteCount = byteCount
        self.headByteCount = headByteCount
    }

    /// How large a head part may become, given what memory allows.
    static func headByteCount(_ byteCount: Int, quota: Int?) -> Int {
        quota.map { max(1 << 16, min(byteCount, $0 / headShare)) } ?? byteCount
    }

    /// How large a block may become by merging, given what is sensible otherwise.
    static func blockByteCount(_ byteCount: Int, quota: Int?) -> Int {
        quota.map { max(1 << 20, min(byteCount, $0 / blockShare)) } ?? byteCount
    }

    /// Bytes that sums of spans that are gone may take while room is short.
    var rollupByteCount: Int { byteCount / Self.rollupShare }

    /// Bytes that files in quarantine may take before spans go for them.
    var quarantineByteCount: Int { byteCount / Self.quarantineShare }

    /// Bytes that one file of such sums may take.
    var rollupFileByteCount: Int { headByteCount }

    /// Notes what a merge is about to write; 0 when it is over.
    func reserve(mergeByteCount: Int) { self.mergeByteCount.store(max(0, mergeByteCount), ordering: .relaxed) }

    /// Bytes to keep free, when the log takes `logByteCount` already: as much as the log may still grow, that is to three
    /// parts and one group of requests, which is as large at most; a block being made of a part; and a merge.
    func reservedByteCount(logByteCount: Int) -> Int {
        max(0, 4 * headByteCount - logByteCount) + headByteCount + mergeByteCount.load(ordering: .relaxed)
    }

    /// What an operator has to know when files in quarantine take `excess` bytes more than their share.
    func quarantineProblem(excess: Int) -> String {
        "Files in quarantine/ take \(excess) bytes more than the \(quarantineByteCount) that count towards retention-bytes, "
            + "so the folder may take as much more: look at what is there and take it away."
    }

    /// What an operator has to know when `excess` bytes are too many although nothing more can be removed.
    func problem(excess: Int) -> String {
        "retention-bytes is \(byteCount), and \(excess) bytes more are needed for files that cannot be removed and for the "
            + "log of the newest spans: empty quarantine/, lower memory, or raise retention-bytes to at least "
            + "\(byteCount + excess)."
    }
}
