// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// What every file of ours has in common, whoever wrote it.
struct TextTests {
    /// Files whose content a program wrote; they may be as long as they like.
    static let generated: Set<String> = ["Sources/CSkeinWeb/files.c"]

    static let code = [".swift", ".c", ".h", ".js", ".mjs", ".css", ".py", ".sh", ".modulemap"]

    static func sources() throws -> [House.File] { try House.files(in: "", ending: code) }

    @Test func `every source file opens with its licence line`() throws {
        for file in try Self.sources() {
            // A script's first line names its interpreter.
            let head = file.lines.prefix(2).drop { $0.hasPrefix("#!") || $0.hasPrefix("// swift-tools-version") }
            #expect(
                head.first?.contains("SPDX-License-Identifier: Apache-2.0") == true,
                "\(file) lacks its licence line"
            )
        }
    }

    @Test func `no file of code is longer than 600 lines`() throws {
        for file in try Self.sources() where !Self.generated.contains(file.path) {
            #expect(file.lines.count <= 600, "\(file) has \(file.lines.count) lines: look for the second noun in it")
        }
    }

    @Test func `nothing is left to do in the text`() throws {
        // Spelt apart, so that this file passes its own test.
        let words: [String] = ["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"]
        let pattern = try Regex("\\b(?:\(words.joined(separator: "|")))\\b")
        for file in try House.files(in: "", ending: Self.code + [".md", ".html", "Makefile", "run"]) {
            for (index, line) in file.lines.enumerated() where line.contains(pattern) {
                Issue.record("\(file):\(index + 1) leaves something to do: \(line.prefix(100))")
            }
        }
    }

    @Test func `no line ends in blanks and every file ends in one newline`() throws {
        for file in try Self.sources() {
            #expect(file.text.hasSuffix("\n") && !file.text.hasSuffix("\n\n"), "\(file) does not end in one newline")
            for (index, line) in file.lines.enumerated() where line.hasSuffix(" ") || line.hasSuffix("\t") {
                Issue.record("\(file):\(index + 1) ends in blanks")
            }
        }
    }

    @Test func `tests that a document names are there`() throws {
        let tests = try House.files(in: "Tests", ending: [".swift", ".py"]).map(\.text).joined(separator: "\n")
        let document = try #require(try House.files(in: "", ending: [".md"]).first { $0.path == "docs/mcp-proxy.md" })
        let names = document.lines.filter { $0.hasPrefix("| ") }.dropFirst().flatMap { line in
            line.split(separator: "|").last.map { $0.split(separator: "`") } ?? []
        }
        .filter { $0.contains { $0.isLetter } }
        #expect(names.count > 30)
        for name in names {
            let ways = ["func `\(name)`", "@Test(\"\(name)\"", "def \(name)("]
            #expect(ways.contains { tests.contains($0) }, "docs/mcp-proxy.md names a test that is not there: \(name)")
        }
    }

    @Test func `links in documents lead somewhere`() throws {
        let link = /\]\(([^)\s]+)(?: "[^"]*")?\)/
        for file in try House.files(in: "", ending: [".md"]) {
            let folder = House.root.appending(path: file.path).deletingLastPathComponent()
            for target in file.text.matches(of: link).map({ String($0.1) }) {
                if target.contains("://") || target.hasPrefix("mailto:") { continue }
                let parts = target.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
                let page =
                    parts[0].isEmpty
                    ? House.root.appending(path: file.path)
                    : folder.appending(path: String(parts[0])).standardizedFileURL
                #expect(
                    page.path().hasPrefix(House.root.standardizedFileURL.path())
                        && FileManager.default.fileExists(atPath: page.path(percentEncoded: false)),
                    "\(file) links to \(target), which is not there"
                )
                if parts.count == 2, page.pathExtension == "md",
                    let text = try? String(contentsOf: page, encoding: .utf8)
                {
                    #expect(
                        Self.anchors(in: text).contains(String(parts[1])),
                        "\(file) links to \(target): no such heading"
                    )
                }
            }
        }
    }

    /// The anchors that a renderer gives the headings of a document: lower case, blanks to hyphens, signs dropped.
    static func anchors(in text: String) -> Set<String> {
        Set(
            text.matches(of: /^#{1,6} +(.+)$/.anchorsMatchLineEndings()).map { heading in
                String(
                    heading.1.lowercased().compactMap { character -> Character? in
                        if character == " " { return "-" }
                        return character.isLetter || character.isNumber || "-_".contains(character) ? character : nil
                    }
                )
            }
        )
    }
}
