// SPDX-License-Identifier: Apache-2.0

/// Constants of the block file; `docs/format.md` draws every byte.
enum BlockFormat {
    /// The first and the last eight bytes of every block.
    static let magic: [UInt8] = Array("SKEINBLK".utf8)
    /// Raised when a reader of the version before could not read the file or would misread it.
    static let version: UInt32 = 1
    /// Magic, version, zero.
    static let headerByteCount = 16
    /// Footer offset, stored and raw length, checksum, tail offset, checksum of the trailer, version, zero, magic.
    static let trailerByteCount = 56
    /// What a reader asks for first: mostly the whole tail.
    static let tailGuess = 64 << 10
    /// A chunk that claims more than this unpacked is not believed.
    static let chunkBytesMax = 1 << 30
    /// Spans, events or links in a group that are believed.
    static let groupRowsMax = 1 << 28
    /// A key with fewer values in a row group shares a column with others.
    static let rareKeyCount = 24
    /// Dictionaries up to this size have one-byte ids.
    static let narrowIDCount = 256
    /// Lengths below this are not worth a compressor's call.
    static let packBytesMin = 48
    #if SKEIN_FUZZ
        // What libFuzzer changes in packed bytes only breaks them.
        static let packs = false
    #else
        /// Whether chunks are packed where that makes them smaller.
        static let packs = true
    #endif
}

/// How a column of numbers is stored. Raw values are on disk.
enum NumberEncoding: UInt8 {
    /// One number for all rows, in the directory.
    case constant = 0
    /// Offsets from a base in 1, 2, 4 or 8 bytes each, little-endian.
    case fixed1 = 1
    case fixed2 = 2
    case fixed4 = 4
    case fixed8 = 8
    /// Offsets from a base as varints.
    case varint = 9
}

/// How a column of texts or values is stored. Raw values are on disk.
enum TextEncoding: UInt8 {
    /// Empty in every row.
    case empty = 0
    /// A dictionary, and the entry of each row as a number.
    case dictionary = 1
    /// A dictionary, and for each row how many entries back from the newest its own is; 0 for the next new entry.
    case recency = 2
    /// No dictionary: every value is an int, stored as a zig-zag number.
    case ints = 3
    /// No dictionary: every value is a double, stored as the bits.
    case doubles = 4
}
