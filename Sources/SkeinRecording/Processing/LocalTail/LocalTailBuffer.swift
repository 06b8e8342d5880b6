// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinPropagation

/// Spans that wait for the decision about their trace, and the decisions made lately. A value without clock or lock.
struct LocalTailBuffer: Sendable {
    /// Traces that are known to go on while none of their spans has ended.
    private static let openTraceCountMax = 50_000
    /// Entries of the queue that may be of decided traces, beside twice as many as wait.
    private static let queueSlack = 1_024
    /// Decisions that are remembered at least; at most twice as many are.
    private static let decisionCountMax = 16_384

    /// Why a trace is decided.
    enum Occasion {
        case complete, due, full, shutdown

        /// What is said of a decision that was made before its time.
        var haste: String {
            switch self {
            case .complete, .due: ""
            case .full: ", early: full"
            case .shutdown: ", early: shutdown"
            }
        }
    }

    private struct Trace {
        var spans: [FinishedSpan] = []
        var digest: LocalTailPolicies.Digest
        var openRoots = OpenRoots()
        var openSinceNanos: UInt64 = 0
        /// The span that says the reason, and whether it is a local root.
        var chief = SpanID.zero
        var isChiefRoot = false
        /// Tells it from an earlier one of the same id in ``queue``.
        var serial: UInt64 = 0
    }

    /// Local roots of a trace that have started since it waits, and have not ended. Of a root that started before, while the trace
    /// waited for an earlier decision, the end says nothing.
    private struct OpenRoots {
        /// More are not waited for.
        private static let countMax = 1_024

        /// Most traces have one.
        private var first = SpanID.zero
        private var others: Set<SpanID> = []

        var isEmpty: Bool { !first.isValid && others.isEmpty }

        mutating func insert(_ id: SpanID) {
            if !first.isValid {
                first = id
            } else if others.count < Self.countMax {
                others.insert(id)
            }
        }

        mutating func remove(_ id: SpanID) {
            if first == id { first = .zero } else { others.remove(id) }
        }
    }

    /// A trace of which a span has ended.
    private struct Queued {
        var id: TraceID
        var serial: UInt64
        var dueNanos: UInt64
    }

    private enum Decision {
        case kept(TailKeeping)
        case dropped
    }

    private var policies: LocalTailPolicies
    private let spanCountMax: Int
    private let waitNanos: UInt64
    private var traces: [TraceID: Trace] = [:]
    /// In the order in which their first spans ended; those before ``queueStart``, and those whose serial is not that of their
    /// trace, are decided.
    private var queue: [Queued] = []
    private var queueStart = 0
    private var lastSerial: UInt64 = 0
    private var decisions: [TraceID: Decision] = [:]
    private var olderDecisions: [TraceID: Decision] = [:]
    private var isClosed = false
    private(set) var counts = LocalTailCounts()
    var departure = LocalTailDeparture()
    /// Spans that count within the bound.
    private var heldCount: Int { counts.waitingSpans + departure.count }
    var isFull: Bool { heldCount >= spanCountMax }

    init(_ policies: LocalTailPolicies, spanCountMax: Int, waitNanos: UInt64) {
        self.policies = policies
        self.spanCountMax = max(spanCountMax, 1)
        self.waitNanos = waitNanos
    }

    /// Notes that a local root has started. Of a trace that was dropped a new decision is made.
    mutating func startRoot(_ context: SpanContext, nanos: UInt64) {
        guard !isClosed else { return }
        let id = context.traceID
        if let index = traces.index(forKey: id) {
            if traces.values[index].openRoots.isEmpty { traces.values[index].openSinceNanos = nanos }
            traces.values[index].openRoots.insert(context.spanID)
            return
        }
        if case .kept = decision(of: id) { return }
        guard traces.count - Self.openTraceCountMax < spanCountMax else { return }
        var trace = Trace(digest: .init(), openSinceNanos: nanos)
        trace.openRoots.insert(context.spanID)
        traces[id] = trace
        counts.waitingTraces += 1
    }

    /// Takes a span that has ended and meets these policies.
    mutating func add(_ span: FinishedSpan, met: LocalTailPolicies.Met, isLocalRoot: Bool, nanos: UInt64) {
        guard !isClosed else {
            counts.droppedSpans[.shutdown, default: 0] += 1
            return
        }
        let context = span.spanContext
        let id = context.traceID
        if traces[id] == nil, case .dropped = decision(of: id) {
            counts.droppedSpans[.late, default: 0] += 1
            return
        }
        while isFull, let first = popFirst() { decide(first, .full, nanos: nanos) }
        guard !isFull else { return drop(context, isLocalRoot: isLocalRoot) }
        guard let index = traces.index(forKey: id) ?? begin(with: span, id) else { return }
        if traces.values[index].spans.isEmpty { traces.values[index].serial = enqueue(id, nanos: nanos) }
        let isComplete = Self.add(span, context, met, isLocalRoot: isLocalRoot, to: &traces.values[index])
        counts.waitingSpans += 1
        if isComplete { decide(id, .complete, nanos: nanos) }
    }

    /// Drops a span that has ended while those that wait to be passed on leave no room. No trace has spans then.
    private mutating func drop(_ context: SpanContext, isLocalRoot: Bool) {
        counts.droppedSpans[.behind, default: 0] += 1
        guard isLocalRoot, let index = traces.index(forKey: context.traceID) else { return }
        traces.values[index].openRoots.remove(context.spanID)
        guard traces.values[index].openRoots.isEmpty else { return }
        traces.remove(at: index)
        counts.waitingTraces -= 1
    }

    /// Begins a trace with a span that has ended; `nil` where the trace was decided, and the span follows.
    private mutating func begin(with span: FinishedSpan, _ id: TraceID) -> [TraceID: Trace].Index? {
        switch decision(of: id) {
        case .kept(let keeping):
            counts.lateKeptSpans += 1
            departure.append(span.kept(by: keeping))
            return nil
        case .dropped:
            counts.droppedSpans[.late, default: 0] += 1
            return nil
        case nil:
            traces[id] = Trace(digest: .init())
            counts.waitingTraces += 1
            return traces.index(forKey: id)
        }
    }

    /// Puts a trace into the queue; returns its serial.
    private mutating func enqueue(_ id: TraceID, nanos: UInt64) -> UInt64 {
        // Most traces are complete long before they are due.
        if queue.count - queueStart > 2 * traces.count + Self.queueSlack {
            queue = queue[queueStart...].filter { traces[$0.id]?.serial == $0.serial }
            queueStart = 0
        }
        lastSerial += 1
        let (due, overflow) = nanos.addingReportingOverflow(waitNanos)
        queue.append(Queued(id: id, serial: lastSerial, dueNanos: overflow ? .max : due))
        return lastSerial
    }

    /// Adds a span to its trace; returns whether no local root goes on after it.
    private static func add(
        _ span: FinishedSpan,
        _ context: SpanContext,
        _ met: LocalTailPolicies.Met,
        isLocalRoot: Bool,
        to trace: inout Trace
    ) -> Bool {
        if trace.spans.isEmpty {
            trace.digest.isOfAll = span.recording.core.recordsAll
            trace.digest.randomness =
                context.traceState.samplingRandomness ?? context.traceID.low & (SamplingThreshold.end - 1)
        }
        trace.digest.met |= met
        if span.isSampled {
            trace.digest.isSampled = true
            trace.digest.threshold = trace.digest.threshold ?? context.traceState.samplingThreshold
        }
        if trace.spans.isEmpty || isLocalRoot && !trace.isChiefRoot {
            (trace.chief, trace.isChiefRoot) = (context.spanID, isLocalRoot)
        }
        trace.spans.append(span)
        guard isLocalRoot else { return false }
        trace.openRoots.remove(context.spanID)
        return trace.openRoots.isEmpty
    }

    /// Decides about traces whose first span ended too long ago.
    mutating func decideDue(nanos: UInt64) {
        while let id = popFirst(until: nanos) { decide(id, .due, nanos: nanos) }
    }

    /// Decides about all that waits; what comes later is dropped.
    mutating func close(nanos: UInt64) {
        while let first = popFirst() { decide(first, .shutdown, nanos: nanos) }
        isClosed = true
        traces = [:]
        counts.waitingTraces = 0
    }

    /// Lets go what no time was left to pass on.
    mutating func abandon() -> Int {
        let count = departure.removeAll()
        if count > 0 { counts.droppedSpans[.unpassed, default: 0] += count }
        return count
    }

    /// Takes the trace off the queue that has waited longest, if it is due until then; `nil` when there is none.
    private mutating func popFirst(until nanos: UInt64 = .max) -> TraceID? {
        while queueStart < queue.count, queue[queueStart].dueNanos <= nanos {
            let first = queue[queueStart]
            queueStart += 1
            if queueStart > queue.count / 2, queueStart > 64 {
                queue.removeFirst(queueStart)
                queueStart = 0
            }
            if traces[first.id]?.serial == first.serial { return first.id }
        }
        return nil
    }

    private mutating func decide(_ id: TraceID, _ occasion: Occasion, nanos: UInt64) {
        guard var trace = traces.removeValue(forKey: id) else { return }
        counts.waitingSpans -= trace.spans.count
        counts.waitingTraces -= 1
        if !trace.openRoots.isEmpty, nanos > trace.openSinceNanos {
            trace.digest.openNanos = nanos - trace.openSinceNanos
        }
        guard let kept = policies.decide(trace.digest, nanos: nanos, isOverflow: occasion == .full) else {
            counts.droppedTraces += 1
            counts.droppedSpans[occasion == .full ? .full : .policy, default: 0] += trace.spans.count
            return note(.dropped, of: id)
        }
        counts.keptTraces[kept.name, default: 0] += 1
        counts.keptSpans[kept.name, default: 0] += trace.spans.count
        let keeping = TailKeeping(
            reason: kept.name + occasion.haste,
            reasonSpanID: trace.chief,
            threshold: kept.threshold
        )
        note(.kept(keeping), of: id)
        for span in trace.spans { departure.append(span.kept(by: keeping)) }
    }

    private func decision(of id: TraceID) -> Decision? { decisions[id] ?? olderDecisions[id] }

    private mutating func note(_ decision: Decision, of id: TraceID) {
        if decisions.count >= Self.decisionCountMax, decisions[id] == nil {
            (olderDecisions, decisions) = (decisions, [:])
        }
        decisions[id] = decision
    }
}
