// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// A text that is looked for wherever a span has any: in its name, service and status message, in the names of its events, and in
/// the attributes of it, its resource, scope, events and links, as `key=value`. Upper and lower case are the same.
struct SpanTextSearch {
    private let text: FoldedText
    /// The text cut at each of its equals signs, at most ``cutCountMax``: what a key ends with, and its value begins with.
    private let cuts: [(keyEnd: FoldedText, valueStart: FoldedText)]

    /// Longest text, in bytes.
    static let byteCountMax = 1_024
    private static let cutCountMax = 32

    init(_ text: String) {
        self.text = FoldedText(text)
        let bytes = self.text.bytes
        cuts = bytes.indices.filter { bytes[$0] == UInt8(ascii: "=") }.prefix(Self.cutCountMax)
            .map { (FoldedText(folded: bytes[..<$0]), FoldedText(folded: bytes[($0 + 1)...])) }
    }

    /// For each span of `batch`, which has all columns, whether the text is in it. A string is looked at once, however many spans
    /// have it.
    func matches(in batch: SpanBatch) -> [Bool] {
        var reader = Reader(self, batch)
        return reader.matches()
    }

    /// What is known of a string.
    private struct Finding {
        /// Whether the text is in it.
        var holds: Bool
        /// Of a key the cuts whose first part it ends with, of a value those whose second part it begins with; a bit for each.
        var cuts: UInt32
    }

    private struct Reader {
        let search: SpanTextSearch
        let batch: SpanBatch
        /// By ref, as texts and as encoded values, which the same bytes may be both.
        private var texts: [Finding?]
        private var values: [Finding?]

        init(_ search: SpanTextSearch, _ batch: SpanBatch) {
            self.search = search
            self.batch = batch
            texts = [Finding?](repeating: nil, count: batch.dictionary.count)
            values = texts
        }

        mutating func matches() -> [Bool] {
            var resources: [Bool] = []
            for row in 0..<batch.resources.count {
                resources.append(
                    holds(text: batch.resources.serviceNameRefs[row]) || holds(batch.resources.attributes, row)
                )
            }
            var scopes: [Bool] = []
            for row in 0..<batch.scopes.count {
                scopes.append(
                    holds(text: batch.scopes.nameRefs[row]) || holds(text: batch.scopes.versionRefs[row])
                        || holds(batch.scopes.attributes, row)
                )
            }
            var matches: [Bool] = []
            matches.reserveCapacity(batch.count)
            for row in 0..<batch.count {
                matches.append(
                    resources[Int(batch.resourceRows[row])] || scopes[Int(batch.scopeRows[row])]
                        || holds(text: batch.nameRefs[row])
                        || holds(text: SpanBatch.value(batch.statusMessageRefs, row, default: 0))
                        || holds(batch.attributes, row) || holdsEvent(of: row) || holdsLink(of: row)
                )
            }
            return matches
        }

        private mutating func holdsEvent(of row: Int) -> Bool {
            for event in batch.events.range(of: row)
            where holds(text: batch.events.nameRefs[event]) || holds(batch.events.attributes, event) { return true }
            return false
        }

        private mutating func holdsLink(of row: Int) -> Bool {
            for link in batch.links.range(of: row) where holds(batch.links.attributes, link) { return true }
            return false
        }

        private mutating func holds(_ table: SpanBatch.AttributeTable, _ owner: Int) -> Bool {
            for pair in table.range(of: owner) {
                let (key, value) = (finding(text: table.keyRefs[pair]), finding(value: table.valueRefs[pair]))
                if key.holds || value.holds || key.cuts & value.cuts != 0 { return true }
            }
            return false
        }

        private mutating func holds(text ref: SpanBatch.Ref) -> Bool { finding(text: ref).holds }

        private mutating func finding(text ref: SpanBatch.Ref) -> Finding {
            if let known = texts[Int(ref)] { return known }
            let found = batch.dictionary.withBytes(ref) { bytes in
                FoldedText.withFolded(bytes, isASCII: search.text.isASCII) { text in
                    Finding(holds: search.text.isIn(text), cuts: bits { $0.keyEnd.ends(text) })
                }
            }
            texts[Int(ref)] = found
            return found
        }

        private mutating func finding(value ref: SpanBatch.Ref) -> Finding {
            if let known = values[Int(ref)] { return known }
            func look(_ bytes: UnsafeRawBufferPointer) -> Finding {
                FoldedText.withFolded(bytes, isASCII: search.text.isASCII) { text in
                    Finding(holds: search.text.isIn(text), cuts: bits { $0.valueStart.begins(text) })
                }
            }
            let found = batch.dictionary.withBytes(ref) { bytes in
                if let text = EncodedValue.text(bytes) { return look(text) }
                var text = EncodedValue.decode(bytes).text
                return text.withUTF8 { look(UnsafeRawBufferPointer($0)) }
            }
            values[Int(ref)] = found
            return found
        }

        private func bits(_ holds: ((keyEnd: FoldedText, valueStart: FoldedText)) -> Bool) -> UInt32 {
            var bits: UInt32 = 0
            for (place, cut) in search.cuts.enumerated() where holds(cut) { bits |= 1 << UInt32(place) }
            return bits
        }
    }
}

/// A text in lower case, as bytes, that is looked for in others.
private struct FoldedText {
    let bytes: [UInt8]
    /// For each length of a beginning of the text, that of the longest shorter one which it also ends with: how much of the
    /// text is found already where the next byte is another (Knuth, Morris and Pratt).
    private let borders: [Int]
    /// Then nothing but ASCII need be folded in what it is looked for.
    let isASCII: Bool

    init(_ text: String) { self.init(folded: text.lowercased().utf8) }

    init(folded bytes: some Collection<UInt8>) {
        self.bytes = Array(bytes)
        borders = Self.borders(of: self.bytes)
        isASCII = bytes.allSatisfy { $0 < 0x80 }
    }

    private static func borders(of bytes: [UInt8]) -> [Int] {
        var borders = [Int](repeating: 0, count: bytes.count + 1)
        var border = 0
        for place in bytes.indices.dropFirst() {
            while border > 0, bytes[border] != bytes[place] { border = borders[border] }
            if bytes[border] == bytes[place] { border += 1 }
            borders[place + 1] = border
        }
        return borders
    }

    /// Lends a text in lower case.
    static func withFolded<Result>(
        _ bytes: UnsafeRawBufferPointer,
        isASCII: Bool,
        _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        if isASCII || bytes.allSatisfy({ $0 < 0x80 }) {
            return withUnsafeTemporaryAllocation(byteCount: bytes.count, alignment: 1) { folded in
                for place in 0..<bytes.count {
                    let byte = bytes[place]
                    folded[place] = byte &- 0x41 < 26 ? byte | 0x20 : byte
                }
                return body(UnsafeRawBufferPointer(folded))
            }
        }
        var text = String(decoding: bytes, as: UTF8.self).lowercased()
        return text.withUTF8 { body(UnsafeRawBufferPointer($0)) }
    }

    /// Whether a text in lower case begins with this.
    func begins(_ text: UnsafeRawBufferPointer) -> Bool { text.starts(with: bytes) }

    /// Whether a text in lower case ends with this.
    func ends(_ text: UnsafeRawBufferPointer) -> Bool { text.suffix(bytes.count).elementsEqual(bytes) }

    /// Whether this is in a text in lower case, in time that grows with its length alone.
    func isIn(_ text: UnsafeRawBufferPointer) -> Bool {
        guard !bytes.isEmpty else { return true }
        guard text.count >= bytes.count else { return false }
        return bytes.withUnsafeBufferPointer { wanted in
            borders.withUnsafeBufferPointer { borders in
                var length = 0
                for byte in text {
                    while length > 0, wanted[length] != byte { length = borders[length] }
                    if wanted[length] == byte { length += 1 }
                    if length == wanted.count { return true }
                }
                return false
            }
        }
    }
}
