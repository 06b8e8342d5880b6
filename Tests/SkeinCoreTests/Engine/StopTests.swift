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
}
