// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// What the text of a message may name: ids of sessions and traces, by themselves, in a link or in a `traceparent`.
///
/// Which ids there are is not known when a message comes, and so every word that may be one is noted, by its hash.
enum WorkMentions {
    /// Words of a message that are noted.
    private static let countMax = 64
    /// Bytes of a text that are looked at.
    private static let textBytesMax = 64 << 10
    /// Any word would be an id otherwise.
    private static let wordBytesMin = 4

    static func hash(_ id: String) -> UInt64 { hash(Array(id.utf8)[...]) }

    /// Of the words of `text` that have a digit, `_` or `-` in them, which few words of a language have, each once.
    static func hashes(in text: String) -> [UInt64] {
        var found: [UInt64] = []
        func note(_ word: ArraySlice<UInt8>) {
            guard found.count < countMax, (wordBytesMin...WorkObject.idByteCountMax).contains(word.count),
                word.contains(where: { isDigit($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") })
            else { return }
            let hash = hash(word)
            if !found.contains(hash) { found.append(hash) }
        }
        for run in Array(text.utf8.prefix(textBytesMax)).split(whereSeparator: { !WorkObject.isIDByte($0) }) {
            // A sentence or a link may end behind it.
            let end = run.lastIndex { !".:/".utf8.contains($0) } ?? run.startIndex
            let word = run[...end]
            note(word)
            for part in word.split(separator: UInt8(ascii: "/")) where part.count < word.count { note(part) }
            let fields = word.split(separator: UInt8(ascii: "-"))
            if fields.count == 4, fields[1].count == 32 { note(fields[1]) }
        }
        return found
    }

    private static func hash(_ word: ArraySlice<UInt8>) -> UInt64 {
        // Ids of traces are the same in either case.
        let isTraceID = word.count == 32 && word.allSatisfy { isDigit($0) || (0x61...0x66).contains($0 | 0x20) }
        let bytes = isTraceID ? word.map { $0 | 0x20 } : Array(word)
        return bytes.withUnsafeBytes { Hash.of($0, seed: Hash.processSeed) }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
