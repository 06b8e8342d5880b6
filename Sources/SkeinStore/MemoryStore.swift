// SPDX-License-Identifier: Apache-2.0
public import SkeinModel
import Synchronization

/// The store's contract in its plainest reading: spans in a dictionary, every question answered by looking at all.
///
/// It keeps nothing beyond the process. It is the model that other stores are tested against, and enough for tests and
/// demonstrations; nothing in it is fast.
public final class MemoryStore: SpanStore {
    /// One trace.
    private struct Trace {
        /// Every copy of every span, as they came.
        var arrived: [Span] = []
        var receivedUnixNanos: UInt64 = 0
        /// The trace by the contract's rule.
        private(set) var whole = SpanBatch()
        private(set) var spans: [Span] = []

        /// Works out the whole anew.
        mutating func assemble() throws(StoreError) {
            let batch = SpanBatch(spans: arrived, receivedUnixNanos: receivedUnixNanos)
            var assembly = TraceAssembly()
            assembly.add(batch, rows: 0..<batch.count)
            whole = try assembly.finish()
            spans = whole.spans
        }
    }

    private struct State {
        var traces: [TraceID: Trace] = [:]
        var services: [ExactText: Int] = [:]
        var removals: [Removal.Record] = []
    }

    private let state = Mutex(State())

    /// An empty store.
    public init() {}

    public func append(_ batch: SpanBatch) async throws(StoreError) {
        try state.withLock { state throws(StoreError) in
            for (id, spans) in Dictionary(grouping: batch.spans, by: \.traceID) {
                var trace = state.traces[id, default: Trace()]
                trace.arrived += spans
                trace.receivedUnixNanos = max(trace.receivedUnixNanos, batch.receivedUnixNanos)
                try trace.assemble()
                state.traces[id] = trace
            }
            for row in 0..<batch.count {
                let name = ExactText(batch.serviceName(at: row))
                if !name.text.isEmpty, state.services[name] == nil { state.services[name] = state.services.count }
            }
        }
    }

    public func trace(_ id: TraceID) async throws(StoreError) -> SpanBatch? {
        state.withLock { $0.traces[id] }?.whole
    }

    public func traceReader(_ id: TraceID) async throws(StoreError) -> (any TraceReader)? {
        state.withLock { $0.traces[id] }.map { BatchTraceReader($0.whole, storedSpanCount: $0.arrived.count) }
    }

    public func search(_ query: SpanQuery) async throws(StoreError) -> SearchPage {
        guard (1...10_000).contains(query.limit) else {
            throw StoreError(.limit, "limit is \(query.limit); a page holds 1 to 10,000 traces")
        }
        var page = SearchPage()
        for trace in state.withLock({ Array($0.traces.values) }) {
            try Self.checkCancelled()
            page.inspected.spanCount += trace.spans.count
            let matched = trace.spans.count { query.range.contains($0.startUnixNanos) && query.predicate.matches($0) }
            guard matched > 0 else { continue }
            let summary = TraceSummary(of: trace.whole, rows: trace.spans.indices, matchedSpanCount: matched)
            let comesAfter = query.cursor?.precedes(startUnixNanos: summary.startUnixNanos, traceID: summary.traceID)
            if comesAfter ?? true { page.traces.append(summary) }
        }
        page.traces.sort { a, b in
            a.startUnixNanos != b.startUnixNanos ? a.startUnixNanos > b.startUnixNanos : a.traceID < b.traceID
        }
        if page.traces.count > query.limit {
            page.traces.removeSubrange(query.limit...)
            page.next = page.traces.last.map { SearchCursor(startUnixNanos: $0.startUnixNanos, traceID: $0.traceID) }
        }
        return page
    }

    public func scan(
        _ range: TimeRange,
        columns: SpanColumns,
        visit: @Sendable (SpanBatch) async throws(StoreError) -> Void
    ) async throws(StoreError) {
        for trace in state.withLock({ Array($0.traces.values) }) {
            try Self.checkCancelled()
            if trace.spans.contains(where: { range.contains($0.startUnixNanos) }) { try await visit(trace.whole) }
        }
    }

    public func services(prefix: String, limit: Int) async throws(StoreError) -> NameList<ServiceName> {
        let names = state.withLock { $0.services }.map { ServiceName(name: $0.key.text, ordinal: $0.value) }
            .filter { $0.name.utf8.starts(with: prefix.utf8) }
        return NameList(names.sorted { $0.name.precedes($1.name) }, limit: limit)
    }

    public func ordinals(ofServices names: [String]) async throws(StoreError) -> [Int] {
        state.withLock { state in
            names.map { state.services[ExactText($0)] ?? ServiceName.ordinal(ofUnnumbered: $0) }
        }
    }

    public func operations(
        ofService service: String,
        prefix: String,
        limit: Int
    ) async throws(StoreError) -> NameList<Operation> {
        let ofService = stored.filter {
            $0.resource.serviceName.isExactly(service) && $0.name.utf8.starts(with: prefix.utf8)
        }
        let operations = Set(ofService.map { Operation(name: $0.name, kind: $0.kind) })
        return NameList(operations.sorted { $0.precedes($1) }, limit: limit)
    }

    public func attributeKeys(prefix: String, limit: Int) async throws(StoreError) -> NameList<AttributeKey> {
        let stored = stored
        var found: [KeyName: (types: Set<ValueType>, count: Int)] = [:]
        for span in stored {
            let owners: [(AttributeScope, [Attribute])] =
                [(.span, span.attributes)] + span.events.map { (.event, $0.attributes) }
                + span.links.map { (.link, $0.attributes) }
                // A resource or scope that has a key twice has it.
                + span.resource.attributes.map { (.resource, [$0]) }
                + span.scope.attributes.map { (.instrumentation, [$0]) }
            var isCounted: Set<KeyName> = []
            for (scope, attributes) in owners {
                for attribute in attributes where attribute.key.utf8.starts(with: prefix.utf8) {
                    let name = KeyName(scope: scope, name: ExactText(attribute.key))
                    let isNew = isCounted.insert(name).inserted || (scope != .resource && scope != .instrumentation)
                    var key = found[name, default: ([], 0)]
                    if let type = attribute.value.type { key.types.insert(type) }
                    key.count += isNew ? 1 : 0
                    found[name] = key
                }
            }
        }
        let keys = found.map { name, key in
            AttributeKey(
                scope: name.scope,
                name: name.name.text,
                types: ValueType.allCases.filter(key.types.contains),
                spanCount: key.count,
                totalSpanCount: stored.count
            )
        }
        return NameList(keys.sorted { $0.precedes($1) }, limit: limit)
    }

    private struct KeyName: Hashable {
        var scope: AttributeScope
        var name: ExactText
    }

    public func values(of field: SpanField, prefix: String, limit: Int) async throws(StoreError) -> ValueList {
        var counts: [AttributeValue: Int] = [:]
        for span in stored {
            // A span counts once for a value, however many of its events carry it.
            for value in Set(field.values(in: span)) where value != .null && value.text.utf8.starts(with: prefix.utf8) {
                counts[value, default: 0] += 1
            }
        }
        let values = counts.map { ValueCount(value: $0.key, count: $0.value) }.sorted { $0.precedes($1) }
        let count = max(0, min(limit, ValueList.countMax))
        return ValueList(Array(values.prefix(count)), isCut: values.count > count)
    }

    public func remove(_ removal: Removal) async throws(StoreError) -> Removal.Outcome {
        try removal.check()
        return try state.withLock { state throws(StoreError) in
            var outcome = Removal.Outcome()
            for (id, trace) in state.traces {
                let matching = trace.spans.filter {
                    removal.range.contains($0.startUnixNanos) && removal.predicate.matches($0)
                }
                guard !matching.isEmpty else { continue }
                switch removal.action {
                case .delete:
                    outcome.traceCount += 1
                    outcome.spanCount += trace.spans.count
                    state.traces[id] = nil
                case .redact(let keys):
                    let changedCount = matching.count { $0.redacted(keys) != $0 }
                    outcome.traceCount += changedCount > 0 ? 1 : 0
                    outcome.spanCount += changedCount
                    var redacted = trace
                    redacted.arrived = trace.spans.map { matching.contains($0) ? $0.redacted(keys) : $0 }
                    try redacted.assemble()
                    state.traces[id] = redacted
                }
            }
            state.removals.append(
                Removal.Record(
                    number: state.removals.count + 1,
                    action: removal.action,
                    range: removal.range,
                    queryText: removal.queryText,
                    requestedBy: removal.requestedBy,
                    requestedUnixNanos: 0,
                    finishedUnixNanos: 0,
                    outcome: outcome
                )
            )
            return outcome
        }
    }

    public func removalRecords() async throws(StoreError) -> [Removal.Record] { state.withLock { $0.removals } }

    public func usage() async throws(StoreError) -> [ServiceUsage] {
        Dictionary(grouping: stored) { ExactText($0.resource.serviceName) }
            .map { name, spans in
                ServiceUsage(name: name.text, spanCount: spans.count, byteCount: SpanBatch(spans: spans).byteCount)
            }
            .sorted { $0.precedes($1) }
    }

    public func rollup(_ range: TimeRange, step: UInt64?) async throws(StoreError) -> [RollupSlice] {
        var reading = PlainRollup(RollupGrid(range, stepNanos: step))
        for trace in state.withLock({ Array($0.traces.values) }) {
            try Self.checkCancelled()
            reading.add(trace.whole)
        }
        return reading.slices
    }

    public func status() async -> StoreStatus {
        var status = StoreStatus()
        let starts = stored.map(\.startUnixNanos)
        status.spanCount = starts.count
        status.oldestUnixNanos = starts.min()
        status.newestUnixNanos = starts.max()
        status.figures = ["traces": state.withLock { $0.traces.count }]
        return status
    }

    /// Every stored copy of every span.
    private var stored: [Span] { state.withLock { $0.traces.values.flatMap(\.arrived) } }

    /// Every trace, put together.
    var wholeTraces: [SpanBatch] { state.withLock { $0.traces.values.map(\.whole) } }

    static func checkCancelled() throws(StoreError) {
        if Task.isCancelled { throw StoreError(.cancelled, "the search was cancelled") }
    }
}

extension Span {
    /// The same span with the values of these keys masked.
    fileprivate func redacted(_ keys: [String]) -> Span {
        func redacted(_ attributes: [Attribute]) -> [Attribute] {
            attributes.map { attribute in
                let isNamed = keys.contains { $0.utf8.elementsEqual(attribute.key.utf8) }
                return isNamed ? Attribute(attribute.key, .string(Removal.mask)) : attribute
            }
        }
        var span = self
        span.attributes = redacted(attributes)
        span.resource.attributes = redacted(resource.attributes)
        for index in span.events.indices { span.events[index].attributes = redacted(events[index].attributes) }
        for index in span.links.indices { span.links[index].attributes = redacted(links[index].attributes) }
        return span
    }
}
