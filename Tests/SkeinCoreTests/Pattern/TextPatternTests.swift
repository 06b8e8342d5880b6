// SPDX-License-Identifier: Apache-2.0
import SkeinStore
import SkeinTestKit
import Testing

@Suite struct TextPatternTests {
    /// Pattern, texts that match it whole, texts that do not.
    static let table: [(String, [String], [String])] = [
        ("", [""], ["a"]),
        ("abc", ["abc"], ["", "ab", "abcd", "xabc", "ABC"]),
        ("a.c", ["abc", "aéc", "a😀c"], ["ac", "abbc", "a\nc"]),
        (".*", ["", "x", "checkout"], ["a\nb"]),
        ("(?s).*", ["a\nb"], []),
        ("GET /.*", ["GET /", "GET /product"], ["POST /", " GET /"]),
        ("a|bc|", ["a", "bc", ""], ["b", "abc"]),
        ("(a|b)+c?", ["a", "abba", "bc"], ["", "c", "acc"]),
        ("a{3}", ["aaa"], ["aa", "aaaa"]),
        ("a{2,}", ["aa", "aaaaa"], ["a", ""]),
        ("a{1,3}?", ["a", "aaa"], ["", "aaaa"]),
        ("a{0}b", ["b"], ["ab"]),
        ("(ab){2,3}", ["abab", "ababab"], ["ab", "abababab", "aba"]),
        ("a{,2}", ["a{,2}"], ["aa"]),
        ("x{a}", ["x{a}"], ["x"]),
        ("[a-c]x", ["ax", "cx"], ["dx", "-x"]),
        ("[^a-c]", ["d", "é", "\n", "😀"], ["a", "b", ""]),
        ("[]a]+", ["]", "a]"], ["b"]),
        ("[a\\]\\-]+", ["a]-"], ["b"]),
        ("[a-]+", ["a-"], ["b"]),
        ("[[:digit:][:upper:]_]+", ["A_9"], ["a"]),
        ("[[:^alpha:]]+", ["12 ."], ["a"]),
        ("\\d+\\.\\d{2}", ["10.25", "0.00"], ["10.2", "a.bc"]),
        ("\\w+\\s\\W", ["ab_9 -"], ["ab-c d"]),
        ("[\\d\\s]+", ["1 2"], ["a"]),
        ("[^\\d]+", ["ab"], ["a1"]),
        ("\\S+\\D", ["abc", "1x"], ["1 2"]),
        ("\\x41\\x{1F600}\\101\\n\\t", ["A😀A\n\t"], []),
        ("\\Qa.b*\\E+", ["a.b*", "a.b**"], ["aab"]),
        ("^abc$", ["abc"], ["xabc"]),
        ("a^b", [], ["ab"]),
        ("a$b", [], ["ab"]),
        ("(?m)a$\n^b", ["a\nb"], ["ab"]),
        ("\\Aa\\z", ["a"], ["aa"]),
        (".*\\bcart\\b.*", ["the cart is", "cart", "a-cart-b"], ["carts", "acart"]),
        ("a\\Bb", ["ab"], ["a b"]),
        ("(?i)checkout", ["checkout", "CheckOut"], ["check"]),
        ("(?i)straße|ΣΑΣ", ["STRAßE", "straẞe", "σας"], ["strasse"]),
        ("(?i)[k-m]", ["K", "\u{212a}", "m"], ["n"]),
        ("(?i)[^k]", ["l"], ["k", "K", "\u{212a}"]),
        ("(?i:a)b", ["Ab", "ab"], ["AB"]),
        ("a(?i)b|c", ["aB", "C"], ["AB"]),
        ("(?-i)a", ["a"], ["A"]),
        ("(?P<year>\\d{4})-(?<month>\\d\\d)", ["2026-11"], ["26-11"]),
        ("\\p{Lu}\\pL*\\P{N}", ["Äbc!", "ÄÖ"], ["äb", "Ä1"]),
        ("[\\p{Nd}x]+", ["٣x7"], ["y"]),
        ("é", ["é"], ["e", "e\u{301}"]),
        ("(a*)*", ["", "aaa"], ["b"]),
        ("(a*)+b", ["b", "aab"], ["a"]),
        ("(|a)*c", ["c", "aac"], ["b"]),
        ("((a{0}){1000}){1000}", [""], ["a"]),
        ("http.(status|code)_?", ["http.status", "http.code_"], ["http.other"]),
        ("/api/v[0-9]+/users/[^/]+", ["/api/v2/users/7"], ["/api/v2/users/7/x"]),
    ]

    @Test(arguments: table)
    func `a pattern matches whole texts only`(row: (String, [String], [String])) throws {
        let pattern = try TextPattern(row.0)
        for text in row.1 { #expect(pattern.matches(text), "\(row.0) should match \(text)") }
        for text in row.2 { #expect(!pattern.matches(text), "\(row.0) should not match \(text)") }
    }

    /// Pattern, offset of its defect, part of what is said about it.
    static let refused: [(String, Int, String)] = [
        ("a(b", 1, "no )"), ("a)b", 1, "unexpected )"), ("*a", 0, "nothing before"), ("a**", 2, "cannot be repeated"),
        ("a{2}{3}", 4, "cannot be repeated"), ("é[z-a]", 3, "wrong order"), ("[a", 0, "no ]"), ("[]", 0, "no ]"),
        ("a\\", 1, "backslash"), ("\\y", 0, "unknown escape"), ("(a)\\1", 3, "references back"),
        ("a(?=b)", 1, "looking ahead"), ("(?<!b)a", 0, "looking behind"), ("\\p{Greek}", 0, "unknown category"),
        ("a{1001}", 1, "at most 1000"), ("a{3,2}", 1, "wrong order"), ("(?x)a", 2, "unknown flag"),
        ("(a{1000}){1000}", 0, "10000 steps"), ("[[:nope:]]", 1, "unknown class"), ("\\x{110000}", 0, "\\x{…}"),
        ("\\xg", 0, "hexadecimal"), ("(?P<>a)", 4, "group's name"),
    ]

    @Test(arguments: refused)
    func `a defect is named with its place`(row: (String, Int, String)) {
        do throws(TextPattern.Failure) {
            _ = try TextPattern(row.0)
            Issue.record("\(row.0) compiled")
        } catch {
            #expect(error.offset == row.1, "\(row.0): \(error)")
            #expect(error.message.contains(row.2), "\(row.0): \(error)")
        }
    }

    @Test func `nesting and length are bounded`() {
        #expect(throws: TextPattern.Failure.self) {
            try TextPattern(String(repeating: "(", count: 300) + String(repeating: ")", count: 300))
        }
        #expect(throws: TextPattern.Failure.self) { try TextPattern(String(repeating: "a", count: 20_000)) }
        #expect(throws: Never.self) {
            try TextPattern(String(repeating: "(", count: 200) + String(repeating: ")", count: 200))
        }
    }

    @Test(
        arguments: [
            "(a*)*b", "(a|aa)+b", "(a|a?)+b", "(.*)*(.*)*b", "a?(a+)+b",
            "(x+x+)+y|(a{1,20}){1,20}b",
        ]
    )
    func `patterns that make backtrackers explode are quick on long text`(source: String) throws {
        let pattern = try TextPattern(source)
        let text = String(repeating: "a", count: 100_000)
        let elapsed = ThreadTime.seconds { #expect(!pattern.matches(text)) }
        #expect(elapsed < 5)
        #expect(pattern.matches("aaab"))
    }

    @Test func `a pattern whose table has wide rows is given up within a row`() throws {
        // Every scalar is a class of its own, and in most states all branches are alive.
        let branches = (0x4e00..<0x5a00).compactMap { Unicode.Scalar($0).map(String.init) }.joined(separator: "|")
        var pattern: TextPattern?
        let elapsed = try ThreadTime.seconds { pattern = try TextPattern("(\(branches))*") }
        #expect(elapsed < 5)
        #expect(pattern?.matches("\u{4e00}\u{4e01}") == true)
        #expect(pattern?.matches("\u{4e00}a") == false)
    }

    @Test func `a pattern whose table would be large is simulated and says the same`() throws {
        let pattern = try TextPattern("(a|b)*a(a|b){18}")
        let tail = String(repeating: "b", count: 18)
        #expect(pattern.matches("abba" + tail))
        #expect(!pattern.matches("abbb" + tail))
        #expect(!pattern.matches("abba" + tail + "c"))
        let bounded = try TextPattern("(a|b)*\\ba(a|b){18}\\b")
        #expect(bounded.matches("a" + tail))
        #expect(!bounded.matches("ba" + tail))
    }

    @Test func `bytes that are not UTF-8 count as one scalar each`() throws {
        let any = try TextPattern("a..b")

        let bytes: [UInt8] = [0x61, 0xff, 0xc3, 0x62]
        #expect(bytes.withUnsafeBytes { any.matches($0) })
        let surrogate: [UInt8] = [0xed, 0xa0, 0x80]
        #expect(try surrogate.withUnsafeBytes { try TextPattern("\\x{fffd}{3}").matches($0) })
        let cut: [UInt8] = [0xf0, 0x9f, 0x98]
        #expect(try cut.withUnsafeBytes { try TextPattern("...").matches($0) })
    }

    @Test func `U+FFFD in a pattern stands for bytes that are not UTF-8, with operators and without`() throws {
        let bytes: [UInt8] = [0x61, 0xff, 0x62]
        for source in ["a\u{fffd}b", "a\u{fffd}b?"] {
            #expect(try bytes.withUnsafeBytes { try TextPattern(source).matches($0) })
            #expect(try TextPattern(source).matches("a\u{fffd}b"))
            #expect(try TextPattern(source).literal == nil)
        }
    }

    @Test func `a pattern without operators says which text it is`() throws {
        #expect(try TextPattern("a\\.b").literal == "a.b")
        #expect(try TextPattern("").literal == "")
        #expect(try TextPattern("a.b").literal == nil)
        #expect(try TextPattern("(?i)a").literal == nil)
        #expect(try TextPattern("(?i)1").literal == "1")
    }
}
