// SPDX-License-Identifier: Apache-2.0
package import SkeinModel
package import SkeinStore
import Synchronization

/// Tells those who watch which traces got spans a moment ago.
///
/// Costs nothing while nobody watches. A watcher says what a span must satisfy for its trace to be worth a look, and then
/// is told of every span of that trace: what it asks may hold only once others have come. Of a watcher that falls behind,
/// traces are dropped and counted.
package final class LiveTraces: Sendable {
    /// Traces that wait for a watcher, at most.
    package static let waitingCountMax = 1_000
    /// Spans that wait for a watcher that asks for them, at most.
    package static let waitingSpanCountMax = 10_000

    private let watchers = Mutex<[UInt64: Watcher]>([:])
    private let nextNumber = Atomic<UInt64>(0)

    package init() {}

    /// Shows the spans of a batch that was stored.
    package func note(_ batch: SpanBatch) {
        let watchers = watchers.withLock { $0.isEmpty ? [] : Array($0.values) }
        for watcher in watchers { watcher.note(batch) }
    }

    /// How many watch.
    package var watcherCount: Int { watchers.withLock { $0.count } }

    /// Begins to watch for traces with a span that satisfies `predicate`, and with `namingSpans` for the spans of them that
    /// come from now on. Ends with ``Watcher/stop()``.
    package func watch(for predicate: SpanPredicate, namingSpans: Bool = false) -> Watcher {
        let number = nextNumber.add(1, ordering: .relaxed).oldValue
        let watcher = Watcher(CompiledPredicate(predicate), namesSpans: namingSpans) { [weak self] in
            self?.watchers.withLock { $0[number] = nil }
        }
        watchers.withLock { $0[number] = watcher }
        return watcher
    }

    /// One who watches.
    package final class Watcher: Sendable {
        private let predicate: CompiledPredicate
        private let namesSpans: Bool
        private let end: @Sendable () -> Void
        private let state = Mutex(State())

        fileprivate struct State {
            var order: [TraceID] = []
            var known: Set<TraceID> = []
            var droppedCount = 0
            var spans: [TraceID: [SpanID]] = [:]
            var spanCount = 0
            /// Traces with a span that satisfied the predicate.
            var seen = SeenTraces()
        }

        fileprivate init(_ predicate: CompiledPredicate, namesSpans: Bool, end: @escaping @Sendable () -> Void) {
            self.predicate = predicate
            self.namesSpans = namesSpans
            self.end = end
        }

        /// Watches no more.
        package func stop() { end() }

        fileprivate func note(_ batch: SpanBatch) {
            guard let rows = try? BatchScan.rows(of: batch, in: .all, matching: predicate) else { return }
            state.withLock { state in
                guard !rows.isEmpty || !state.seen.isEmpty else { return }
                if namesSpans { return state.noteSpans(of: batch, rows) }
                var last: TraceID?
                for row in 0..<batch.count {
                    let id = batch.traceIDs[row]
                    guard rows[row] || id != last && state.seen.contains(id) else { continue }
                    if id == last { continue }
                    last = id
                    state.seen.insert(id)
                    guard state.order.count < LiveTraces.waitingCountMax else {
                        if !state.known.contains(id) { state.droppedCount += 1 }
                        continue
                    }
                    if state.known.insert(id).inserted { state.order.append(id) }
                }
            }
        }

        /// The spans that were noted since the last call, and how many were dropped.
        package func takeSpans() -> (spans: [TraceID: [SpanID]], droppedCount: Int) {
            state.withLock { state in
                defer { (state.spans, state.spanCount, state.droppedCount) = ([:], 0, 0) }
                return (state.spans, state.droppedCount)
            }
        }

        /// The traces that were noted since the last call, in order, and how many were dropped.
        package func take() -> (traces: [TraceID], droppedCount: Int) {
            state.withLock { state in
                defer { (state.order, state.known, state.droppedCount) = ([], [], 0) }
                return (state.order, state.droppedCount)
            }
        }
    }
}

extension LiveTraces.Watcher.State {
    /// Notes every span of the traces that hold one of `rows`.
    fileprivate mutating func noteSpans(of batch: SpanBatch, _ rows: RowSet) {
        for row in 0..<batch.count where rows[row] { seen.insert(batch.traceIDs[row]) }
        for row in 0..<batch.count where seen.contains(batch.traceIDs[row]) {
            guard spanCount < LiveTraces.waitingSpanCountMax else {
                droppedCount += 1
                continue
            }
            spans[batch.traceIDs[row], default: []].append(batch.spanIDs[row])
            spanCount += 1
        }
    }
}

/// The traces that were seen lately: the last sixteen thousand at least, in a megabyte.
private struct SeenTraces {
    private static let countMax = 16 << 10
    private var recent: Set<TraceID> = []
    private var older: Set<TraceID> = []

    var isEmpty: Bool { recent.isEmpty && older.isEmpty }

    func contains(_ id: TraceID) -> Bool { recent.contains(id) || older.contains(id) }

    mutating func insert(_ id: TraceID) {
        if recent.count >= Self.countMax { (older, recent) = (recent, []) }
        recent.insert(id)
    }
}
