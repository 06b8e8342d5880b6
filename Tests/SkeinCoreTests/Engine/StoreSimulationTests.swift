// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinSimulation
import SkeinTestKit
import Testing

@testable import SkeinEngine

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

    @Test(arguments: 0..<4 as Range<UInt64>)
    func `late sampling leaves traces whole or gone, weighs once, and heeds pins`(lane: UInt64) async throws {
        for seed in (3_000_000 + lane * Self.seedCount)..<(3_000_000 + (lane + 1) * Self.seedCount) {
            do {
                try await LateSimulation.ofSeed(seed).run(seed: seed)
            } catch {
                Issue.record("seed \(seed): \(error)")
                return
            }
        }
    }

    /// Threads decide whether the first two come about again; the others always do.
    @Test(
        arguments: [
            (9_587, "a block left out at a start was superseded by one made of some of its segments"),
            (
                23_036,
                "spans that came back from the log became a block with new ones, and superseded the block between"
            ),
            (35_346, "the power went, the block was damaged, and what was removed came back from the log"),
            (49_388, "the power went, the block was damaged, and what was removed came back from the block before"),
        ] as [(UInt64, String)]
    )
    func `a seed that went wrong once goes right`(seed: UInt64, what: String) async throws {
        await run(seed..<(seed + 1), .rotting)
    }

    @Test func `a store that has settled writes nothing more`() async throws {
        let disk = SimulatedDisk(seed: 1)
        let store = try await EngineSupport.open(disk) { $0.headSpanCount = 10 }
        for number in 1...95 as ClosedRange<UInt64> {
            try await store.append(EngineSupport.batch(EngineSupport.span(number, number)))
        }
        await store.settle()
        let count = disk.operationCount
        try await Task.sleep(for: .milliseconds(20))
        #expect(disk.operationCount == count)
        await store.close()
    }
}
