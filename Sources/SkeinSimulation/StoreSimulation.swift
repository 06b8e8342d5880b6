// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinEngine
import SkeinModel
import SkeinStore
package import SkeinTestKit

/// The embedded store on a simulated disk, driven by a seed and compared with a model in memory.
///
/// A run opens the store some times, each time appends, seals, merges, deletes and asks, and ends the process or cuts the
/// power in the middle of it. Whatever happens, every acknowledged span is there, once, and nothing else is.
package struct StoreSimulation: Sendable {
    /// How the disk fails while the store is at work.
    package var faults: SimulatedDisk.Faults

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

    /// Spans acknowledged, and those of which nobody knows.
    private struct Model {
        var acknowledged: [TraceID: [SpanID: Span]] = [:]
        var unknown: [TraceID: [SpanID: Span]] = [:]

        mutating func acknowledge(_ spans: [Span]) {
            for span in spans { acknowledged[span.traceID, default: [:]][span.spanID] = span }
        }

        mutating func doubt(_ spans: [Span]) {
            for span in spans { unknown[span.traceID, default: [:]][span.spanID] = span }
        }

        /// Forgets the traces that hold a span of this name, for sure or perhaps.
        mutating func remove(name: String, isCertain: Bool) {
            func holds(_ spans: [SpanID: Span]?) -> Bool { spans?.values.contains { $0.name == name } ?? false }
            for (id, spans) in acknowledged where holds(spans) || holds(unknown[id]) {
                // Whether what nobody knows was there to be found, nobody knows either.
                if !isCertain || !holds(spans) { unknown[id, default: [:]].merge(spans) { known, _ in known } }
                acknowledged[id] = nil
            }
        }

        /// Compares the store with the model: all that was acknowledged is there, once, and nothing never sent is.
        func check(_ store: EmbeddedStore) async throws {
            for id in Set(acknowledged.keys).union(unknown.keys) {
                let found = try await store.trace(id)?.spans ?? []
                let ids = found.map(\.spanID)
                guard Set(ids).count == ids.count else { throw Wrong("shows a span twice") }
                for span in found {
                    let sent = acknowledged[id]?[span.spanID] ?? unknown[id]?[span.spanID]
                    guard sent == span else { throw Wrong("shows a span that was never sent: \(span)") }
                }
                let missing = Set((acknowledged[id] ?? [:]).keys).subtracting(ids)
                guard missing.isEmpty else { throw Wrong("lost \(missing.count) acknowledged spans") }
            }
            // Every trace is listed once, with the right number of spans.
            var query = SpanQuery(limit: 50)
            var listed: [TraceID: Int] = [:]
            while true {
                let page = try await store.search(query)
                for trace in page.traces {
                    guard listed[trace.traceID] == nil else { throw Wrong("lists a trace twice") }
                    listed[trace.traceID] = trace.spanCount
                }
                guard let next = page.next else { break }
                query.cursor = next
            }
            for (id, spans) in acknowledged {
                let most = Set(spans.keys).union((unknown[id] ?? [:]).keys).count
                guard (spans.count...most).contains(listed[id] ?? 0) else { throw Wrong("lists a trace wrongly") }
            }
        }
    }

    /// What the store did wrong.
    private struct Wrong: Error, CustomStringConvertible {
        var description: String

        init(_ description: String) { self.description = description }
    }

    /// Runs one seed. Throws what went wrong.
    package func run(seed: UInt64) async throws {
        var random = SeededRandom(seed: seed)
        var disk = SimulatedDisk(seed: seed)
        let clock = SimulatedClock()
        var model = Model()
        var nextID: UInt64 = 0
        var last: [Span] = []
        var isRemoved = false
        for _ in 0..<Int.random(in: 2...5, using: &random) {
            // The process may end before the store is open.
            if Int.random(in: 0..<3, using: &random) == 0 {
                disk.stop(afterOperations: Int.random(in: 0...25, using: &random))
            }
            let opened = await start(disk, clock)
            disk.stop(afterOperations: .max)
            if disk.isStopped {
                disk = end(disk, &random)
                continue
            }
            let store = try opened.get()
            try await model.check(store)
            disk.faults = faults
            if Bool.random(using: &random) { disk.stop(afterOperations: Int.random(in: 0...120, using: &random)) }
            for _ in 0..<Int.random(in: 1...30, using: &random) {
                if Int.random(in: 0..<12, using: &random) == 0 {
                    try? await store.seal()
                    continue
                }
                if Int.random(in: 0..<15, using: &random) == 0 {
                    try? await store.compact()
                    continue
                }
                if Int.random(in: 0..<40, using: &random) == 0 {
                    isRemoved = true
                    let name = "n\(Int.random(in: 0..<5, using: &random))"
                    let removal = Removal(.delete, predicate: .compare(.name, .equal, .string(name)))
                    model.remove(name: name, isCertain: (try? await store.remove(removal)) != nil)
                    last = []
                    continue
                }
                // Now and then a sender tries again what was kept.
                let isAgain = Int.random(in: 0..<8, using: &random) == 0 && !last.isEmpty
                let sent = isAgain ? last : spans(&random, &nextID)
                last = sent
                do throws(StoreError) {
                    try await store.append(SpanBatch(spans: sent))
                    model.acknowledge(sent)
                } catch {
                    model.doubt(sent)
                }
            }
            disk.faults = SimulatedDisk.Faults()
            disk.stop(afterOperations: .max)
            if !disk.isStopped { try await model.check(store) }
            if Int.random(in: 0..<4, using: &random) == 0 { await store.close() }
            disk = end(disk, &random)
        }
        let store = try await EmbeddedStore.open(configuration(disk, clock))
        try await model.check(store)
        let problems = store.recovery.problems
        guard problems.isEmpty else { throw Wrong("\(problems)") }
        // Sums outlive what is removed.
        if !isRemoved { try await checkSums(store, clock, model) }
        await store.close()
    }

    private func start(_ disk: SimulatedDisk, _ clock: SimulatedClock) async -> Result<EmbeddedStore, StoreError> {
        do throws(StoreError) {
            return .success(try await EmbeddedStore.open(configuration(disk, clock)))
        } catch {
            return .failure(error)
        }
    }

    /// The disk after the process ended: killed, or with the power cut.
    private func end(_ disk: SimulatedDisk, _ random: inout SeededRandom) -> SimulatedDisk {
        Bool.random(using: &random) ? disk.crash() : disk.kill()
    }

    /// Once all is merged, sums are those of the spans that there are.
    private func checkSums(_ store: EmbeddedStore, _ clock: SimulatedClock, _ model: Model) async throws {
        try await store.seal()
        clock.advance(by: .seconds(2 * 86_400))
        try await store.compact()
        let memory = MemoryStore()
        for id in Set(model.acknowledged.keys).union(model.unknown.keys) {
            if let trace = try await store.trace(id) { try await memory.append(trace) }
        }
        let (found, wanted) = (
            try await store.rollup(.all, step: 60_000_000_000), try await memory.rollup(.all, step: 60_000_000_000)
        )
        guard found == wanted else { throw Wrong("sums up \(found), wanted \(wanted)") }
    }

    private func configuration(_ disk: SimulatedDisk, _ clock: SimulatedClock) -> EmbeddedStore.Configuration {
        var configuration = EmbeddedStore.Configuration(directory: "/data")
        configuration.disk = disk
        configuration.clock = clock
        configuration.headSpanCount = 60
        return configuration
    }

    private func spans(_ random: inout SeededRandom, _ nextID: inout UInt64) -> [Span] {
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
