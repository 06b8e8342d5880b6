// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinBase
import SkeinStore
import SkeinTestKit
import Synchronization
import Testing

@testable import SkeinEngine

/// Records that outlive the process, whatever ends it.
@Suite struct SegmentLogTests {
    private func open(_ disk: SimulatedDisk, segmentBytesMax: Int = 1 << 20) throws -> SegmentLog {
        try SegmentLog(on: disk, in: "/data/work", suffix: ".journal", segmentBytesMax: segmentBytesMax, syncs: true)
    }

    private func texts(_ log: SegmentLog) throws -> [String] {
        var texts: [String] = []
        try log.forEachRecord { _, bytes in texts.append(String(decoding: bytes, as: UTF8.self)) }
        return texts
    }

    private func append(_ log: SegmentLog, _ texts: String..., replacing: Bool = false) async throws -> [RecordPlace] {
        try await log.append(texts.map { Array($0.utf8) }, replacing: replacing).places()
    }

    @Test func `What a receipt promises survives a crash, process after process`() async throws {
        var disk = SimulatedDisk(seed: 1)
        for round in 0..<5 {
            let log = try open(disk)
            #expect(try texts(log) == (0..<round).flatMap { ["a\($0)", "b\($0)"] })
            _ = try await append(log, "a\(round)", "b\(round)")
            disk = disk.crash()
        }
        #expect(try open(disk).problems.isEmpty)
    }

    @Test func `A torn end is no error, at any byte`() async throws {
        let whole = SimulatedDisk(seed: 2)
        _ = try await append(try open(whole), "first", "second", "third")
        let path = "/data/work/0000000000000001.journal"
        let size = try whole.open(path, .read).size()
        for count in 0..<size {
            let disk = whole.copy()
            try disk.open(path, .append).truncate(to: count)
            let log = try open(disk)
            let found = try texts(log)
            #expect(found == Array(["first", "second", "third"].prefix(found.count)) && found.count < 3)
            #expect(log.problems.isEmpty)
            _ = try await append(log, "next")
            #expect(try texts(try open(disk)) == found + ["next"])
        }
    }

    @Test func `A damaged record is left out and told, the others are read`() async throws {
        let disk = SimulatedDisk(seed: 3)
        let places = try await append(try open(disk), "first", "second", "third")
        disk.flip("/data/work/0000000000000001.journal", byte: places[1].offset + 18, bit: 1)
        let log = try open(disk)
        #expect(try texts(log) == ["first", "third"])
        #expect(log.problems.count == 1)
        await #expect(throws: StoreError.self) { try await log.record(at: places[1]) }
        #expect(try await log.record(at: places[2]) == Array("third".utf8))
    }

    @Test func `Records that take the place of all others do so whole or not at all`() async throws {
        for count in 0..<30 {
            let disk = SimulatedDisk(seed: 4)
            let log = try open(disk)
            _ = try await append(log, "old 1", "old 2")
            disk.stop(afterOperations: count)
            let isDone = (try? await append(log, "new", replacing: true)) != nil
            let found = try texts(try open(disk.crash()))
            #expect(found == ["new"] || !isDone && found == ["old 1", "old 2"])
        }
    }

    @Test func `Segments end at their size, and can be removed`() async throws {
        let disk = SimulatedDisk(seed: 5)
        let log = try open(disk, segmentBytesMax: 64)
        var places: [RecordPlace] = []
        for index in 0..<10 { places += try await append(log, "record number \(index)") }
        #expect(Set(places.map(\.segment)).count > 3)
        log.removeSegments(before: places[8].segment)
        #expect(try await log.record(at: places[9]) == Array("record number 9".utf8))
        await #expect(throws: StoreError.self) { try await log.record(at: places[0]) }
    }

    @Test func `A full disk refuses, and what comes after it is kept`() async throws {
        let disk = SimulatedDisk(seed: 6)
        let log = try open(disk)
        _ = try await append(log, "before")
        disk.faults.appendsFull = 1_000
        await #expect(throws: StoreError.self) { try await self.append(log, "lost") }
        disk.faults = .init()
        _ = try await append(log, "after")
        #expect(try texts(try open(disk.crash())) == ["before", "after"])
    }

    private final class Meanwhile: Sendable {
        let isRead = Atomic<Bool>(false)
        let written = Atomic<Int>(0)
    }

    @Test func `Who reads is answered while others go on writing`() async throws {
        let disk = SimulatedDisk(seed: 7)
        let log = try open(disk, segmentBytesMax: 1 << 30)
        let place = try #require(try await append(log, "first").first)
        let meanwhile = Meanwhile()
        // So many that a minute goes by before the last one: the reader may be kept waiting by other tests.
        let most = 60_000
        // Whenever something was written, more waits already, until somebody has read.
        disk.onSync = {
            let count = meanwhile.written.add(1, ordering: .relaxed).newValue
            guard !meanwhile.isRead.load(ordering: .relaxed), count < most else { return }
            usleep(1_000)
            _ = log.append([Array("more".utf8)], replacing: false)
        }
        _ = log.append([Array("more".utf8)], replacing: false)
        #expect(try await log.record(at: place) == Array("first".utf8))
        #expect(meanwhile.written.load(ordering: .relaxed) < most)
        meanwhile.isRead.store(true, ordering: .relaxed)
    }

    @Test func `Nothing is kept, or said to be, behind a gap in a chain until it is replaced`() async throws {
        let disk = SimulatedDisk(seed: 7)
        let log = try SegmentLog(
            on: disk,
            in: "/data/work",
            suffix: ".journal",
            segmentBytesMax: 1 << 20,
            syncs: true,
            isChain: true
        )
        _ = try await append(log, "before")
        disk.faults.appendsFull = 1_000
        await #expect(throws: StoreError.self) { try await self.append(log, "lost") }
        disk.faults = .init()
        await #expect(throws: StoreError.self) { try await self.append(log) }
        await #expect(throws: StoreError.self) { try await self.append(log, "hangs in the air") }
        _ = try await append(log, "before", "lost", replacing: true)
        _ = try await append(log, "after")
        #expect(try texts(try open(disk.crash())) == ["before", "lost", "after"])
    }
}
