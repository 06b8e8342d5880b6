// SPDX-License-Identifier: Apache-2.0
import SkeinStore

/// What a search asks of each trace beside its condition, whatever kind of answer it gives.
protocol TraceEvaluation: AnyObject {
    /// Columns that must be in the batch of a trace that is put together.
    var columns: SpanColumns { get }

    /// The number of the answer that the trace is, and of its spans that match; `nil` when it is none.
    func evaluate(
        _ trace: TableTrace,
        of table: any SpanTable
    ) throws(StoreError) -> (answer: Int, matchedSpanCount: Int)?

    /// Forgets what it knows of a table that is let go.
    func forget(_ table: any SpanTable)
}

/// The evaluation by an evaluator, which keeps the answers.
final class Evaluation<Evaluator: TraceEvaluator>: TraceEvaluation {
    let columns: SpanColumns
    private let evaluator: Evaluator
    private(set) var answers: [Evaluator.Answer] = []
    private var prepared: [ObjectIdentifier: Evaluator.Prepared] = [:]

    init(_ evaluator: Evaluator, columns: SpanColumns) {
        self.evaluator = evaluator
        self.columns = columns
    }

    func evaluate(
        _ trace: TableTrace,
        of table: any SpanTable
    ) throws(StoreError) -> (answer: Int, matchedSpanCount: Int)? {
        let key = ObjectIdentifier(table)
        let known = prepared[key]
        let ready: Evaluator.Prepared
        if let known { ready = known } else { ready = try evaluator.prepare(table) }
        prepared[key] = ready
        guard let (answer, count) = try evaluator.evaluate(trace, of: table, ready) else { return nil }
        answers.append(answer)
        return (answers.count - 1, count)
    }

    func forget(_ table: any SpanTable) { prepared[ObjectIdentifier(table)] = nil }
}
