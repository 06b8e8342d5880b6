// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// Rows of traces that are kept, on their way out: collected from the batches they came in, and copied together only when
/// nobody else has to wait for it.
struct Departure {
    /// Rows of one batch.
    private struct Piece {
        var batch: SpanBatch
        var rows: [(row: Int, decision: Int)] = []
    }

    /// A trace, its decision and the span that says why.
    private struct Trace {
        var decision: SamplingDecision
        var reason: String?
        var reasonPiece = 0
        var reasonRow = -1
        var reasonSpan = ReasonSpan()
    }

    private var pieces: [Piece] = []
    private var pieceOfSerial: [UInt64: Int] = [:]
    private var traces: [Trace] = []
    /// Spans in it.
    private(set) var spanCount = 0
    /// Bytes of memory that they will take, roughly.
    private(set) var byteCount = 0

    /// Spans and bytes of an outgoing batch above which the next begins.
    private static let spanCountMax = 8_192
    private static let byteCountMax = 4 << 20

    var isEmpty: Bool { spanCount == 0 }

    /// Begins a trace. `reason` is what its root will say, `nil` for spans that come late.
    mutating func begin(_ decision: SamplingDecision, reason: String?) {
        traces.append(Trace(decision: decision, reason: reason))
    }

    /// Adds a row of the trace that began last.
    mutating func add(_ row: Int, of batch: SpanBatch, serial: UInt64) {
        let number: Int
        if let known = pieceOfSerial[serial] {
            number = known
        } else {
            number = pieces.count
            pieces.append(Piece(batch: batch))
            pieceOfSerial[serial] = number
        }
        let trace = traces.count - 1
        pieces[number].rows.append((row, trace))
        spanCount += 1
        byteCount += batch.byteCount / max(batch.count, 1)
        guard traces[trace].reason != nil else { return }
        if traces[trace].reasonSpan.takes(row, of: batch) {
            traces[trace].reasonPiece = number
            traces[trace].reasonRow = row
        }
    }

    /// The spans as batches: weighted by their decisions, with the threshold in their `tracestate` raised where they passed
    /// one, and the reason beside the root, or the earliest span where there is none.
    func batches() -> [SpanBatch] {
        var finished: [SpanBatch] = []
        var builder = SpanBatchBuilder()
        var received: UInt64 = 0
        for (number, piece) in pieces.enumerated() {
            if builder.count >= Self.spanCountMax || builder.byteCount >= Self.byteCountMax {
                finished.append(builder.finish(receivedUnixNanos: received))
                received = 0
            }
            received = max(received, piece.batch.receivedUnixNanos)
            append(piece, number, to: &builder)
        }
        if builder.count > 0 { finished.append(builder.finish(receivedUnixNanos: received)) }
        return finished
    }

    private func append(_ piece: Piece, _ number: Int, to builder: inout SpanBatchBuilder) {
        var merger = SpanBatchMerger(from: piece.batch)
        var raised: [RaisedState: (ref: SpanBatch.Ref, factor: Double)] = [:]
        // Rows in their order are read in the order they lie in memory.
        for (row, trace) in piece.rows.sorted(by: { $0.row < $1.row }) {
            if let reason = traces[trace].reason, traces[trace].reasonRow == row, traces[trace].reasonPiece == number {
                builder.addSpanAttribute(
                    key: builder.intern(ReasonSpan.reasonKey),
                    value: builder.intern(.string(reason))
                )
            }
            let decision = traces[trace].decision
            guard decision.threshold > 0 else {
                merger.append(row, to: &builder, weightFactor: decision.factor)
                continue
            }
            let ref = SpanBatch.value(piece.batch.traceStateRefs, row, default: 0)
            let state = RaisedState(ref: ref, decision: decision)
            let known = raised[state] ?? raise(ref, of: piece.batch, decision, &builder)
            raised[state] = known
            merger.append(row, to: &builder, weightFactor: known.factor, traceState: known.ref)
        }
    }

    /// A `tracestate` of a batch under a decision.
    private struct RaisedState: Hashable {
        var ref: SpanBatch.Ref
        var decision: SamplingDecision
    }

    private func raise(
        _ ref: SpanBatch.Ref,
        of batch: SpanBatch,
        _ decision: SamplingDecision,
        _ builder: inout SpanBatchBuilder
    ) -> (ref: SpanBatch.Ref, factor: Double) {
        let raised = batch.dictionary.withBytes(ref) {
            SamplingThreshold.applying(decision.threshold, factor: decision.factor, toTraceState: $0)
        }
        return (raised.traceState.withUnsafeBytes { builder.intern($0).ref }, raised.weightFactor)
    }
}
