// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinSimulation
import Testing

@Suite struct StoreSimulationTests {
    /// Seeds of each lane; `make simulate SEEDS=100000` looks longer.
    private static let seedCount =
        ProcessInfo.processInfo.environment["SKEIN_SEEDS"].flatMap { UInt64($0) } ?? 10

    /// Fails with the seed in the words, so that it can be run again by itself.
    private func run(_ seeds: Range<UInt64>, _ simulation: StoreSimulation) async {
        for seed in seeds {
            do {
                try await simulation.run(seed: seed)
            } catch {
                Issue.record("seed \(seed): \(error)")
                return
            }
        }
    }

    @Test(arguments: 0..<4 as Range<UInt64>)
    func `no acknowledged span is lost when the power goes`(lane: UInt64) async throws {
        let first = lane * Self.seedCount
        await run(first..<(first + Self.seedCount), StoreSimulation())
    }

    @Test(arguments: 0..<4 as Range<UInt64>)
    func `no acknowledged span is lost when the disk fails too`(lane: UInt64) async throws {
        let first = 1_000_000 + lane * Self.seedCount
        await run(first..<(first + Self.seedCount), .failing)
    }

    @Test(arguments: 0..<4 as Range<UInt64>)
    func `flipped bits and reads that fail are told, and take nothing else with them`(lane: UInt64) async throws {
        let first = 2_000_000 + lane * Self.seedCount
        await run(first..<(first + Self.seedCount), .rotting)
    }
}
