// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// The spans of a session forest in one order, each once, and who stands above whom.
///
/// A row is a span's place in the order of start, trace, span id. Parents never run in a circle.
struct AgentForest {
    let spans: [AgentSpan]
    let starts: [UInt64]
    let ends: [UInt64]
    /// The row above, by stored parent, link or stitching; -1 for none.
    var parents: [Int]
    /// By which rule of `agents.md` §5.4 a row got its parent; 0 for a stored one.
    var rules: [UInt8]
    /// Rows that hang below another by a link.
    var linkedRows: Set<Int> = []
    /// Where a span is.
    let rowByReference: [Orchestration.SpanReference: Int]
    /// Where WorkTrace's sessions and steps are.
    let works: WorkRows
    /// All rows, each after its parent.
    private(set) var order: [Int] = []

    /// The forest of `spans`; the open ones last until `nowUnixNanos`.
    init(_ spans: [AgentSpan], nowUnixNanos: UInt64?) {
        // Keys side by side: spans are large, and few share all of start and ids.
        var indices = spans.indices.map { RowKey(spans[$0], at: $0) }
            .sorted { $0.isSame(as: $1) ? Self.precedes(spans[$0.index], spans[$1.index]) : $0 < $1 }.map(\.index)
        var rowByReference = Self.rows(indices, of: spans)
        if rowByReference.count < indices.count {
            indices = Self.distinct(indices, of: spans)
            rowByReference = Self.rows(indices, of: spans)
        }
        let kept = indices.map { index in
            var span = spans[index]
            if span.isOpen, let nowUnixNanos, nowUnixNanos > span.endUnixNanos {
                span.durationNanos = nowUnixNanos - span.startUnixNanos
            }
            return span
        }
        self.spans = kept
        starts = kept.indices.map { kept[$0].startUnixNanos }
        ends = kept.indices.map { kept[$0].endUnixNanos }
        works = WorkRows(kept)
        self.rowByReference = rowByReference
        rules = [UInt8](repeating: 0, count: kept.count)
        parents = kept.indices.map { row in
            let above = kept[row].parentSpanID
            guard above.isValid else { return -1 }
            let parent = rowByReference[.init(traceID: kept[row].traceID, spanID: above)]
            return parent.map { $0 == row ? -1 : $0 } ?? -1
        }
        moveProxies()
        parents.cutCircles()
        stitch()
        layOut()
        if joinAgentTools() {
            parents.cutCircles()
            layOut()
        }
    }

    var count: Int { spans.count }

    func nanos(of row: Int) -> UInt64 { ends[row] - starts[row] }

    private struct RowKey: Comparable {
        var start: UInt64
        var traceID: TraceID
        var spanID: SpanID
        var index: Int

        init(_ span: AgentSpan, at index: Int) {
            (start, traceID, spanID) = (span.startUnixNanos, span.traceID, span.spanID)
            self.index = index
        }

        func isSame(as other: RowKey) -> Bool {
            start == other.start && spanID == other.spanID && traceID == other.traceID
        }

        static func < (a: RowKey, b: RowKey) -> Bool {
            if a.start != b.start { return a.start < b.start }
            return a.traceID != b.traceID ? a.traceID < b.traceID : a.spanID < b.spanID
        }
    }

    /// The order of rows; of two reports of one span the better one first.
    private static func precedes(_ a: AgentSpan, _ b: AgentSpan) -> Bool {
        if a.startUnixNanos != b.startUnixNanos { return a.startUnixNanos < b.startUnixNanos }
        if a.traceID != b.traceID { return a.traceID < b.traceID }
        if a.spanID != b.spanID { return a.spanID < b.spanID }
        if a.isOpen != b.isOpen { return b.isOpen }
        if a.durationNanos != b.durationNanos { return a.durationNanos > b.durationNanos }
        if a.spanKind != b.spanKind { return a.spanKind.rawValue < b.spanKind.rawValue }
        if a.serviceName != b.serviceName { return a.serviceName < b.serviceName }
        if a.name != b.name { return a.name < b.name }
        return (a.usage?.inputTokens ?? 0) > (b.usage?.inputTokens ?? 0)
    }

    /// Where each span is among `indices`; of those that share an id the first.
    private static func rows(_ indices: [Int], of spans: [AgentSpan]) -> [Orchestration.SpanReference: Int] {
        var rows: [Orchestration.SpanReference: Int] = [:]
        rows.reserveCapacity(indices.count)
        for (row, index) in indices.enumerated() {
            let reference = Orchestration.SpanReference(traceID: spans[index].traceID, spanID: spans[index].spanID)
            if let first = rows.updateValue(row, forKey: reference) { rows[reference] = first }
        }
        return rows
    }

    /// Each span once: the report that has ended, else the first one. The two sides of a call that share an id are two.
    private static func distinct(_ indices: [Int], of spans: [AgentSpan]) -> [Int] {
        struct Key: Hashable {
            var reference: Orchestration.SpanReference
            var kind: Span.Kind
        }
        func key(_ index: Int) -> Key {
            let span = spans[index]
            return Key(reference: .init(traceID: span.traceID, spanID: span.spanID), kind: span.spanKind)
        }
        var best: [Key: Int] = [:]
        best.reserveCapacity(indices.count)
        for index in indices {
            if let other = best[key(index)], !(spans[other].isOpen && !spans[index].isOpen) { continue }
            best[key(index)] = index
        }
        return indices.filter { best[key($0)] == $0 }
    }

    /// Puts every row after its parent, depth first, siblings by row.
    private mutating func layOut() {
        let children = ChildRows(parents)
        order.removeAll(keepingCapacity: true)
        order.reserveCapacity(count)
        var stack: [Int] = []
        for root in parents.indices where parents[root] < 0 {
            stack.append(root)
            while let row = stack.popLast() {
                order.append(row)
                stack.append(contentsOf: children.of(row).reversed())
            }
        }
    }
}

/// Below each row the rows that name it their parent, in order.
struct ChildRows {
    private var rows: [Int]
    private var ends: [Int]

    init(_ parents: [Int]) {
        var counts = [Int](repeating: 0, count: parents.count + 1)
        for parent in parents where parent >= 0 { counts[parent] += 1 }
        var total = 0
        ends = counts.map { count in
            defer { total += count }
            return total
        }
        rows = [Int](repeating: 0, count: total)
        for (row, parent) in parents.enumerated() where parent >= 0 {
            rows[ends[parent]] = row
            ends[parent] += 1
        }
    }

    func of(_ row: Int) -> ArraySlice<Int> { rows[(row == 0 ? 0 : ends[row - 1])..<ends[row]] }
}

extension [Int] {
    /// Makes the first element of each circle of parents a root. An element is its parent's index or -1.
    mutating func cutCircles() {
        // 0 is unseen, 1 is above the present start, 2 leads to a root.
        var marks = [UInt8](repeating: 0, count: count)
        for start in indices where marks[start] == 0 {
            var row = start
            while row >= 0, marks[row] == 0 {
                marks[row] = 1
                row = self[row]
            }
            let circle = row >= 0 && marks[row] == 1 ? row : -1
            row = start
            while row >= 0, marks[row] == 1 {
                marks[row] = 2
                row = self[row]
            }
            guard circle >= 0 else { continue }
            var first = circle
            var other = self[circle]
            while other != circle {
                first = Swift.min(first, other)
                other = self[other]
            }
            self[first] = -1
        }
    }
}
