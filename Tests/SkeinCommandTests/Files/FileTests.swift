// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import SkeinBase
import SkeinModel
import Testing

@testable import SkeinCommand

@Suite struct FileTests {
    @Test func `arguments out of range are refused`() {
        for arguments in [
            [], ["a", "--format", "csv"], ["a", "--server-otlp", "gopher://x"], ["a", "--service", ""], ["-", "-"],
        ] {
            #expect(throws: (any Error).self, "\(arguments)") { try Import.parse(arguments) }
        }
        for arguments in [
            ["--format", "plain"], ["--limit", "0"], ["--since", "5"], ["--since", "1h", "--from", "0"],
            ["--trace", "1", "error = true"], ["--trace", "1", "--limit", "3"],
        ] { #expect(throws: (any Error).self, "\(arguments)") { try Export.parse(arguments) } }
        #expect(throws: Never.self) { try Import.parse(["a", "-", "--format", "zipkin"]) }
        #expect(throws: Never.self) { try Export.parse(["--trace", "1", "--trace", "2", "-o", "x"]) }
    }

    @Test func `progress is one line that fits`() {
        var progress = ImportProgress(
            byteCount: 50 << 20,
            totalByteCount: 200 << 20,
            spanCount: 12_345,
            elapsedNanos: 2_000_000_000
        )
        let terminal = Terminal(width: 80, hasColor: false, hasUnicode: true)
        let line = progress.line(on: terminal)
        #expect(line.hasSuffix(" 25 %  50 MiB of 200 MiB  12,345 spans  6,172/s"), "\(line)")
        #expect(line.hasPrefix("━━━━━━━─") && TerminalText.width(line) <= 80)
        #expect(TerminalText.width(progress.line(on: Terminal(width: 40, hasColor: false, hasUnicode: false))) < 60)
        progress.totalByteCount = nil
        #expect(progress.line(on: terminal) == "50 MiB  12,345 spans  6,172/s")
        progress = ImportProgress(byteCount: 0, totalByteCount: 0, spanCount: 0, elapsedNanos: 0)
        #expect(progress.line(on: terminal).contains("100 %"))
    }

    private func dryRun(_ text: String, named name: String = "spans.jsonl") async throws -> ImportReport {
        let folder = FileManager.default.temporaryDirectory.appending(path: "skein-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: name).path()
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return try await ImportRun(sender: nil).run([path]) { _ in }
    }

    @Test func `a report says what was read, what was left out, why and where`() async throws {
        var report = try await dryRun(#"{"traceId":"1","spanId":"2","startTime":1}"# + "\n{\n")
        report.elapsedNanos = 1_000_000_000
        report.files[0].name = "a\u{1b}.jsonl"
        let lines = report.summary(on: Terminal(width: 80, hasColor: false, hasUnicode: true))
        #expect(
            lines == [
                "1 span read and not sent from 1 file (45 B) in 1s, 1 spans/s", "read 1 in plain JSON",
                "1 left out (cut_off), first a␛.jsonl line 2: the file ends inside of it",
            ]
        )
        #expect(report.isWhole && report.skippedCount == 1)
        let json = String(decoding: try JSONEncoder().encode(report), as: UTF8.self)
        #expect(json.contains(#""reason":"cut_off""#) && json.contains(#""readSpanCount":1"#))
    }

    @Test func `a file that is not there is told before anything is sent`() async {
        await #expect(throws: CommandFailure.self) { try await ImportRun(sender: nil).run(["/no/such/file"]) { _ in } }
        await #expect(throws: CommandFailure.self) { try await ImportRun(sender: nil).run(["/tmp"]) { _ in } }
    }

    @Test func `a page of spans becomes a request of OTLP`() throws {
        let page = #"""
            {"traceId":"01","spanCount":3,"resources":[{"schemaUrl":"https://r","attributes":[1]},{}],
            "scopes":[{},{"schemaUrl":"https://s","name":"a\"b"}],
            "spans":[{"resource":0,"scope":1,"span":{"n":"x\u0041"}},{"resource":1,"scope":0,"span":{"n":2}},
            {"resource":0,"scope":1,"span":{"n":3}}],"next":"c"}
            """#
        let text = try SpanPageText(Data(page.utf8))
        #expect(text.next == "c" && text.spanCount == 3)
        let expected =
            #"{"resourceSpans":[{"resource":{"attributes":[1]},"scopeSpans":[{"scope":{"name":"a\"b"},"spans":["#
            + #"{"n":"x\u0041"},{"n":3}],"schemaUrl":"https://s"}],"schemaUrl":"https://r"},"#
            + #"{"resource":{},"scopeSpans":[{"scope":{},"spans":[{"n":2}]}]}]}"#
        #expect(String(decoding: text.otlp(), as: UTF8.self) == expected)
        for bad in [
            #"{"spans":[{"resource":0,"scope":0,"span":{}}]}"#, "{", #"{"spans":[7]}"#, #"{"spans":[{"resource":-1}]}"#,
        ] {
            #expect(throws: (any Error).self) { try SpanPageText(Data(bad.utf8)) }
        }
    }

    @Test func `a file has its name once it is whole`() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "skein-\(UUID().uuidString)").path()
        defer { unlink(path) }
        do {
            var target = try ExportTarget(path)
            try target.write("abc".utf8)
        }
        #expect(
            !FileManager.default.fileExists(atPath: path) && !FileManager.default.fileExists(atPath: path + ".partial")
        )
        do {
            var target = try ExportTarget(path)
            try target.write("abc".utf8)
            try target.finish()
        }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "abc")
        #expect(throws: CommandFailure.self) { _ = try ExportTarget("/no/such/folder/file").byteCount }
    }
}
