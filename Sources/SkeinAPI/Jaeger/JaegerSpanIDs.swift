// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

/// The ids of a trace's spans as Jaeger shows them, and what is wrong with them.
///
/// Zipkin lets the two sides of a call share one span id. Jaeger's readers want ids that differ: there the server's span
/// gets an id of its own, is a child of the client's, and the spans below the shared id hang on the server's. Where parents
/// run in a circle, which Jaeger's page would not draw, the first span of it is a root.
struct JaegerSpanIDs {
    /// By row.
    private(set) var spans: [SpanID]
    /// By row; `.zero` for a root.
    private(set) var parents: [SpanID]
    /// By id as shown: the first row that has it.
    private var rows: [SpanID: Int] = [:]
    /// By row: the parent that it is not shown with.
    private var cut: [Int: SpanID] = [:]

    init(_ batch: SpanBatch, isRaw: Bool) {
        spans = batch.spanIDs
        parents = batch.parentSpanIDs
        rows.reserveCapacity(spans.count)
        var shared: [Int] = []
        for (row, id) in spans.enumerated() {
            if rows[id] != nil { shared.append(row) } else { rows[id] = row }
        }
        guard !isRaw else { return }
        if !shared.isEmpty { separate(batch, shared) }
        var parentRows = parents.map { Int32(truncatingIfNeeded: rows[$0] ?? -1) }
        for row in ParentCircles.cut(&parentRows).map({ Int($0) }) {
            cut[row] = parents[row]
            parents[row] = .zero
        }
    }

    private mutating func separate(_ batch: SpanBatch, _ shared: [Int]) {
        var clients: [SpanID: Int] = [:]
        var servers: [SpanID: Int] = [:]
        let candidates = Set(shared.map { spans[$0] })
        for (row, id) in spans.enumerated() where candidates.contains(id) {
            switch Span.Kind(rawValue: batch.kinds[row]) {
            case .client: clients[id] = row
            case .server: servers[id] = row
            default: break
            }
        }
        var renamed: [SpanID: SpanID] = [:]
        for (id, row) in servers.sorted(by: { $0.key < $1.key }) {
            guard let client = clients[id] else { continue }
            // Ids that follow each other are common; from a hash on, the next one is free nearly always.
            var free = SpanID(Hash.of(id.rawValue))
            while rows[free] != nil || !free.isValid { free = SpanID(Hash.of(free.rawValue &+ 1)) }
            rows[id] = client
            rows[free] = row
            renamed[id] = free
            spans[row] = free
            parents[row] = id
        }
        for row in parents.indices {
            if let server = renamed[parents[row]], server != spans[row] { parents[row] = server }
        }
    }

    /// What a reader of span `row` should know.
    func warnings(_ row: Int, _ batch: SpanBatch) -> [String] {
        var warnings: [String] = []
        if SpanBatch.value(batch.marks, row, default: []).contains(.endsBeforeStart) {
            warnings.append("the client reported an end before the start; the duration is shown as zero")
        }
        if let parent = cut[row] {
            warnings.append("the parents run in a circle, which is cut here: span \(parent) is the parent of this one")
        }
        guard parents[row].isValid else { return warnings }
        guard let parent = rows[parents[row]] else {
            return warnings + ["parent span \(parents[row]) is not in this trace (yet)"]
        }
        let (early, startsLater) = batch.startUnixNanos[parent].subtractingReportingOverflow(batch.startUnixNanos[row])
        if early > 0, !startsLater {
            warnings.append("starts \(early) ns before its parent: the clocks of their hosts may differ")
        }
        return warnings
    }
}
