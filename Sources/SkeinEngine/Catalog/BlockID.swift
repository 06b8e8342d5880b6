// SPDX-License-Identifier: Apache-2.0

/// A block's name: the log segments whose spans it holds. No two blocks share a segment.
struct BlockID: Hashable, Sendable {
    var firstSegment: UInt64
    var lastSegment: UInt64

    /// `0000000000000017-0000000000000019.block`
    var fileName: String { FileNumber.text(firstSegment) + "-" + FileNumber.text(lastSegment) + ".block" }

    init(firstSegment: UInt64, lastSegment: UInt64) {
        self.firstSegment = firstSegment
        self.lastSegment = lastSegment
    }

    /// Whether the block is named after this segment, too.
    func covers(_ segment: UInt64) -> Bool { firstSegment <= segment && segment <= lastSegment }

    /// The block of a file name; `nil` for any other name.
    init?(fileName: String) {
        guard fileName.hasSuffix(".block") else { return nil }
        let parts = fileName.dropLast(6).split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let first = FileNumber.parse(parts[0]), let last = FileNumber.parse(parts[1]),
            first <= last
        else { return nil }
        self.init(firstSegment: first, lastSegment: last)
    }
}

extension BlockID: Comparable {
    static func < (a: BlockID, b: BlockID) -> Bool {
        (a.firstSegment, a.lastSegment) < (b.firstSegment, b.lastSegment)
    }
}
