// SPDX-License-Identifier: Apache-2.0
import SkeinAnalysis
import SkeinModel
import SkeinStore
import SkeinWire

/// A trace without its details: one column for each thing that a page draws of all spans at once.
struct TraceSkeleton {
    /// Bytes of a row of the answer in a common trace, and then some.
    static let rowByteCount = 72
    /// Memory of a span while the skeleton is made: its columns, the tree, the answer. Measured: 200 bytes.
    static let makingByteCount = 208
    /// Rows are numbered with 31 bits.
    static let spanCountMax = Int(Int32.max) - 1
    /// Spans whose attributes are looked at for the work of agents.
    static let agentRowCountMax = 10_000

    private let rows: Rows.Gathered
    private var batch: SpanBatch { rows.batch }
    private let tree: TraceTree
    /// By place in the tree's services.
    private let colors: [Int]
    /// Rows of spans that have not ended.
    private let open: [Int]
    var warnings: [Warning]
    /// Whether somebody wants the trace kept.
    var isPinned = false

    /// Something that a reader of the trace should know.
    struct Warning {
        var code: String
        var count: Int
        var message: String

        static let stillArriving = Warning(
            code: "still-arriving",
            count: 1,
            message: "Spans of this trace came within the last seconds; there may be more."
        )
    }

    /// What a skeleton shows of its spans, put together from windows of the trace.
    struct Rows: ~Copyable {
        private var builder = SpanBatchBuilder()
        private var eventCounts: [UInt32] = []
        private var linkCounts: [UInt32] = []
        /// Whether agents, models or tools are at work in it.
        var holdsAgents: Bool

        init(holdsAgents: Bool) { self.holdsAgents = holdsAgents }

        var count: Int { eventCounts.count }

        /// All of them; the batch has the fixed columns alone.
        struct Gathered {
            var batch: SpanBatch
            var eventCounts: [UInt32]
            var linkCounts: [UInt32]
            var holdsAgents: Bool
        }

        /// Appends a window, in the order of the trace.
        mutating func append(_ page: SpanPage) {
            let spans = page.spans.narrowed(to: .fixed)
            var merger = SpanBatchMerger(from: spans)
            for row in 0..<spans.count { merger.append(row, to: &builder) }
            eventCounts += page.eventCounts
            linkCounts += page.linkCounts
        }

        /// All that was appended.
        consuming func finish(receivedUnixNanos: UInt64) -> Gathered {
            Gathered(
                batch: builder.finish(receivedUnixNanos: receivedUnixNanos),
                eventCounts: eventCounts,
                linkCounts: linkCounts,
                holdsAgents: holdsAgents
            )
        }
    }

    /// The skeleton of a trace; `open` have not ended, `ordinals` are the numbers of the tree's services, which give each its
    /// colour.
    init(_ tree: TraceTree, of rows: Rows.Gathered, open ids: Set<SpanID>, ordinals: [Int]) {
        self.rows = rows
        self.tree = tree
        colors = ServiceColors.colors(ofOrdinals: ordinals)
        open = ids.isEmpty ? [] : (0..<tree.count).filter { ids.contains(rows.batch.spanIDs[Int(tree.batchRows[$0])]) }
        warnings = Self.warnings(about: tree)
        if !open.isEmpty {
            warnings.append(
                Warning(
                    code: "open",
                    count: open.count,
                    message: open.count == 1
                        ? "1 span is still running: it is shown up to now."
                        : "\(open.count) spans are still running: they are shown up to now."
                )
            )
        }
    }

    private static func warnings(about tree: TraceTree) -> [Warning] {
        let orphans = tree.missingParents.reduce(0) { $0 + $1.rows.count }
        let found = [
            Warning(
                code: "missing-parents",
                count: orphans,
                message: "\(spans(orphans)) the parent is not stored (yet)."
            ),
            Warning(
                code: "cycle",
                count: tree.cyclesBroken.count,
                message: "\(spans(tree.cyclesBroken.count)) the parents run in a circle, which is cut there."
            ),
            Warning(
                code: "clock",
                count: tree.startsBeforeParentCount + tree.clamped.count,
                message: clockMessage(tree)
            ),
            Warning(
                code: "duplicate-ids",
                count: tree.sharedIDCount,
                message: "\(spans(tree.sharedIDCount)) the id is another span's too."
            ),
        ]
        return found.filter { $0.count > 0 }
    }

    private static func clockMessage(_ tree: TraceTree) -> String {
        var parts: [String] = []
        let early = tree.startsBeforeParentCount
        if early > 0 { parts.append("\(spans(early)) the start lies before the parent's") }
        if !tree.clamped.isEmpty { parts.append("\(spans(tree.clamped.count)) the end lies before the start") }
        return parts.joined(separator: "; ") + ": clocks may differ."
    }

    private static func spans(_ count: Int) -> String { count == 1 ? "For 1 span" : "For \(count) spans" }

    /// The skeleton as one value, when nothing is left of what it was made of.
    consuming func json() -> JSONWriter {
        var json = JSONWriter(capacity: 4096 + tree.count * Self.rowByteCount)
        write(to: &json)
        return json
    }

    private func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("traceId", batch.traceIDs[0])
            json.member("traceStartUnixNano", decimal: tree.startUnixNanos)
            json.member("durationNanos", decimal: tree.durationNanos)
            json.member("spanCount", tree.count)
            json.member("errorCount", tree.errorCount)
            json.member("depth", tree.levelCount)
            json.member("pinned", isPinned)
            json.member("agents", rows.holdsAgents)
            json.member("rootServiceName", tree.rootServiceName)
            json.member("rootSpanName", tree.rootSpanName)
            writeServices(to: &json)
            json.array("operations") { json in
                for name in tree.operations { json.string(name) }
            }
            json.object("spans") { json in writeColumns(to: &json) }
            json.array("missingParents") { json in
                for parent in tree.missingParents {
                    json.object { json in
                        json.member("spanId", parent.spanID)
                        json.array("rows") { json in Self.write(parent.rows, to: &json) }
                    }
                }
            }
            json.array("cyclesBroken") { json in Self.write(tree.cyclesBroken, to: &json) }
            json.array("clamped") { json in Self.write(tree.clamped, to: &json) }
            json.array("open") { json in Self.write(open, to: &json) }
            writeWarnings(to: &json)
            json.member(
                "lastReceivedUnixNano",
                decimal: batch.receivedUnixNanos == 0 ? nil : batch.receivedUnixNanos
            )
        }
    }

    private func writeServices(to json: inout JSONWriter) {
        json.array("services") { json in
            for (service, color) in zip(tree.services, colors) {
                json.object { json in
                    json.member("name", service.name)
                    json.member("color", color)
                    json.member("spanCount", service.spanCount)
                    json.member("errorCount", service.errorCount)
                }
            }
        }
    }

    private func writeWarnings(to json: inout JSONWriter) {
        json.array("warnings") { json in
            for warning in warnings {
                json.object { json in
                    json.member("code", warning.code)
                    json.member("count", warning.count)
                    json.member("message", warning.message)
                }
            }
        }
    }

    /// A column is one loop over the rows, so that its bytes lie together, and compress.
    private func writeColumns(to json: inout JSONWriter) {
        json.array("id") { json in
            for row in tree.batchRows { json.id(batch.spanIDs[Int(row)]) }
        }
        json.array("parent") { json in Self.write(tree.parents, to: &json) }
        json.array("service") { json in Self.write(tree.serviceIndexes, to: &json) }
        json.array("operation") { json in Self.write(tree.operationIndexes, to: &json) }
        json.array("kind") { json in
            for row in tree.batchRows {
                json.int((Span.Kind(rawValue: batch.kinds[Int(row)]) ?? .unspecified).rawValue)
            }
        }
        json.array("status") { json in
            for row in tree.batchRows {
                json.int((Span.Status.Code(rawValue: batch.statusCodes[Int(row)]) ?? .unset).rawValue)
            }
        }
        json.array("start") { json in
            // No span starts before the trace does.
            for row in tree.batchRows { json.int(batch.startUnixNanos[Int(row)] &- tree.startUnixNanos) }
        }
        json.array("duration") { json in
            for row in tree.batchRows { json.int(batch.durationNanos[Int(row)]) }
        }
        json.array("events") { json in
            for row in tree.batchRows { json.int(rows.eventCounts[Int(row)]) }
        }
        json.array("links") { json in
            for row in tree.batchRows { json.int(rows.linkCounts[Int(row)]) }
        }
        json.array("weight") { json in
            for row in tree.batchRows {
                let weight = SpanBatch.value(batch.weights, Int(row), default: 1)
                if let whole = Int32(exactly: weight) { json.int(whole) } else { json.double(weight) }
            }
        }
    }

    private static func write(_ numbers: [some FixedWidthInteger], to json: inout JSONWriter) {
        for number in numbers { json.int(number) }
    }
}
