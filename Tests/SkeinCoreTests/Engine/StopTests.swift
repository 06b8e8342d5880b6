// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import SkeinTestKit
import Testing

@testable import SkeinEngine

/// Stops at bad moments, one after the other.
@Suite struct StopTests {
    typealias S = EngineSupport

    @Test(arguments: 0..<24) func `a kill while sealing and a power cut at the next start lose nothing`(
        operations: Int
    ) async throws {
        let disk = SimulatedDisk(seed: UInt64(operations))
        let store = try await S.open(disk)
        try await store.append(S.batch(S.span(1, 1)))
        disk.stop(afterOperations: operations)
        try? await store.seal()
        for next in 0..<12 {
            let killed = disk.kill()
            killed.stop(afterOperations: next)
            _ = try? await S.open(killed)
            for _ in 0..<16 {
                let reopened = try await S.open(killed.crash())
                #expect(try await S.trace(1, of: reopened).count == 1, "stopped after \(operations), then \(next)")
            }
        }
    }

    @Test(arguments: 0..<16) func `a kill while the folder is made and a power cut later lose nothing`(
        operations: Int
    ) async throws {
        let disk = SimulatedDisk(seed: UInt64(operations))
        disk.stop(afterOperations: operations)
        _ = try? await S.open(disk)
        for _ in 0..<8 {
            let killed = disk.kill()
            let store = try await S.open(killed)
            try await store.append(S.batch(S.span(1, 1)))
            let reopened = try await S.open(killed.crash())
            #expect(try await S.trace(1, of: reopened).count == 1)
        }
    }

    @Test func `what a killed process had not synced is durable once the next has started`() async throws {
        for seed in 0..<20 as Range<UInt64> {
            let disk = SimulatedDisk(seed: seed)
            let store = try await S.open(disk) { $0.durability = .interval(.seconds(1)) }
            try await store.append(S.batch(S.span(1, 1)))
            let next = disk.kill()
            if seed % 2 == 1 { next.faults.syncsFailing = 1_000 }
            let second = try await S.open(next) { $0.durability = .interval(.seconds(1)) }
            next.faults.syncsFailing = 0
            if seed % 2 == 1 { try await second.seal() }
            let third = try await S.open(next.crash())
            #expect(try await S.trace(1, of: third).count == 1)
        }
    }
}
