// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinEngine
import SkeinModel
import SkeinStore
package import SkeinTestKit

/// The embedded store on a simulated disk, driven by a seed and compared with a model in memory.
///
/// A run opens the store some times, each time appends, seals, merges, deletes and asks, and ends the process or cuts the
/// power in the middle of it. Whatever happens, every acknowledged span is there, once, and nothing else is. Where bits of a
/// file are flipped or reads fail, an answer may be an error instead, and a start may set the file aside and say so; what is
/// not in that file is there as before.
package struct StoreSimulation: Sendable {
    /// How the disk fails while the store is at work.
    package var faults: SimulatedDisk.Faults
    /// Whether bits of files are flipped now and then.
    package var rots = false

    /// A simulation on a disk that fails so.
    package init(faults: SimulatedDisk.Faults = .init()) { self.faults = faults }

    /// A disk of which one operation in about thirty fails.
    package static let failing: StoreSimulation = {
        var faults = SimulatedDisk.Faults()
        faults.appendsFull = 20
        faults.appendsFailing = 20
        faults.syncsFailing = 30
        faults.namesFailing = 20
        return StoreSimulation(faults: faults)
    }()

    /// A disk that flips bits, and of which some reads fail.
    package static let rotting: StoreSimulation = {
        var faults = SimulatedDisk.Faults()
        faults.readsFailing = 15
        var simulation = StoreSimulation(faults: faults)
        simulation.rots = true
        return simulation
    }()

    /// The simulation that `make simulate` runs for a seed.
    package static func ofSeed(_ seed: UInt64) -> StoreSimulation {
        [StoreSimulation(), failing, rotting][Int(seed % 3)]
    }

    /// Runs one seed. Throws what went wrong.
    package func run(seed: UInt64) async throws {
        var run = Run(self, seed: seed)
        for _ in 0..<Int.random(in: 2...5, using: &run.random) { try await run.session() }
        try await run.finish()
    }
}

/// One seed under way.
private struct Run {
    private let simulation: StoreSimulation
    var random: SeededRandom
    private var disk: SimulatedDisk
    private let clock = SimulatedClock()
    private var model = Model()
    private var nextID: UInt64 = 0
    private var last: [Span] = []
    private var isRemoved = false

    init(_ simulation: StoreSimulation, seed: UInt64) {
        self.simulation = simulation
        random = SeededRandom(seed: seed)
        disk = SimulatedDisk(seed: seed)
    }

    /// From a start to the end of the process, or of the machine.
    mutating func session() async throws {
        if simulation.rots, happens(1, in: 3) { try await rot(under: nil) }
        // The process may end before the store is open, having put aside what is damaged, and say nothing of it.
        if happens(1, in: 3) { disk.stop(afterOperations: Int.random(in: 0...25, using: &random)) }
        let readsFail = simulation.rots && happens(1, in: 3)
        disk.faults.readsFailing = readsFail ? simulation.faults.readsFailing : 0
        var opened = await start()
        disk.faults = SimulatedDisk.Faults()
        disk.stop(afterOperations: .max)
        if disk.isStopped {
            model.noteReport()
            end()
            return
        }
        // A start that failed because of a read works when the device does.
        if readsFail, case .failure = opened {
            model.noteReport()
            opened = await start()
        }
        let store = try opened.get()
        note(store)
        let leavesOut = readsFail && !store.recovery.problems.isEmpty
        try await model.check(store, mayMiss: leavesOut)
        disk.faults = simulation.faults
        if Bool.random(using: &random) { disk.stop(afterOperations: Int.random(in: 0...120, using: &random)) }
        for _ in 0..<Int.random(in: 1...30, using: &random) { try await step(store, leavesOut) }
        disk.faults = SimulatedDisk.Faults()
        disk.stop(afterOperations: .max)
        if !disk.isStopped { try await model.check(store, mayMiss: leavesOut) }
        if happens(1, in: 4) { await store.close() }
        end()
    }

    /// A last start, on a disk that works.
    mutating func finish() async throws {
        let store = try await start().get()
        note(store)
        try await model.check(store)
        let problems = store.recovery.problems
        guard problems.isEmpty || model.isDamaged else { throw Wrong("\(problems)") }
        // Sums outlive what is removed.
        if !isRemoved, !model.mayMiss { try await checkSums(store) }
        await store.close()
    }

    // MARK: Steps

    private mutating func step(_ store: EmbeddedStore, _ leavesOut: Bool) async throws {
        if happens(1, in: 12) {
            try? await store.seal()
            return
        }
        if happens(1, in: 15) {
            try? await store.compact()
            return
        }
        if happens(1, in: 40) { return await remove(from: store, leavesOut) }
        if simulation.rots, !disk.isStopped {
            if happens(1, in: 60) { return try await rot(under: store) }
            if happens(1, in: 20) { return try await model.check(store, mayFail: true, mayMiss: leavesOut) }
        }
        // Now and then a sender tries again what was kept.
        let isAgain = happens(1, in: 8) && !last.isEmpty
        let sent = isAgain ? last : spans()
        last = sent
        do throws(StoreError) {
            try await store.append(SpanBatch(spans: sent))
            model.acknowledge(sent)
        } catch {
            model.doubt(sent)
        }
    }

    private mutating func remove(from store: EmbeddedStore, _ leavesOut: Bool) async {
        isRemoved = true
        let name = "n\(Int.random(in: 0..<5, using: &random))"
        let removal = Removal(.delete, predicate: .compare(.name, .equal, .string(name)))
        let isDone = (try? await store.remove(removal)) != nil
        model.remove(name: name, isCertain: isDone && !leavesOut)
        last = []
    }

    /// Flips a bit of some file, open or not. What the files hold without it can be said only while `store`, if there is one,
    /// does not write, and of what the device has for good.
    private mutating func rot(under store: EmbeddedStore?) async throws {
        if let store {
            await store.settle()
            guard !disk.isStopped else { return }
        } else {
            disk = disk.copy(seed: nextID)
        }
        let paths = disk.paths.filter { !$0.hasSuffix("/LOCK") && !$0.contains("/quarantine/") }
        guard let path = paths.randomElement(using: &random), let count = disk[path]?.count, count > 0 else { return }
        // What a store would still answer without the file, that it must answer with a damaged one; but for traces of which
        // the file has spans, too. A start removes what a block was made of before it reads more of that than the end.
        let without = try await open { $0 != path && !Self.supersedes(path, $0) }
        let alone = try await open { $0 == path || !$0.hasPrefix("/data/blocks/") && !$0.hasPrefix("/data/log/") }
        try await model.damage(path, without: without, alone: alone)
        await without.close()
        await alone.close()
        disk.flip(path, byte: Int.random(in: 0..<count, using: &random), bit: Int.random(in: 0..<8, using: &random))
    }

    /// Whether the first file is a block that was made of the other, a block or a log segment; see docs/format.md.
    private static func supersedes(_ path: String, _ other: String) -> Bool {
        /// First and last segment and generation.
        func numbers(_ path: String) -> [UInt64] {
            guard let name = path.split(separator: "/").last else { return [] }
            let numbers = name.split { $0 == "-" || $0 == "." }.compactMap { UInt64($0) }
            if path.hasPrefix("/data/log/"), numbers.count == 1 { return [numbers[0], numbers[0], 0] }
            return numbers.count == 2 ? numbers + [0] : numbers
        }
        guard path.hasPrefix("/data/blocks/"), other.hasPrefix("/data/blocks/") || other.hasPrefix("/data/log/") else {
            return false
        }
        let (made, of) = (numbers(path), numbers(other))
        guard made.count == 3, of.count == 3, path != other else { return false }
        let isNewer = other.hasPrefix("/data/log/") || made[2] > of[2] || made[..<2] != of[..<2]
        return made[0] <= of[0] && of[1] <= made[1] && isNewer
    }

    /// A store of the files that there are now and `isKept` names.
    private func open(_ isKept: (String) -> Bool) async throws -> EmbeddedStore {
        let copy = disk.copy()
        for path in copy.paths where !isKept(path) { copy[path] = nil }
        return try await EmbeddedStore.open(configuration(copy))
    }

    // MARK: Parts

    private mutating func happens(_ times: Int, in count: Int) -> Bool {
        Int.random(in: 0..<count, using: &random) < times
    }

    private mutating func note(_ store: EmbeddedStore) {
        let report = store.recovery
        if !report.problems.isEmpty || report.quarantinedCount > 0 || report.tornByteCount > 0 {
            model.noteReport()
        }
    }

    private func start() async -> Result<EmbeddedStore, StoreError> {
        do throws(StoreError) {
            return .success(try await EmbeddedStore.open(configuration(disk)))
        } catch {
            return .failure(error)
        }
    }

    /// Ends the process: killed, or with the power cut.
    private mutating func end() { disk = Bool.random(using: &random) ? disk.crash() : disk.kill() }

    /// Once all is merged, sums are those of the spans that there are.
    private func checkSums(_ store: EmbeddedStore) async throws {
        try await store.seal()
        clock.advance(by: .seconds(2 * 86_400))
        try await store.compact()
        let memory = MemoryStore()
        for id in model.traceIDs {
            if let trace = try await store.trace(id) { try await memory.append(trace) }
        }
        let (found, wanted) = (
            try await store.rollup(.all, step: 60_000_000_000), try await memory.rollup(.all, step: 60_000_000_000)
        )
        guard found == wanted else { throw Wrong("sums up \(found), wanted \(wanted)") }
    }

    private func configuration(_ disk: SimulatedDisk) -> EmbeddedStore.Configuration {
        var configuration = EmbeddedStore.Configuration(directory: "/data")
        configuration.disk = disk
        configuration.clock = clock
        configuration.headSpanCount = 60
        return configuration
    }

    private mutating func spans() -> [Span] {
        let trace = UInt64.random(in: 1...40, using: &random)
        return (0..<Int.random(in: 1...12, using: &random)).map { _ in
            nextID += 1
            var span = Span(
                traceID: TraceID(high: 7, low: Bool.random(using: &random) ? trace : trace % 5 + 1),
                spanID: SpanID(nextID),
                name: "n\(nextID % 5)",
                kind: .client,
                startUnixNanos: UInt64.random(in: 1_000...9_000, using: &random),
                durationNanos: 5
            )
            span.attributes = [Attribute("id", .int(Int64(nextID)))]
            span.resource = Resource(attributes: [Attribute("service.name", .string("s\(nextID % 3)"))])
            return span
        }
    }
}
