// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// The ways that calls take through services, as Jaeger's page draws them in its graph of deep dependencies: each from where a
/// trace begins to where nothing else is called, and through a service that is looked at.
struct ServicePaths: TraceEvaluator {
    /// Where a call comes in: a service, and the span of it that was called.
    struct Step: Hashable, Sendable {
        @ExactText var service: String
        @ExactText var operation: String
    }

    let service: String
    /// `nil` for all operations of the service.
    let operation: String?

    /// Most ways that are told of one trace.
    private static let pathCountMax = 1000

    struct Prepared {
        var services: FieldColumn
        var names: FieldColumn
        var forest: SpanForest
    }

    func prepare(_ table: any SpanTable) throws(StoreError) -> Prepared {
        Prepared(
            services: try table.column(.serviceName),
            names: try table.column(.name),
            forest: try table.forest()
        )
    }

    /// The distinct ways in a trace; `nil` when none leads through the service.
    func evaluate(
        _ trace: TableTrace,
        of table: any SpanTable,
        _ prepared: Prepared
    ) throws(StoreError) -> (answer: [[Step]], matchedSpanCount: Int)? {
        let entries = Entries(trace, prepared)
        var paths: [[Step]] = []
        var known: Set<[Step]> = []
        for row in entries.last where paths.count < Self.pathCountMax {
            let path = entries.path(to: row).map { step(at: $0, prepared) }
            let isThroughService = path.contains {
                $0.service.isExactly(service) && (operation.map($0.operation.isExactly) ?? true)
            }
            if isThroughService, known.insert(path).inserted { paths.append(path) }
        }
        return paths.isEmpty ? nil : (paths, 1)
    }

    private func step(at row: Int, _ prepared: Prepared) -> Step {
        Step(service: prepared.services[row]?.text ?? "", operation: prepared.names[row]?.text ?? "")
    }
}

/// The spans of a trace with which calls enter services: roots, and spans whose parent is of another service.
private struct Entries {
    private let firstRow: Int
    /// By row of the trace: the entry that it belongs to.
    private var entries: [Int]
    /// By row of the trace: for an entry the one before it, or -1.
    private var callers: [Int]
    /// Entries from which no other is called.
    private(set) var last: [Int] = []

    init(_ trace: TableTrace, _ prepared: ServicePaths.Prepared) {
        firstRow = trace.rows.lowerBound
        entries = [Int](repeating: -1, count: trace.rows.count)
        callers = entries
        let forest = prepared.forest
        // Parents stand before their children in this order.
        let ordered = trace.rows.sorted { forest.orders[$0] < forest.orders[$1] }
        var isCalling = [Bool](repeating: false, count: trace.rows.count)
        for row in ordered {
            let parent = Int(forest.parents[row])
            if parent >= firstRow, parent < trace.rows.upperBound {
                let entry = entries[parent - firstRow]
                let (mine, theirs) = (prepared.services[row]?.text ?? "", prepared.services[parent]?.text ?? "")
                if mine.isExactly(theirs) {
                    entries[row - firstRow] = entry
                    continue
                }
                callers[row - firstRow] = entry
                if entry >= 0 { isCalling[entry - firstRow] = true }
            }
            entries[row - firstRow] = row
        }
        last = ordered.filter { entries[$0 - firstRow] == $0 && !isCalling[$0 - firstRow] }
    }

    /// The entries from the first one to `row`.
    func path(to row: Int) -> [Int] {
        var path = [row]
        while let caller = path.last.map({ callers[$0 - firstRow] }), caller >= 0 { path.append(caller) }
        return path.reversed()
    }
}
