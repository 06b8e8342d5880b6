// SPDX-License-Identifier: Apache-2.0

/// What reading every byte of a data folder found.
public struct FolderReport: Sendable {
    /// Something that a person should know of a file.
    public struct Finding: Hashable, Sendable {
        /// Damage: stored bytes are not as they were written.
        public var isDamage: Bool
        /// Path below the data folder.
        public var file: String
        /// Bytes from the start of the file to what is wrong, when it is in one place.
        public var offset: Int?
        /// What was found, a whole sentence.
        public var message: String
        /// What the next start would do about it, a whole sentence.
        public var consequence: String
    }

    /// In the order of reading.
    public internal(set) var findings: [Finding] = []
    public internal(set) var fileCount = 0
    public internal(set) var byteCount = 0
    public internal(set) var blockCount = 0
    public internal(set) var segmentCount = 0
    /// Spans in blocks and in log segments, copies included.
    public internal(set) var spanCount = 0

    /// Adds what was found in a folder within this one. What is in it are no spans.
    mutating func add(_ inner: FolderReport, of name: String) {
        findings += inner.findings.map { finding in
            var finding = finding
            finding.file = name + "/" + finding.file
            return finding
        }
        fileCount += inner.fileCount
        byteCount += inner.byteCount
    }

    /// Whether no damage was found.
    public var isGood: Bool { !findings.contains(where: \.isDamage) }
}
