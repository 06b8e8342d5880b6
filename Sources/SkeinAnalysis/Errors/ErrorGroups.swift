// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

/// What went wrong in many traces, by type and shape of the message.
///
/// Every event `exception` is an error, with its `exception.type` and `exception.message`, whatever the status of its span
/// (OpenTelemetry semantic conventions 1.37, "Exceptions"). A span with status error and without such an event is one, with
/// its `error.type` and status message. At most ``groupCountMax`` groups are told apart; the others are one.
///
/// Groups of parts of the traces add up to those of all.
package struct ErrorGroups: TraceAnalysis {
    /// Most groups that are told apart.
    package static let groupCountMax = 5_000

    /// Traces added.
    package private(set) var traceCount = 0
    /// Of these, traces with an error.
    package private(set) var failedTraceCount = 0
    private var groups = BoundedGroups<Key, ErrorFigures>(limit: groupCountMax)

    package var byteCount: Int { groups.values.count * 2048 }

    private struct Key: Hashable, Sendable {
        @ExactText var type: String
        @ExactText var shape: String
    }

    /// Errors of one type and shape.
    package struct Group: Sendable {
        /// Empty when no span says. `nil` for all errors that are not told apart.
        package var type: String?
        /// See ``TextShape/message(_:)``; empty when there is no message.
        package var shape: String?
        /// The latest message as it came, at most 500 bytes of it.
        package var message: String
        /// The innermost place that the latest stack trace names, empty when none does.
        package var frame: String
        /// Errors, each by the weight of its span.
        package var count: Double
        /// Errors of spans below which no other span failed: there it began.
        package var originCount: Double
        package var traceCount: Int
        /// Most errors first.
        package var services: [NameCount]
        package var operations: [NameCount]
        package var firstUnixNanos: UInt64
        package var lastUnixNanos: UInt64
        /// The latest few.
        package var exemplars: [TraceID]
    }

    /// No errors yet.
    package init() {}

    /// Adds a trace; `batch` holds all of its spans, each once, with attributes, events and details.
    package mutating func add(_ batch: SpanBatch) {
        guard !batch.isEmpty else { return }
        traceCount += 1
        var reader = ErrorReader(batch)
        guard reader.hasErrors else { return }
        let tree = TraceTree(batch)
        var isAboveError = [Bool](repeating: false, count: batch.count)
        // A row stands behind its parent, so that from the last one on errors come up to the root.
        for row in (0..<tree.count).reversed() where tree.parents[row] >= 0 {
            let place = Int(tree.batchRows[row])
            guard isAboveError[place] || reader.isError(place) else { continue }
            isAboveError[Int(tree.batchRows[Int(tree.parents[row])])] = true
        }
        var found: [Key: ErrorFigures] = [:]
        for row in tree.batchRows.lazy.map({ Int($0) }) {
            for occurrence in reader.occurrences(at: row) {
                let key = Key(type: occurrence.type, shape: TextShape.message(occurrence.message))
                found[key, default: ErrorFigures()].add(occurrence, row, of: batch, isOrigin: !isAboveError[row])
            }
        }
        failedTraceCount += found.isEmpty ? 0 : 1
        for (key, figures) in found { groups.update(key, first: ErrorFigures()) { $0.add(figures) } }
    }

    /// Adds the errors of other traces.
    package mutating func merge(_ other: ErrorGroups) {
        traceCount += other.traceCount
        failedTraceCount += other.failedTraceCount
        groups.merge(other.groups, first: ErrorFigures()) { $0.add($1) }
    }

    /// Most errors first, ties by type and shape; those that are not told apart last.
    package var sorted: [Group] {
        let named = groups.values.sorted { a, b in
            guard a.value.count == b.value.count else { return a.value.count > b.value.count }
            return a.key.type.isExactly(b.key.type)
                ? a.key.shape.utf8.lexicographicallyPrecedes(b.key.shape.utf8)
                : a.key.type.utf8.lexicographicallyPrecedes(b.key.type.utf8)
        }
        return named.map { $0.value.group(type: $0.key.type, shape: $0.key.shape) }
            + (groups.others.map { [$0.group(type: nil, shape: nil)] } ?? [])
    }
}

/// What errors of one group add up to.
private struct ErrorFigures: Sendable {
    private(set) var count = 0.0
    private var originCount = 0.0
    private var traceCount = 0
    private var services = NameCounts()
    private var operations = NameCounts()
    private var firstUnixNanos = UInt64.max
    private var lastUnixNanos: UInt64 = 0
    private var exemplars = RecentTraces()
    /// Of the last error.
    private var message = ""
    private var frame = ""

    /// Adds an error of a trace, which is the only one of these figures.
    mutating func add(_ occurrence: ErrorReader.Occurrence, _ row: Int, of batch: SpanBatch, isOrigin: Bool) {
        let weight = batch.weight(at: row)
        var one = ErrorFigures()
        one.count = weight
        one.originCount = isOrigin ? weight : 0
        one.services.add(batch.serviceName(at: row), weight: weight)
        one.operations.add(batch.dictionary.string(batch.nameRefs[row]), weight: weight)
        one.firstUnixNanos = occurrence.unixNanos
        one.lastUnixNanos = occurrence.unixNanos
        one.exemplars.add(batch.traceIDs[row], seenUnixNanos: occurrence.unixNanos)
        one.message = String(decoding: occurrence.message.utf8.prefix(500), as: UTF8.self)
        one.frame = StackFrame.innermost(in: occurrence.stackTrace)
        add(one)
        traceCount = 1
    }

    mutating func add(_ other: ErrorFigures) {
        let isLater = other.lastUnixNanos > lastUnixNanos || count == 0
        count += other.count
        originCount += other.originCount
        traceCount += other.traceCount
        services.add(other.services)
        operations.add(other.operations)
        firstUnixNanos = min(firstUnixNanos, other.firstUnixNanos)
        lastUnixNanos = max(lastUnixNanos, other.lastUnixNanos)
        exemplars.add(other.exemplars)
        if isLater { message = other.message }
        if isLater || frame.isEmpty, !other.frame.isEmpty { frame = other.frame }
    }

    func group(type: String?, shape: String?) -> ErrorGroups.Group {
        ErrorGroups.Group(
            type: type,
            shape: shape,
            message: message,
            frame: frame,
            count: count,
            originCount: originCount,
            traceCount: traceCount,
            services: services.sorted,
            operations: operations.sorted,
            firstUnixNanos: firstUnixNanos,
            lastUnixNanos: lastUnixNanos,
            exemplars: exemplars.ids
        )
    }
}
