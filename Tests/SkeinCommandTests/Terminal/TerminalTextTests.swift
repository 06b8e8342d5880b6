// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import SkeinCommand

@Suite struct TerminalTextTests {
    static let plain = Terminal(width: 80, hasColor: false, hasUnicode: true)
    static let colored = Terminal(width: 80, hasColor: true, hasUnicode: true)

    @Test func `nothing that a terminal obeys gets through`() {
        #expect(TerminalText.harmless("a\u{1b}[31mb\u{7}\n\u{7f}") == "a␛[31mb␇␊␡")
        #expect(TerminalText.harmless("x\u{9b}31m\u{202e}y\u{2028}") == "x�31m�y�")
        #expect(TerminalText.harmless("größe 😀 日本") == "größe 😀 日本")
    }

    @Test func `width counts columns`() {
        #expect(TerminalText.width("abc") == 3)
        #expect(TerminalText.width("é") == 1)
        #expect(TerminalText.width("e\u{301}") == 1)
        #expect(TerminalText.width("日本") == 4)
        #expect(TerminalText.width("😀") == 2)
        #expect(TerminalText.width("━╸") == 2)
    }

    @Test func `text is cut or filled to its column`() {
        #expect(TerminalText.fitted("checkout", 5) == "chec…")
        #expect(TerminalText.fitted("ab", 5) == "ab   ")
        #expect(TerminalText.fitted("ab", 5, alignment: .right) == "   ab")
        #expect(TerminalText.fitted("日本語", 4) == "日… ")
        #expect(TerminalText.fitted("abc", 0) == "")
    }

    @Test func `figures are short`() {
        let durations: [(UInt64, String)] = [
            (0, "0ns"), (999, "999ns"), (1_000, "1µs"), (1_240_000, "1.24ms"), (12_345_678, "12.3ms"),
            (999_999_999, "999ms"), (1_500_000_000, "1.5s"), (59_999_000_000, "59.9s"), (200_000_000_000, "3m 20s"),
            (7_500_000_000_000, "2h 5m"), (273_600_000_000_000, "3d 4h"), (.max, "213503d 23h"),
        ]
        for (nanos, text) in durations { #expect(Figures.duration(nanos) == text) }
        #expect(Figures.count(0) == "0")
        #expect(Figures.count(999) == "999")
        #expect(Figures.count(1_234_567) == "1,234,567")
        #expect(Figures.count(-1_000) == "-1,000")
        #expect(Figures.count(1, "span") == "1 span")
        #expect(Figures.bytes(870) == "870 B")
        #expect(Figures.bytes(1_300_000) == "1.23 MiB")
        #expect(Figures.time(1_763_853_001_123_456_789) == "2025-11-22 23:10:01.123")
        #expect(Figures.nanos("1h30m") == 5_400_000_000_000)
        #expect(Figures.nanos("7d") == 604_800_000_000_000)
        for wrong in ["", "h", "5", "1x", "1 h", "-1h", "99999999999999999999s", "9999999999w"] {
            #expect(Figures.nanos(wrong) == nil)
        }
    }

    @Test func `a table aligns its columns and gives way where it may`() {
        var table = Table([
            .init(title: "ID"), .init(title: "N", alignment: .right), .init(title: "NAME", isElastic: true),
        ])
        table.add([.init("a"), .init("10"), .init("short")])
        table.add([.init("bcd"), .init("5"), .init(String(repeating: "x", count: 60))])
        #expect(
            table.lines(on: Terminal(width: 40, hasColor: false, hasUnicode: true)) == [
                "ID    N  NAME", "a    10  short", "bcd   5  " + String(repeating: "x", count: 30) + "…",
            ]
        )
    }

    @Test func `colours come only where they may`() {
        #expect(Self.plain.styled("a", .error) == "a")
        #expect(Self.colored.styled("a", .error) == "\u{1b}[31ma\u{1b}[0m")
        #expect(Self.colored.styled("", .error) == "")
        let forced = Terminal.standardOutput(environment: ["CLICOLOR_FORCE": "1", "LANG": "C.UTF-8", "COLUMNS": "90"])
        #expect(forced.hasColor && forced.hasUnicode)
        #expect(!Terminal.standardOutput(environment: ["CLICOLOR_FORCE": "1", "NO_COLOR": "1"]).hasColor)
        #expect(!Terminal.standardOutput(environment: ["LANG": "de_DE.ISO-8859-1"]).hasUnicode)
    }

    @Test func `a wrong query is shown with a caret under the place`() {
        let problem = Problem(
            detail: "",
            code: "invalid-query",
            position: .init(line: 2, column: 5, length: 2),
            expected: ["="],
            suggestion: "="
        )
        #expect(
            QueryDiagnosis.lines(query: "é = 1 and\n  日 == 2", problem: problem, on: Self.plain) == [
                "    日 == 2", "       ^^", "Did you mean =?",
            ]
        )
        let end = Problem(position: .init(line: 1, column: 4, length: 0), expected: ["name", "value"])
        #expect(
            QueryDiagnosis.lines(query: "a =", problem: end, on: Self.plain) == [
                "  a =", "     ^", "Expected name, value.",
            ]
        )
        let beyond = Problem(position: .init(line: 9, column: 1, length: 1))
        #expect(QueryDiagnosis.lines(query: "a", problem: beyond, on: Self.plain).isEmpty)
    }
}
