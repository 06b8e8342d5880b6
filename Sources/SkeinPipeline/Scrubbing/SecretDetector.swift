// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// Finds what looks like a secret within a text: credentials in forms that their issuers give them, and payment cards.
///
/// One pass over the bytes, in time linear in their number. It knows forms, not meanings: a password in plain words is
/// found by its key, with a rule, and not here.
package struct SecretDetector: Sendable {
    /// What is looked for.
    package enum Kind: String, Sendable, CaseIterable {
        /// Web tokens (`eyJ….….…`), `Bearer …`, keys with well-known beginnings, private keys in PEM, passwords in URLs.
        case tokens
        /// Numbers of payment cards: 13 to 19 digits in groups, with a beginning that cards have and a right check digit.
        case cards

        fileprivate var mask: StaticString {
            switch self {
            case .tokens: "[redacted token]"
            case .cards: "[redacted card]"
            }
        }
    }

    private let findsTokens: Bool
    private let findsCards: Bool

    package init(_ kinds: Set<Kind>) {
        findsTokens = kinds.contains(.tokens)
        findsCards = kinds.contains(.cards)
    }

    /// Whether anything is looked for.
    package var isActive: Bool { findsTokens || findsCards }

    /// `text` with each secret replaced by a mask; `nil` when there is none.
    package func scrubbed(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
        var out: [UInt8]?
        var copied = 0
        var at = 0
        // No web token begins before this place.
        var barren = 0
        while at < text.count {
            guard let (end, kind) = secret(in: text, at: at, &barren) else {
                at += 1
                continue
            }
            var bytes = out ?? []
            bytes += text[copied..<at]
            bytes += UnsafeRawBufferPointer(start: kind.mask.utf8Start, count: kind.mask.utf8CodeUnitCount)
            out = bytes
            copied = end
            at = end
        }
        guard var out else { return nil }
        out += text[copied...]
        return out
    }

    /// Where the secret that begins at `at` ends.
    private func secret(
        in text: UnsafeRawBufferPointer,
        at: Int,
        _ barren: inout Int
    ) -> (end: Int, kind: Kind)? {
        let byte = text[at]
        if findsCards, byte >= UInt8(ascii: "2"), byte <= UInt8(ascii: "6"), let end = card(in: text, at: at) {
            return (end, .cards)
        }
        if findsTokens, Self.beginsToken(byte), let end = token(in: text, at: at, &barren) { return (end, .tokens) }
        return nil
    }

    // MARK: Cards

    private func card(in text: UnsafeRawBufferPointer, at start: Int) -> Int? {
        guard start == 0 || !Self.isWord(text[start - 1]) && text[start - 1] != UInt8(ascii: ".") else { return nil }
        var digits: [UInt8] = []
        // Where a group of digits ends, the longest run last: what follows a number, such as a date, is none of it.
        var ends: [(count: Int, end: Int)] = []
        var at = start
        while at < text.count {
            if Self.isDigit(text[at]) {
                guard digits.count < 19 else { break }
                digits.append(text[at] - UInt8(ascii: "0"))
                at += 1
                if at == text.count || !Self.isWord(text[at]) { ends.append((digits.count, at)) }
            } else if Self.isDigit(text[at - 1]), text[at] == UInt8(ascii: " ") || text[at] == UInt8(ascii: "-") {
                at += 1
            } else {
                break
            }
        }
        for (count, end) in ends.reversed() where count >= 13 {
            let number = digits.prefix(count)
            if Self.beginsCard(number), Self.hasRightCheckDigit(number) { return end }
        }
        return nil
    }

    /// Whether a payment network gives numbers with this beginning.
    private static func beginsCard(_ digits: ArraySlice<UInt8>) -> Bool {
        let first = digits.prefix(2).reduce(0) { $0 * 10 + Int($1) }
        return [30, 34, 35, 36, 37, 38].contains(first) || (40...49).contains(first) || (51...55).contains(first)
            || (22...27).contains(first) || (60...69).contains(first)
    }

    /// ISO/IEC 7812-1 annex B.
    private static func hasRightCheckDigit(_ digits: ArraySlice<UInt8>) -> Bool {
        var sum = 0
        for (index, digit) in digits.reversed().enumerated() {
            let doubled = Int(digit) * (index % 2 == 1 ? 2 : 1)
            sum += doubled > 9 ? doubled - 9 : doubled
        }
        return sum % 10 == 0
    }

    // MARK: Tokens

    /// Beginnings of keys, and how many letters, digits, `_` and `-` must follow.
    private static let beginnings: [(text: StaticString, countMin: Int)] = [
        ("AKIA", 16), ("ASIA", 16), ("AIza", 35), ("ghp_", 30), ("gho_", 30), ("ghu_", 30), ("ghs_", 30), ("ghr_", 30),
        ("github_pat_", 40), ("glpat-", 20), ("xoxb-", 20), ("xoxp-", 20), ("xoxa-", 20), ("xoxs-", 20), ("xapp-", 20),
        ("sk_live_", 16), ("rk_live_", 16),
        ("sk_test_", 16), ("rk_test_", 16), ("sk-", 20), ("npm_", 30), ("hf_", 30), ("SG.", 20), ("dop_v1_", 40),
    ]

    private static func beginsToken(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A"), UInt8(ascii: "g"), UInt8(ascii: "x"), UInt8(ascii: "s"), UInt8(ascii: "r"),
            UInt8(ascii: "n"), UInt8(ascii: "h"), UInt8(ascii: "S"), UInt8(ascii: "d"), UInt8(ascii: "e"),
            UInt8(ascii: "B"), UInt8(ascii: "b"), UInt8(ascii: "-"), UInt8(ascii: ":"):
            true
        default: false
        }
    }

    private func token(in text: UnsafeRawBufferPointer, at start: Int, _ barren: inout Int) -> Int? {
        switch text[start] {
        case UInt8(ascii: ":"): return passwordInURL(text, at: start)
        case UInt8(ascii: "-"): return privateKey(text, at: start)
        default: break
        }
        // Whatever stands before it, such as a name and `_`.
        if Self.has("eyJ", in: text, at: start) {
            return start >= barren ? webToken(text, at: start, &barren) : nil
        }
        guard start == 0 || !Self.isWord(text[start - 1]) else { return nil }
        if Self.has("bearer ", in: text, at: start, ignoringCase: true) {
            let end = Self.end(in: text, from: start + 7) { Self.isTokenByte($0) }
            return end - start - 7 >= 16 ? end : nil
        }
        for (beginning, countMin) in Self.beginnings where Self.has(beginning, in: text, at: start) {
            let from = start + beginning.utf8CodeUnitCount
            let end = Self.end(in: text, from: from) {
                Self.isWord($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
            }
            if end - from >= countMin { return end }
        }
        return nil
    }

    /// Three parts of base64url (RFC 7519 §3), of which the first is a JSON object.
    private func webToken(_ text: UnsafeRawBufferPointer, at start: Int, _ barren: inout Int) -> Int? {
        var end = start
        for part in 0..<3 {
            if part > 0 {
                guard end < text.count, text[end] == UInt8(ascii: ".") else {
                    // Whatever begins in between ends here too: a long text is not read again from each of its places.
                    barren = end
                    return nil
                }
                end += 1
            }
            let from = end
            end = Self.end(in: text, from: from) { Self.isWord($0) || $0 == UInt8(ascii: "-") }
            // Of an unsecured token the last part is empty.
            guard end - from >= (part == 2 ? 0 : 8) else {
                barren = from
                return nil
            }
        }
        return end
    }

    /// `://user:password@` (RFC 3986 §3.2.1): the user and the password, which may hold an `@` though it should not.
    private func passwordInURL(_ text: UnsafeRawBufferPointer, at start: Int) -> Int? {
        guard Self.has("://", in: text, at: start) else { return nil }
        let from = start + 3
        let end = Self.end(in: text, from: from) { Self.isAuthority($0) }
        guard let at = text[from..<end].lastIndex(of: UInt8(ascii: "@")), text[from..<at].contains(UInt8(ascii: ":"))
        else { return nil }
        return at
    }

    /// A private key in textual form (RFC 7468), as far as it goes.
    private func privateKey(_ text: UnsafeRawBufferPointer, at start: Int) -> Int? {
        guard Self.has("-----BEGIN ", in: text, at: start) else { return nil }
        let label = Self.end(in: text, from: start + 11) { $0 != UInt8(ascii: "-") }
        let words = String(decoding: text[(start + 11)..<label], as: UTF8.self)
        guard words.utf8.count < 40, words.hasSuffix("PRIVATE KEY") else { return nil }
        var at = label
        while at < text.count {
            if Self.has("-----END ", in: text, at: at) {
                let end = Self.end(in: text, from: at + 9) { $0 != UInt8(ascii: "-") }
                return Self.end(in: text, from: end) { $0 == UInt8(ascii: "-") }
            }
            at += 1
        }
        return text.count
    }

    // MARK: Bytes

    private static func has(_ word: StaticString, in text: UnsafeRawBufferPointer, at: Int) -> Bool {
        let word = UnsafeRawBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
        return text.count - at >= word.count && text.unsafelyEqual(from: at, word)
    }

    /// `word` is in lower case.
    private static func has(
        _ word: StaticString,
        in text: UnsafeRawBufferPointer,
        at: Int,
        ignoringCase: Bool
    ) -> Bool {
        let word = UnsafeRawBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
        guard text.count - at >= word.count else { return false }
        return word.indices.allSatisfy { index in
            let byte = text[at + index]
            return (byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte) == word[index]
        }
    }

    private static func end(in text: UnsafeRawBufferPointer, from start: Int, while isPart: (UInt8) -> Bool) -> Int {
        var end = start
        while end < text.count, isPart(text[end]) { end += 1 }
        return min(end, text.count)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

    private static func isWord(_ byte: UInt8) -> Bool {
        isDigit(byte) || (byte | 0x20) >= UInt8(ascii: "a") && (byte | 0x20) <= UInt8(ascii: "z")
            || byte == UInt8(ascii: "_")
    }

    /// Whether a URL's host, and what stands before it, goes on with `byte`, quotes and brackets around a URL aside.
    private static func isAuthority(_ byte: UInt8) -> Bool {
        switch byte {
        case 0...0x20, UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#"), UInt8(ascii: "\""), UInt8(ascii: "<"),
            UInt8(ascii: ">"), UInt8(ascii: "\\"):
            false
        default: true
        }
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        isWord(byte)
            || [
                UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "~"), UInt8(ascii: "+"), UInt8(ascii: "/"),
                UInt8(ascii: "="),
            ].contains(byte)
    }
}
