// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinTestKit
import Testing

@testable import SkeinEngine

@Suite struct BlockSurveyTests {
    typealias S = EngineSupport
    typealias M = MaintenanceSupport

    @Test func `the list has the blocks that count, in order of arrival`() async throws {
        let disk = try await M.filledDisk(seed: 1)
        let blocks = try M.folder(disk).blocks()
        #expect(blocks.map(\.segments) == ["1-8", "9-9", "10-10"])
        #expect(blocks.map(\.byteCount) == blocks.map { disk["/data/blocks/" + $0.fileName]?.count })
        #expect(blocks.allSatisfy { $0.problem == nil && $0.spanCount > 0 && $0.traceCount > 0 })
        #expect(blocks.last?.receivedUnixNanos == 9...9)
    }

    @Test func `a block that does not open is listed with the reason`() async throws {
        let disk = try await M.filledDisk(seed: 2)
        let path = try #require(disk.paths.last { $0.hasPrefix("/data/blocks/") })
        disk[path]?.removeLast()
        let block = try #require(try M.folder(disk).blocks().last)
        #expect(block.problem == "the file does not end like a block")
        #expect(throws: StoreError.self) { try M.folder(disk).block(named: block.segments) }
    }

    @Test(arguments: ["1-8", "0000000000000001-0000000000000008", "0000000000000001-0000000000000008.block"])
    func `the parts of a block are the whole file`(name: String) async throws {
        let disk = try await M.filledDisk(seed: 3, spansEach: 40)
        let details = try M.folder(disk).block(named: name)
        #expect(details.columns.reduce(0) { $0 + $1.storedByteCount } == details.summary.byteCount)
        let values = details.columns.filter { $0.name.hasSuffix("attributes: values") }
        #expect(values.reduce(0) { $0 + $1.storedByteCount } == details.keys.reduce(0) { $0 + $1.storedByteCount })
        #expect(details.keys.map(\.storedByteCount) == details.keys.map(\.storedByteCount).sorted(by: >))
        #expect(details.keys.contains { $0.name == "span: user.id" })
        #expect(details.columns.first { $0.name == "span id" }?.valueCount == details.summary.spanCount)
    }

    @Test(arguments: ["9", "3-4", "1-8.1", "x", ""]) func `a block that is not there is not shown`(name: String)
        async throws
    {
        let disk = try await M.filledDisk(seed: 4)
        #expect(throws: StoreError.self) { try M.folder(disk).block(named: name) }
    }
}
