// SPDX-License-Identifier: Apache-2.0

/// A block's name: the log segments whose spans it holds, and how often it was written anew.
///
/// Of two blocks that share a segment one supersedes the other: the one that covers more segments, or as many at a
/// later generation. So a block made of others counts from the moment its file has its name, and needs no word in the
/// catalog for that.
struct BlockID: Hashable, Sendable {
    var firstSegment: UInt64
    var lastSegment: UInt64
    /// 0 for a block made of the log or of other blocks, one more each time its spans are thinned out.
    var generation: UInt64 = 0

    /// `0000000000000017-0000000000000019.block`, or `…-….2.block` of generation 2.
    var fileName: String {
        let segments = FileNumber.text(firstSegment) + "-" + FileNumber.text(lastSegment)
        return generation == 0 ? segments + Self.suffix : segments + ".\(generation)" + Self.suffix
    }

    private static let suffix = ".block"
    private static let rollupSuffix = ".rollup"

    /// `0000000000000017-0000000000000019.rollup`: a rollup speaks of all spans of its segments, whatever the generation
    /// of their block.
    var rollupFileName: String {
        FileNumber.text(firstSegment) + "-" + FileNumber.text(lastSegment) + Self.rollupSuffix
    }

    init(firstSegment: UInt64, lastSegment: UInt64, generation: UInt64 = 0) {
        self.firstSegment = firstSegment
        self.lastSegment = lastSegment
        self.generation = generation
    }

    /// Whether the block is named after this segment, too.
    func covers(_ segment: UInt64) -> Bool { firstSegment <= segment && segment <= lastSegment }

    /// The block of a file name; `nil` for any other name.
    init?(fileName: String) {
        guard fileName.hasSuffix(Self.suffix) else { return nil }
        let name = fileName.dropLast(Self.suffix.count).split(separator: ".", omittingEmptySubsequences: false)
        let parts = name[0].split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, name.count <= 2, let first = FileNumber.parse(parts[0]),
            let last = FileNumber.parse(parts[1]), first <= last
        else { return nil }
        self.init(firstSegment: first, lastSegment: last)
        if name.count == 2 {
            guard let number = UInt64(name[1]), (1...FileNumber.greatest).contains(number), String(number) == name[1]
            else {
                return nil
            }
            generation = number
        }
    }

    /// The id, of generation 0, in the name of a rollup; `nil` for any other name.
    init?(rollupFileName: String) {
        guard rollupFileName.hasSuffix(Self.rollupSuffix) else { return nil }
        self.init(fileName: rollupFileName.dropLast(Self.rollupSuffix.count) + Self.suffix)
        if generation != 0 { return nil }
    }

    /// Whether the two share a segment.
    func overlaps(_ other: BlockID) -> Bool {
        firstSegment <= other.lastSegment && other.firstSegment <= lastSegment
    }

    /// Whether all segments of `other` are among this block's.
    func covers(_ other: BlockID) -> Bool { firstSegment <= other.firstSegment && other.lastSegment <= lastSegment }

    /// Whether the spans of `other`, as far as they are to be kept, are in this block.
    func supersedes(_ other: BlockID) -> Bool {
        covers(other) && (generation > other.generation || !other.covers(self))
    }
}

extension BlockID: Comparable {
    static func < (a: BlockID, b: BlockID) -> Bool {
        (a.firstSegment, a.lastSegment, a.generation) < (b.firstSegment, b.lastSegment, b.generation)
    }
}
