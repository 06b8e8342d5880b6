// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinTestKit
import Testing

@testable import SkeinEngine

/// A data folder as this format's first version wrote it, kept in `Tests/Golden`: every later version reads it.
///
/// `SKEIN_GOLDEN=write SKEIN_CORE=1 swift test --filter GoldenFolder` writes it anew, while the format is not released.
@Suite(.serialized) struct GoldenFolderTests {
    typealias S = EngineSupport

    static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../Golden/format-1").standardizedFileURL
    private static let isWritten = ProcessInfo.processInfo.environment["SKEIN_GOLDEN"] == "write"
    private static let seed: UInt64 = 1

    /// What makes two spans copies of one.
    private struct Key: Hashable {
        var trace: TraceID
        var span: SpanID
        var kind: SkeinModel.Span.Kind
    }

    /// A copy of the folder as `/data` of a simulated disk.
    private func disk() throws -> SimulatedDisk {
        let disk = SimulatedDisk(seed: 1)
        let data = Self.folder.appending(path: "data")
        let files = try #require(FileManager.default.enumerator(atPath: data.path), "the golden folder is missing")
        for case let name as String in files {
            let url = data.appending(path: name)
            guard try url.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true else { continue }
            let path = "/data/" + name
            try disk.createDirectory(StoreFolder.parent(of: path))
            disk[path] = [UInt8](try Data(contentsOf: url))
        }
        return disk
    }

    private func expected() throws -> [String] {
        try String(contentsOf: Self.folder.appending(path: "spans.txt"), encoding: .utf8)
            .split(separator: "\n").map(String.init)
    }

    private func lines(_ spans: [SkeinModel.Span]) -> [String] { spans.map(SpanText.line).sorted() }

    @Test(.enabled(if: isWritten, "SKEIN_GOLDEN=write writes the folder anew"))
    func `the golden folder is written`() async throws {
        let disk = SimulatedDisk(seed: Self.seed)
        let store = try await S.open(disk)
        // The store's rule at its plainest: of copies the one that ends later counts, of equal ends the later one.
        var kept: [Key: SkeinModel.Span] = [:]
        var nasty = NastySpans(seed: Self.seed, traceCount: 12)
        for number in 0..<12 as Range<UInt64> {
            let batch = SpanBatch(
                spans: nasty.spans(20),
                receivedUnixNanos: 1_790_000_000_000_000_000 + number * 1_000_000_000
            )
            try await store.append(batch)
            for span in batch.spans {
                let key = Key(trace: span.traceID, span: span.spanID, kind: span.kind)
                if span.endUnixNanos >= kept[key]?.endUnixNanos ?? 0 { kept[key] = span }
            }
            if number < 11 { try await store.seal() }
            if number == 7 { try await store.compact() }
        }
        await store.close()
        try? FileManager.default.removeItem(at: Self.folder)
        for path in disk.paths {
            let url = Self.folder.appending(path: String(path.dropFirst()))
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try Data(try #require(disk[path])).write(to: url)
        }
        let text = lines(Array(kept.values)).map { $0 + "\n" }.joined()
        try Data(text.utf8).write(to: Self.folder.appending(path: "spans.txt"))
    }

    @Test func `a folder of version 1 shows exactly the spans written down with it`() async throws {
        let disk = try disk()
        #expect(disk.paths.count { $0.hasPrefix("/data/blocks/") } == 4)
        #expect(disk.paths.count { $0.hasPrefix("/data/log/") } == 1)
        let report = try DataFolder("/data", disk: disk).verify()
        #expect(report.findings.isEmpty && report.blockCount == 4 && report.segmentCount == 1)
        let expected = try expected()
        #expect(expected.count > 200)
        let store = try await S.open(disk)
        #expect(store.recovery.problems.isEmpty && store.recovery.replayedSpanCount == 20)
        #expect(lines(try await S.everything(in: store)) == expected)
        try await store.seal()
        try await store.compact()
        #expect(lines(try await S.everything(in: store)) == expected)
        await store.close()
    }

    /// The file with its version one higher and its checksums right.
    private func later(_ bytes: [UInt8], isBlock: Bool) -> [UInt8] {
        var bytes = bytes
        func store(_ value: UInt64, at offset: Int) {
            for byte in 0..<8 { bytes[offset + byte] = UInt8(truncatingIfNeeded: value >> UInt64(8 * byte)) }
        }
        if isBlock {
            let trailer = bytes.count - BlockFormat.trailerByteCount
            bytes[trailer + 32] += 1
            store(Checksum.of(Array(bytes[trailer..<(trailer + 40)])), at: trailer + 40)
        } else {
            bytes[8] += 1
            store(Checksum.of(Array(bytes[..<24])), at: 24)
        }
        return bytes
    }

    @Test(arguments: ["/data/catalog", "/data/log/", "/data/blocks/"])
    func `a folder with a file of a later version is refused untouched`(kind: String) async throws {
        let disk = try disk()
        for path in disk.paths where path.hasPrefix(kind) {
            let changed = disk.copy()
            changed[path] = later(try #require(disk[path]), isBlock: kind == "/data/blocks/")
            let before = changed.copy()
            func expectRefusal(_ body: () async throws -> Void) async {
                await #expect {
                    try await body()
                } throws: {
                    ($0 as? StoreError)?.code == .unusable && "\($0)".contains("version")
                }
            }
            await expectRefusal { _ = try await S.open(changed) }
            await expectRefusal { _ = try DataFolder("/data", disk: changed).verify() }
            await expectRefusal { _ = try DataFolder("/data", disk: changed).backUp(to: "/backup") }
            #expect(changed.paths == before.paths)
            for path in before.paths { #expect(changed[path] == before[path], "\(path)") }
        }
    }
}
