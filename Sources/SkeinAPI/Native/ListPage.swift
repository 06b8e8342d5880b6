// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// One page of a list of names.
///
/// Lists are ordered by a rank, then by text. A page begins behind the place where the one before ended, so names that
/// come or go meanwhile neither repeat nor hide others; a value whose count changes may do so.
struct ListPage<Element> {
    var elements: [Element]
    /// What the client sends for the next page; `nil` when there is none.
    var next: String?

    /// The page of `all`, which are in order, that `cursor` leads to.
    ///
    /// Elements with one place, which a rank and the first bytes of a text do not tell apart, keep the order they have.
    init(
        of all: [Element],
        limit: Int,
        after cursor: ListCursor?,
        question: String,
        place: (Element) -> ListCursor.Place
    ) {
        var first = 0
        if let cursor {
            first = all.firstIndex { !place($0).precedes(cursor.place) } ?? all.count
            var skipped = 0
            while first < all.count, skipped < cursor.skipCount, place(all[first]) == cursor.place {
                first += 1
                skipped += 1
            }
        }
        elements = Array(all[first...].prefix(limit))
        let end = first + elements.count
        guard let last = elements.last, end < all.count else { return }
        let lastPlace = place(last)
        var skipCount = 0
        while skipCount < end, place(all[end - 1 - skipCount]) == lastPlace { skipCount += 1 }
        next = ListCursor(place: lastPlace, skipCount: skipCount).text(question: question)
    }
}

/// Where a page of names ended, as clients carry it: opaque to them, hexadecimal digits to us.
///
///     offset  bytes
///     0       1      version, 1
///     1       8      rank of the last element shown, big-endian
///     9       4      how many elements of this place were shown, big-endian
///     13      0…256  the first bytes of its text
///     -4      4      check: mixes the bytes above and the question, so that a cursor serves its own list only
struct ListCursor {
    /// A place in the order of a list.
    struct Place: Hashable {
        var rank: UInt64
        var text: [UInt8]

        /// The place of an element; of a long text only the beginning, since cursors travel in addresses.
        init(rank: UInt64 = 0, _ text: String) {
            self.rank = rank
            self.text = Array(text.utf8.prefix(256))
        }

        func precedes(_ other: Place) -> Bool {
            rank != other.rank ? rank < other.rank : text.lexicographicallyPrecedes(other.text)
        }
    }

    var place: Place
    var skipCount: Int

    private static let fixedByteCount = 1 + 8 + 4 + 4

    init(place: Place, skipCount: Int) {
        self.place = place
        self.skipCount = skipCount
    }

    /// `nil` when `text` is no cursor of this version and question.
    init?(_ text: String, question: String) {
        var bytes: [UInt8] = []
        let digits = Array(text.utf8)
        guard digits.count.isMultiple(of: 2), digits.count <= 2 * (Self.fixedByteCount + 256) else { return nil }
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = Hex.value(of: digits[index]), let low = Hex.value(of: digits[index + 1]) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        guard bytes.count >= Self.fixedByteCount, bytes[0] == 1 else { return nil }
        func number(_ range: some Sequence<UInt8>) -> UInt64 { range.reduce(0) { $0 << 8 | UInt64($1) } }
        let checked = bytes.dropLast(4)
        guard number(bytes.suffix(4)) == UInt64(Self.check(checked, question)) else { return nil }
        place = Place("")
        place.rank = number(bytes[1..<9])
        place.text = Array(checked.dropFirst(13))
        skipCount = Int(number(bytes[9..<13]))
    }

    func text(question: String) -> String {
        var bytes: [UInt8] = [1]
        withUnsafeBytes(of: place.rank.bigEndian) { bytes += $0 }
        withUnsafeBytes(of: UInt32(clamping: skipCount).bigEndian) { bytes += $0 }
        bytes += place.text
        withUnsafeBytes(of: Self.check(bytes, question).bigEndian) { bytes += $0 }
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    private static func check(_ bytes: some Sequence<UInt8>, _ question: String) -> UInt32 {
        var check = CursorCheck()
        check.mix(bytes)
        check.mix(question.utf8)
        return check.value
    }
}
