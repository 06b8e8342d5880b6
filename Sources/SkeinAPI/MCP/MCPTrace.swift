// SPDX-License-Identifier: Apache-2.0
import SkeinAnalysis
import SkeinModel
import SkeinStore
import SkeinTraceQL

/// A stored trace and its tree, with the memory that both take for as long as it is used.
struct MCPTrace {
    let id: TraceID
    let reader: any TraceReader
    let batch: SpanBatch
    let tree: TraceTree
    private let room: AnswerRoom

    /// The trace that the argument `name` names. Columns beyond links are there of one alone that can be answered whole.
    init(
        _ name: String,
        columns: SpanColumns = .links,
        beside spanByteCount: Int = 0,
        _ api: API,
        _ call: APICall
    ) async throws(APIError) {
        let id = try APICall.traceID(call.request.query(name) ?? "", name)
        try await self.init(of: id, columns: columns, beside: spanByteCount, api, call)
    }

    /// `spanByteCount` is what each span takes while the trace is used, beside its columns and the tree.
    init(
        of id: TraceID,
        columns: SpanColumns = .links,
        beside spanByteCount: Int = 0,
        _ api: API,
        _ call: APICall
    ) async throws(APIError) {
        var room = AnswerRoom(api.answers, remedy: "ask for one span at a time with get_span")
        guard let reader = try await api.reader(of: id, call) else {
            throw APIError(404, "unknown-trace", "No span of trace \(id) is stored: search_traces finds what is.")
        }
        if columns != .links { try api.checkWhole(reader, id) }
        batch = try await api.gather(
            reader,
            columns: columns,
            beside: NativeAPI.analysisByteCount + spanByteCount,
            call,
            room: &room
        )
        tree = TraceTree(batch)
        self.id = id
        self.reader = reader
        self.room = room
    }

    /// One line about the whole trace.
    var headline: String {
        let root =
            tree.rootRow == nil
            ? "root not received" : MCPText.operation(tree.rootServiceName, tree.rootSpanName)
        return "Trace \(id): \(root), started \(MCPText.moment(tree.startUnixNanos)), took "
            + "\(MCPText.duration(tree.durationNanos)), \(MCPText.plural(tree.count, "span")), "
            + "\(MCPText.plural(tree.errorCount, "error"))."
    }

    /// One line about its services, those with most spans first.
    var serviceLine: String {
        let services = tree.services.sorted { $0.spanCount > $1.spanCount }
        let texts = services.prefix(15).map { service in
            let errors = service.errorCount == 0 ? "" : " (\(MCPText.plural(service.errorCount, "error")))"
            return "\(MCPText.word(service.name, 60)) \(service.spanCount)\(errors)"
        }
        let rest = services.count > 15 ? ", and \(services.count - 15) more" : ""
        return "Spans by service: \(texts.joined(separator: ", "))\(rest)."
    }

    /// What a reader should know of a trace that is not in order, in whole sentences.
    var warnings: [String] {
        let orphans = tree.missingParents.reduce(0) { $0 + $1.rows.count }
        return [
            (orphans, "span(s) name a parent that is not stored (yet); they stand as roots."),
            (tree.startsBeforeParentCount, "span(s) start before their parent: clocks differ."),
            (tree.cyclesBroken.count, "circle(s) of parents were cut."),
        ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
    }

    func spanID(at row: Int) -> SpanID { batch.spanIDs[Int(tree.batchRows[row])] }
    func startNanos(at row: Int) -> UInt64 { batch.startUnixNanos[Int(tree.batchRows[row])] &- tree.startUnixNanos }
    func durationNanos(at row: Int) -> UInt64 { batch.durationNanos[Int(tree.batchRows[row])] }
    func isFailing(at row: Int) -> Bool {
        batch.statusCodes[Int(tree.batchRows[row])] == Span.Status.Code.error.rawValue
    }

    /// Service and span name.
    func operation(at row: Int) -> String {
        let name = tree.name(at: row)
        return MCPText.operation(name.service, name.operation)
    }

    /// Rows that fail though nothing below them does, then the others that fail; each in the order of the tree.
    var failingRows: [Int] {
        var failsBelow = [Bool](repeating: false, count: tree.count)
        var origins: [Int] = []
        var others: [Int] = []
        for row in (0..<tree.count).reversed() {
            let isFailing = isFailing(at: row)
            if isFailing { if failsBelow[row] { others.append(row) } else { origins.append(row) } }
            let parent = Int(tree.parents[row])
            if parent >= 0, isFailing || failsBelow[row] { failsBelow[parent] = true }
        }
        return origins.reversed() + others.reversed()
    }

    /// For each row whether `query` selects its span; all columns must be there.
    func rows(of query: Query) throws(StoreError) -> [Bool] {
        let table = BatchTable(trace: batch)
        let selected = SelectedSpans(query)
        var isSelected = [Bool](repeating: false, count: batch.count)
        try selected.rows(try table.rows(matching: CompiledPredicate(selected.predicate)), of: table)
            .forEach { isSelected[$0] = true }
        return tree.batchRows.map { isSelected[Int($0)] }
    }
}
