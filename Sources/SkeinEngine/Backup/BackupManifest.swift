// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinStore

/// What a backup holds: a text of lines, written last, whose last line is a checksum of all before.
///
///     skein-backup 1
///     of /var/lib/skein
///     started 1795550400000000000
///     finished 1795550401000000000
///     format block 1
///     file 9f2c41d5a0b7e863 52817 blocks/0000000000000001-0000000000000008.block
///     end 3d6a0c8e51f7b924
///
/// A folder with a manifest is a backup, or one that a restore has not finished: no store opens it.
struct BackupManifest: Hashable {
    static let fileName = "MANIFEST"
    static let version = 1

    /// Of what folder.
    var folder: String
    /// When the backup began and ended, nanoseconds since 1970.
    var startedUnixNanos: UInt64 = 0
    var finishedUnixNanos: UInt64 = 0
    /// The format version of each kind of file.
    var formats: [String: UInt32] = Self.knownFormats
    /// By path below the folder.
    var files: [String: FileSum] = [:]

    /// The kinds of files that this program reads, each up to this version.
    static let knownFormats: [String: UInt32] = [
        "catalog": Catalog.version, "log": LogSegment.version, "block": BlockFormat.version,
        "rollup": RollupFormat.version,
    ]

    /// No file is longer, and no backup has more files: so their lengths add up to a number.
    private static let fileByteCountMax = 1 << 40
    private static let fileCountMax = 1 << 20

    /// Why a text is no manifest.
    enum Failure: Error, Equatable {
        case damaged(String)
        /// A later version of Skein wrote it, or files that it names.
        case newer(String)
    }

    init(folder: String) { self.folder = folder }

    var byteCount: Int { files.values.reduce(0) { $0 + $1.byteCount } }

    var bytes: [UInt8] {
        var lines = [
            "skein-backup \(Self.version)", "of \(Self.escaped(folder))", "started \(startedUnixNanos)",
            "finished \(finishedUnixNanos)",
        ]
        lines += formats.sorted { $0.key < $1.key }.map { "format \($0.key) \($0.value)" }
        lines += files.sorted { $0.key < $1.key }.map { path, sum in
            "file \(Hex.string(sum.checksum)) \(sum.byteCount) \(Self.escaped(path))"
        }
        let text = Array((lines.joined(separator: "\n") + "\n").utf8)
        return text + Array("end \(Hex.string(Checksum.of(text)))\n".utf8)
    }

    init(parsing bytes: [UInt8]) throws(Failure) {
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        guard lines.popLast() == "", let end = lines.popLast(), end.hasPrefix("end ") else {
            throw .damaged("its last line is missing")
        }
        if let first = lines.first, first.hasPrefix("skein-backup "), let version = Int(first.dropFirst(13)),
            version > Self.version
        {
            throw .newer("the manifest has version \(version), this Skein knows versions up to \(Self.version)")
        }
        guard end == "end \(Hex.string(Checksum.of(Array(bytes.dropLast(end.utf8.count + 1)))))" else {
            throw .damaged("its checksum does not match")
        }
        guard lines.first == "skein-backup \(Self.version)" else { throw .damaged("it does not begin like a manifest") }
        folder = ""
        formats = [:]
        for line in lines.dropFirst() {
            guard let blank = line.firstIndex(of: " ") else { throw .damaged("a line of it says nothing") }
            try read(String(line[..<blank]), String(line[line.index(after: blank)...]))
        }
        for (kind, version) in formats.sorted(by: { $0.key < $1.key }) where version > Self.knownFormats[kind] ?? 0 {
            throw .newer(
                "its \(kind) files have format version \(version), this Skein knows versions up to "
                    + "\(Self.knownFormats[kind] ?? 0)"
            )
        }
    }

    private mutating func read(_ word: String, _ rest: String) throws(Failure) {
        let parts = rest.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        switch word {
        case "of": folder = Self.unescaped(rest)
        case "started": startedUnixNanos = UInt64(rest) ?? 0
        case "finished": finishedUnixNanos = UInt64(rest) ?? 0
        case "format":
            guard parts.count == 2, let version = UInt32(parts[1]) else { throw .damaged("a format is no number") }
            formats[parts[0]] = version
        case "file":
            guard parts.count == 3, let checksum = UInt64(parts[0], radix: 16), let byteCount = Int(parts[1]),
                (0...Self.fileByteCountMax).contains(byteCount)
            else { throw .damaged("a file lacks its checksum or a length that a file can have") }
            let path = Self.unescaped(parts[2])
            let names = path.split(separator: "/", omittingEmptySubsequences: false)
            let depthMax = names.first.map { $0 == StoreFolder.logRecordsName } == true ? 3 : 2
            guard (1...depthMax).contains(names.count), !names.contains(where: { ["", ".", ".."].contains($0) }) else {
                throw .damaged("the path \(parts[2]) leads out of the folder")
            }
            files[path] = FileSum(byteCount: byteCount, checksum: checksum)
            guard files.count <= Self.fileCountMax else { throw .damaged("it names more files than a folder has") }
        default: throw .damaged("it has a line of the unknown kind \(word)")
        }
    }

    /// `text` on one line: control characters and `%` as `%` and two digits.
    private static func escaped(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f || $0 == UInt8(ascii: "%") }) else { return text }
        var out: [UInt8] = []
        for byte in text.utf8 {
            if byte < 0x20 || byte == 0x7f || byte == UInt8(ascii: "%") {
                out += Array("%\(Hex.string(UInt64(byte)).suffix(2))".utf8)
            } else {
                out.append(byte)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    private static func unescaped(_ text: String) -> String {
        var out: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                out.append(value)
                rest = rest.dropFirst(2)
            } else {
                out.append(byte)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
