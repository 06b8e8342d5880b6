// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinEngine
import SkeinModel
import SkeinStore
package import SkeinTestKit
import Synchronization

/// Late sampling and pins on a simulated disk, driven by a seed.
///
/// A run opens the store some times; each time it appends, seals, merges, pins, lets days pass and samples, and ends the
/// process or cuts the power in the middle of it. Whatever happens, what is stored of a trace is all of it, or all that came
/// after it was dropped or reduced to its skeleton; a span is weighed once; what was decided stays decided; and what was pinned in
/// time stays as it was.
package struct LateSimulation: Sendable {
    /// How the disk fails while the store is at work.
    private let faults: SimulatedDisk.Faults

    package init(faults: SimulatedDisk.Faults = .init()) { self.faults = faults }

    /// The simulation that `make simulate` runs for a seed: of two one on a disk that fails.
    package static func ofSeed(_ seed: UInt64) -> LateSimulation {
        seed % 2 == 0 ? LateSimulation() : LateSimulation(faults: StoreSimulation.failing.faults)
    }

    /// Runs one seed. Throws what went wrong.
    package func run(seed: UInt64) async throws {
        var run = LateRun(faults, seed: seed)
        for _ in 0..<Int.random(in: 2...5, using: &run.random) { try await run.session() }
        try await run.finish()
    }
}

/// Decides by the id alone what is dropped, and about some traces by a coin, so that who is asked twice may say something else.
private final class CoinSampler: LateSampler {
    private let random: Mutex<SeededRandom>

    init(seed: UInt64) { random = Mutex(SeededRandom(seed: seed)) }

    func round() -> any LateSamplingRound { Round(sampler: self) }
    func count(_ decision: LateDecision, traces: Int, spans: Int) {}

    private struct Round: LateSamplingRound {
        let sampler: CoinSampler
        var spans: [TraceID: Set<SpanID>] = [:]

        mutating func add(_ batch: SpanBatch, rows: [Range<Int>]) {
            for row in rows.joined() { spans[batch.traceIDs[row], default: []].insert(batch.spanIDs[row]) }
        }

        mutating func decide(received: ClosedRange<UInt64>) -> [TraceID: LateDecision] {
            defer { spans = [:] }
            var decisions: [TraceID: LateDecision] = [:]
            for (id, spans) in spans.sorted(by: { $0.key < $1.key }) { decisions[id] = sampler.decide(id, spans) }
            return decisions
        }
    }

    private func decide(_ id: TraceID, _ spans: Set<SpanID>) -> LateDecision? {
        switch LateRun.Fate(of: id) {
        case .untouched: return nil
        case .reduced:
            var skeleton = LateSkeleton()
            skeleton.leaving = spans.filter { !LateRun.isSkeleton($0) }
            for span in spans.subtracting(skeleton.leaving) { skeleton.attributes[span] = [Attribute("stays", true)] }
            return LateDecision(isKept: false, reason: "reduced", skeleton: skeleton)
        default: break
        }
        return switch LateRun.Fate(of: id) {
        case .dropped: LateDecision(isKept: false)
        case .kept: LateDecision(isKept: true, factor: 4, reason: "one of four")
        case .coin:
            random.withLock { Bool.random(using: &$0) }
                ? LateDecision(isKept: true, threshold: SamplingThreshold.end / 2, reason: "a half")
                : LateDecision(isKept: false)
        case .untouched, .reduced: nil
        }
    }
}

/// One seed under way.
private struct LateRun {
    /// What the sampler says of a trace.
    enum Fate {
        case dropped, kept, coin, reduced, untouched

        init(of id: TraceID) { self = [.dropped, .kept, .coin, .reduced, .untouched][Int(id.low % 5)] }
    }

    /// Whether a span stays when its trace is reduced.
    static func isSkeleton(_ id: SpanID) -> Bool { id.rawValue % 3 == 0 }

    private static let hotWindow = Duration.seconds(86_400)

    var random: SeededRandom
    private let faults: SimulatedDisk.Faults
    private var disk: SimulatedDisk
    private let clock = SimulatedClock(unixNanos: 1 << 60)
    private let sampler: CoinSampler
    /// What was acknowledged, and what nobody knows of.
    private var acknowledged: [TraceID: Set<SpanID>] = [:]
    private var unknown: [TraceID: Set<SpanID>] = [:]
    /// Traces that were pinned before any of their spans could be old.
    private var pinned: Set<TraceID> = []
    /// Traces of which nobody knows whether they are.
    private var perhapsPinned: Set<TraceID> = []
    /// What was seen with its last weight, and has to stay.
    private var settled: [TraceID: Set<SpanID>] = [:]
    private var nextSpan: UInt64 = 0
    private var nextTrace: UInt64 = 0

    init(_ faults: SimulatedDisk.Faults, seed: UInt64) {
        self.faults = faults
        random = SeededRandom(seed: seed)
        disk = SimulatedDisk(seed: seed)
        sampler = CoinSampler(seed: seed)
    }

    mutating func session() async throws {
        let store = try await EmbeddedStore.open(configuration)
        try await check(store)
        disk.faults = faults
        if Bool.random(using: &random) { disk.stop(afterOperations: Int.random(in: 0...200, using: &random)) }
        for _ in 0..<Int.random(in: 1...30, using: &random) { try await step(store) }
        disk.faults = .init()
        disk.stop(afterOperations: .max)
        if !disk.isStopped { try await check(store) }
        disk = Bool.random(using: &random) ? disk.crash() : disk.kill()
    }

    /// All leaves the window and is decided.
    mutating func finish() async throws {
        let store = try await EmbeddedStore.open(configuration)
        try await store.seal()
        for _ in 0..<2 {
            clock.advance(by: .seconds(2 * 86_400))
            await store.thin()
            try await store.compact()
        }
        try await check(store)
        for (id, spans) in acknowledged where !pinned.contains(id) && !perhapsPinned.contains(id) {
            let isStored = try await store.trace(id) != nil
            if Fate(of: id) == .dropped, isStored { throw Wrong("trace \(id) was not dropped") }
            if Fate(of: id) == .kept, !spans.isSubset(of: settled[id] ?? []) {
                throw Wrong("trace \(id) was not weighed")
            }
        }
        let problems = await store.status().problems
        guard problems.isEmpty else { throw Wrong("\(problems)") }
        await store.close()
    }

    // MARK: Steps

    private mutating func step(_ store: EmbeddedStore) async throws {
        switch Int.random(in: 0..<20, using: &random) {
        case 0, 1: try? await store.seal()
        case 2: try? await store.compact()
        case 3, 4: clock.advance(by: .seconds(Int.random(in: 1...30, using: &random) * 3_600))
        case 5, 6, 7: await store.thin()
        case 8: await append(to: store, of: TraceID(high: 9, low: nextTrace + 1), isPinned: true)
        default:
            await append(to: store, of: TraceID(high: 9, low: UInt64.random(in: 1...(nextTrace + 2), using: &random)))
        }
    }

    private mutating func append(to store: EmbeddedStore, of id: TraceID, isPinned: Bool = false) async {
        nextTrace = max(nextTrace, id.low)
        var sent: Set<SpanID> = []
        let spans = (0..<Int.random(in: 1...4, using: &random)).map { _ in
            nextSpan += 1
            sent.insert(SpanID(nextSpan))
            return Span(
                traceID: id,
                spanID: SpanID(nextSpan),
                name: "n\(nextSpan % 3)",
                kind: .client,
                startUnixNanos: clock.unixNanos,
                durationNanos: 5
            )
        }
        // What was pinned is whatever becomes of the spans.
        if isPinned {
            let isDone = (try? store.pins.pin(id, atUnixNanos: clock.unixNanos)) != nil
            _ = isDone ? pinned.insert(id) : perhapsPinned.insert(id)
        }
        do throws(StoreError) {
            try await store.append(SpanBatch(spans: spans, receivedUnixNanos: clock.unixNanos))
            acknowledged[id, default: []].formUnion(sent)
        } catch {
            unknown[id, default: []].formUnion(sent)
        }
    }

    // MARK: Looking

    private mutating func check(_ store: EmbeddedStore) async throws {
        // What a stop or a failure left half done is finished; after a failure blocks rest, unless somebody asks for merges.
        try await store.compact()
        await store.thin()
        for id in Set(acknowledged.keys).union(unknown.keys).subtracting(perhapsPinned).sorted() {
            try await check(id, in: store)
        }
    }

    private mutating func check(_ id: TraceID, in store: EmbeddedStore) async throws {
        let found = try await store.trace(id)?.spans ?? []
        let ids = Set(found.map(\.spanID))
        let sent = acknowledged[id] ?? []
        guard ids.count == found.count, ids.isSubset(of: sent.union(unknown[id] ?? [])) else {
            throw Wrong("trace \(id) shows spans twice, or that were never sent")
        }
        if pinned.contains(id) {
            guard ids.isSuperset(of: sent), found.allSatisfy({ $0.weight == 1 }) else {
                throw Wrong("the pinned trace \(id) is not as it was")
            }
            return
        }
        if Fate(of: id) == .reduced { return try checkReduced(id, found, sent) }
        // Numbers grow with time: what is missing went together, before the first that is there came.
        if let first = ids.min(), let missing = sent.subtracting(ids).max(), missing > first {
            throw Wrong("trace \(id) is there in part")
        }
        let weight: Double = Fate(of: id) == .coin ? 2 : 4
        guard found.allSatisfy({ $0.weight == 1 || $0.weight == weight }) else {
            throw Wrong("trace \(id) weighs \(found.map(\.weight))")
        }
        let weighed = Set(found.filter { $0.weight != 1 }.map(\.spanID))
        switch Fate(of: id) {
        case .dropped where !weighed.isEmpty: throw Wrong("trace \(id) was to be dropped and weighs")
        case .kept where !ids.isSuperset(of: sent): throw Wrong("trace \(id) lost spans")
        case .untouched where !ids.isSuperset(of: sent) || !weighed.isEmpty:
            throw Wrong("trace \(id), of which nothing was said, changed")
        default: break
        }
        guard weighed.isSuperset(of: settled[id] ?? []) else { throw Wrong("trace \(id) was decided twice") }
        // A trace that is kept has all its spans from then on; one that was dropped before begins anew.
        if !weighed.isEmpty { settled[id] = weighed }
    }

    /// Of a reduced trace what stays is there, and says so once it was decided; what went went together, before the first of the others
    /// that are there came.
    private func checkReduced(_ id: TraceID, _ found: [Span], _ sent: Set<SpanID>) throws {
        let ids = Set(found.map(\.spanID))
        guard ids.isSuperset(of: sent.filter(Self.isSkeleton)) else { throw Wrong("trace \(id) lost its skeleton") }
        guard found.allSatisfy({ $0.weight == 1 }) else { throw Wrong("the reduced trace \(id) weighs") }
        let others = sent.filter { !Self.isSkeleton($0) }
        guard let missing = others.subtracting(ids).max() else { return }
        if let first = others.intersection(ids).min(), missing > first { throw Wrong("trace \(id) is reduced in part") }
        for span in found where Self.isSkeleton(span.spanID) && span.spanID < missing {
            guard span.attributes["stays"] == true else { throw Wrong("trace \(id) does not say what became of it") }
        }
    }

    private var configuration: EmbeddedStore.Configuration {
        var configuration = EmbeddedStore.Configuration(directory: "/data")
        configuration.disk = disk
        configuration.clock = clock
        configuration.headSpanCount = 40
        configuration.lateSampling = LateSampling(hotWindow: Self.hotWindow, sampler: sampler)
        return configuration
    }
}
