// SPDX-License-Identifier: Apache-2.0
import Dispatch
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinTestKit
import Testing

@testable import SkeinEngine

/// Disks that are full, failing, locked, read-only or of another version.
@Suite struct TroubleTests {
    typealias S = EngineSupport

    private func code(_ body: () async throws(StoreError) -> Void) async -> StoreError.Code? {
        do throws(StoreError) {
            try await body()
            return nil
        } catch {
            return error.code
        }
    }

    @Test func `a full disk refuses spans, answers queries and recovers by itself`() async throws {
        let disk = SimulatedDisk(seed: 1)
        let store = try await S.open(disk)
        try await store.append(S.batch(S.span(1, 1)))
        disk.capacity = disk.usedByteCount + 20
        for _ in 0..<3 {
            #expect(await code { () throws(StoreError) in try await store.append(S.batch(S.span(2, 2))) } == .full)
        }
        #expect(try await S.trace(1, of: store) == [S.span(1, 1)])
        #expect(await store.status().problems.contains { $0.contains("disk is full") })
        disk.capacity = .max
        try await store.append(S.batch(S.span(3, 3)))
        #expect(await store.status().problems.isEmpty)
        let reopened = try await S.open(disk.crash())
        #expect(try await S.trace(1, of: reopened).count == 1)
        #expect(try await S.trace(2, of: reopened).isEmpty)
        #expect(try await S.trace(3, of: reopened).count == 1)
    }

    @Test func `a disk too full for a block keeps the log and tries again`() async throws {
        let disk = SimulatedDisk(seed: 1)
        let store = try await S.open(disk)
        try await store.append(S.batch(S.span(1, 1)))
        disk.capacity = disk.usedByteCount + 60
        #expect(await code { () throws(StoreError) in try await store.seal() } == .full)
        #expect(try await S.trace(1, of: store).count == 1)
        #expect(await !store.status().problems.isEmpty)
        disk.capacity = .max
        try await store.seal()
        #expect(await store.status().figures["blocks"] == 1)
        #expect(await store.status().problems.isEmpty)
        #expect(try await S.trace(1, of: store).count == 1)
    }

    @Test func `a removal for which there is no room says what helps, and is told as failed`() async throws {
        let disk = SimulatedDisk(seed: 1)
        let store = try await S.open(disk)
        try await store.append(S.batch(S.span(1, 1)))
        try await store.seal()
        let removal = Removal(.delete, predicate: .true)
        for (room, isOnRecord) in [(20, false), (200, true)] {
            disk.capacity = disk.usedByteCount + room
            do throws(StoreError) {
                _ = try await store.remove(removal)
                Issue.record("it was removed with \(room) bytes left")
            } catch {
                #expect(error.code == .full && error.message.contains("make space on the disk"), "\(error)")
            }
            disk.capacity = .max
            let record = try await store.removalRecords().last
            #expect((record?.failure.contains("make space on the disk") ?? false) == isOnRecord, "\(room)")
        }
        #expect(try await S.trace(1, of: store).count == 1)
        // What failed may be finished by itself before.
        _ = try await store.remove(removal)
        #expect(try await S.trace(1, of: store).isEmpty)
    }

    @Test func `a head that cannot be emptied refuses spans before memory runs out, and recovers`() async throws {
        let disk = SimulatedDisk(seed: 7)
        let store = try await S.open(disk) { $0.headByteCount = 40_000 }
        disk.brokenFolder = "/data/blocks"
        var kept: UInt64 = 0
        while kept < 10_000,
            await code({ () throws(StoreError) in
                try await store.append(S.batch(S.span(kept, kept + 1)))
            }) == nil
        { kept += 1 }
        #expect(kept > 10 && kept < 10_000)
        #expect(await (store.status().figures["head_bytes"] ?? 0) < 4 * 40_000)
        #expect(await store.status().problems.contains { $0.contains("cannot be moved") })
        #expect(try await S.trace(3, of: store).count == 1)
        disk.brokenFolder = nil
        try await store.seal()
        try await store.append(S.batch(S.span(20_000, 20_000)))
        #expect(try await S.everything(in: store).count == Int(kept) + 1)
    }

    @Test func `an append waits for room in the head when the disk is only slow`() async throws {
        let store = try await S.open(SimulatedDisk(seed: 8)) { $0.headByteCount = 40_000 }
        for id in 0..<2_000 as Range<UInt64> { try await store.append(S.batch(S.span(id, id + 1))) }
        try await store.seal()
        #expect(await store.status().spanCount == 2_000)
        #expect(await (store.status().figures["blocks"] ?? 0) > 3)
    }

    @Test func `a failed sync is never believed later`() async throws {
        for seed in 0..<20 as Range<UInt64> {
            let disk = SimulatedDisk(seed: seed)
            let store = try await S.open(disk)
            try await store.append(S.batch(S.span(1, 1)))
            disk.faults.syncsFailing = 1_000
            #expect(
                await code { () throws(StoreError) in try await store.append(S.batch(S.span(2, 2))) } == .unavailable
            )
            disk.faults.syncsFailing = 0
            try await store.append(S.batch(S.span(3, 3)))
            let reopened = try await S.open(disk.crash())
            #expect(try await S.trace(1, of: reopened).count == 1)
            #expect(try await S.trace(3, of: reopened).count == 1)
        }
    }

    @Test func `a newer catalog, log or block is refused and left as it is`() async throws {
        let disk = try await DamageTests.filledDisk()
        for kind in ["catalog", "log/", "blocks/"] {
            let copy = disk.copy()
            let path = try #require(copy.paths.first { $0.hasPrefix("/data/" + kind) })
            var bytes = try #require(copy[path])
            if kind == "blocks/" {
                // The trailer: version at 32, its checksum at 40.
                let start = bytes.count - 56
                bytes[start + 32] = 9
                let checksum = bytes[start..<(start + 40)].withUnsafeBytes { Checksum.of($0) }
                for byte in 0..<8 {
                    bytes[start + 40 + byte] = UInt8(truncatingIfNeeded: checksum >> (8 * UInt64(byte)))
                }
            } else {
                bytes[8] = 9
                let checksum = bytes[..<24].withUnsafeBytes { Checksum.of($0) }
                for byte in 0..<8 { bytes[24 + byte] = UInt8(truncatingIfNeeded: checksum >> (8 * UInt64(byte))) }
            }
            copy[path] = bytes
            let before = copy.paths.map { copy[$0] }
            do throws(StoreError) {
                _ = try await EmbeddedStore.open(S.configuration(copy))
                Issue.record("a newer \(kind) was opened")
            } catch {
                #expect(error.code == .unusable && error.message.contains("version"))
            }
            #expect(copy.paths.map { copy[$0] } == before)
        }
    }

    @Test func `a closed store lets its folder go`() async throws {
        let disk = SimulatedDisk(seed: 6)
        let store = try await S.open(disk)
        try await store.append(S.batch(S.span(1, 1)))
        await store.close()
        let next = try await S.open(disk)
        #expect(try await S.everything(in: next).count == 1)
        #expect(await store.status().spanCount == 1)
    }

    @Test func `a read-only folder is refused with clear words`() async throws {
        let disk = try await DamageTests.filledDisk()
        disk.isReadOnly = true
        do throws(StoreError) {
            _ = try await EmbeddedStore.open(S.configuration(disk))
            Issue.record("a read-only folder was opened")
        } catch {
            #expect(error.code == .unusable && error.message.contains("cannot be written"))
        }
    }

    @Test func `with interval durability the loss is younger than the interval`() async throws {
        let clock = SimulatedClock()
        let disk = SimulatedDisk(seed: 3)
        var configuration = S.configuration(disk, clock)
        configuration.durability = .interval(.seconds(1))
        let store = try await EmbeddedStore.open(configuration)
        let running = Task { await store.run() }
        try await store.append(S.batch(S.span(1, 1)))
        while clock.sleeperCount < 2 { await Task.yield() }
        #expect(await store.status().figures["log_syncs"] == 0)
        clock.advance(by: .seconds(1))
        while await store.status().figures["log_syncs"] == 0 { await Task.yield() }
        try await store.append(S.batch(S.span(2, 2)))
        running.cancel()
        await running.value
        let reopened = try await S.open(disk.crash())
        #expect(try await S.trace(1, of: reopened).count == 1)
    }

    @Test func `with interval durability a segment given up unsynced becomes a block`() async throws {
        for seed in 0..<10 as Range<UInt64> {
            let clock = SimulatedClock()
            let disk = SimulatedDisk(seed: seed)
            var configuration = S.configuration(disk, clock)
            configuration.durability = .interval(.seconds(1))
            let store = try await EmbeddedStore.open(configuration)
            let running = Task { await store.run() }
            try await store.append(S.batch(S.span(1, 1)))
            disk.faults.appendsFailing = 1_000
            #expect(
                await code { () throws(StoreError) in try await store.append(S.batch(S.span(2, 2))) } == .unavailable
            )
            disk.faults.appendsFailing = 0
            var waits = 0
            while await store.status().figures["blocks"] == 0, waits < 100 {
                waits += 1
                clock.advance(by: .seconds(1))
                try await Task.sleep(for: .milliseconds(1))
            }
            running.cancel()
            await running.value
            let reopened = try await S.open(disk.crash())
            #expect(try await S.trace(1, of: reopened).count == 1)
        }
    }

    @Test func `the status does not wait for a slow device`() async throws {
        let disk = SimulatedDisk(seed: 9)
        let store = try await S.open(disk)
        let (started, gate) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        disk.onSync = {
            started.signal()
            _ = gate.wait(timeout: .now() + 60)
        }
        let append = Task { try await store.append(S.batch(S.span(1, 1))) }
        await withCheckedContinuation { going in
            DispatchQueue.global().async {
                started.wait()
                going.resume()
            }
        }
        let duration = await ContinuousClock().measure { _ = await store.status() }
        // While the device is held, for as long as a minute.
        #expect(duration < .seconds(30))
        gate.signal()
        try await append.value
    }

    @Test func `a block whose bytes rot while open fails the query and nothing else`() async throws {
        let disk = SimulatedDisk(seed: 4)
        let store = try await S.open(disk)
        try await store.append(S.batch(S.span(1, 1)))
        try await store.seal()
        try await store.append(S.batch(S.span(2, 2)))
        disk.faults.readsFailing = 1_000
        #expect(await code { () throws(StoreError) in _ = try await store.search(SpanQuery()) } == .io)
        disk.faults.readsFailing = 0
        #expect(try await S.everything(in: store).count == 2)
    }

    @Test func `a cancelled search stops and says so`() async throws {
        let store = try await S.open(SimulatedDisk(seed: 5))
        for id in 1...50 as ClosedRange<UInt64> { try await store.append(S.batch(S.span(id, id))) }
        let task = Task { () -> StoreError.Code? in
            while !Task.isCancelled { await Task.yield() }
            return await code { () throws(StoreError) in _ = try await store.search(SpanQuery()) }
        }
        task.cancel()
        #expect(await task.value == .cancelled)
    }
}
