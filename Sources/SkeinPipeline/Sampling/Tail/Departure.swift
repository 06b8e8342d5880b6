// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// Rows of traces that are kept, on their way out: collected from the batches they came in, and copied together, or read back
/// from where they were spilled, only when nobody else has to wait for it.
struct Departure: Sendable {
    private struct Row {
        var row: UInt32
        /// Number of its trace.
        var trace: UInt32
        /// Whether it says why its trace was kept.
        var isChief: Bool
    }

    /// Rows of one batch.
    private struct Piece {
        var source: HeldBatches.Source
        var rows: [Row] = []
        /// Of memory.
        var byteCount = 0
        /// Of memory, for each of its rows.
        let byteCountOfRow: Int

        init(source: HeldBatches.Source) {
            self.source = source
            byteCountOfRow =
                switch source {
                case .memory(let batch): batch.byteCount / max(batch.count, 1)
                case .spilled: 2 * MemoryLayout<Row>.stride
                }
        }
    }

    /// A trace and its decision.
    private struct Trace {
        var decision: SamplingDecision
        var reason: String?
    }

    private var pieces: [Piece] = []
    private var pieceOfSerial: [UInt64: Int] = [:]
    private var traces: [Trace] = []
    /// Pieces that are done.
    private var doneCount = 0
    /// Spans in it.
    private(set) var spanCount = 0
    /// Bytes of memory that they take or will take, roughly; of spilled ones that their places take.
    private(set) var byteCount = 0

    /// Spans and bytes of an outgoing batch above which the next begins.
    private static let spanCountMax = 8_192
    private static let byteCountMax = 4 << 20

    var isEmpty: Bool { spanCount == 0 }

    /// Begins a trace. `reason` is what its root will say, `nil` for spans that come late.
    mutating func begin(_ decision: SamplingDecision, reason: String?) {
        traces.append(Trace(decision: decision, reason: reason))
    }

    /// Adds a row of the trace that began last; the chief one will say why the trace was kept.
    mutating func add(
        _ row: Int,
        of source: @autoclosure () -> HeldBatches.Source,
        serial: UInt64,
        isChief: Bool = false
    ) {
        let number: Int
        if let known = pieceOfSerial[serial] {
            number = known
        } else {
            number = pieces.count
            pieces.append(Piece(source: source()))
            pieceOfSerial[serial] = number
        }
        pieces[number].rows.append(Row(row: UInt32(row), trace: UInt32(traces.count - 1), isChief: isChief))
        spanCount += 1
        pieces[number].byteCount += pieces[number].byteCountOfRow
        byteCount += pieces[number].byteCountOfRow
    }

    /// Takes the next spans out as a batch: weighted by their decisions, with the threshold in their `tracestate` raised where
    /// they passed one, and the reason beside the chief row. `nil` when none are left. `lose` is told of spans that cannot be
    /// read back.
    mutating func next(lose: (_ spanCount: Int, StoreError) -> Void) async -> SpanBatch? {
        var builder = SpanBatchBuilder()
        var received: UInt64 = 0
        while doneCount < pieces.count, builder.count < Self.spanCountMax, builder.byteCount < Self.byteCountMax {
            let piece = pieces[doneCount]
            pieces[doneCount] = Piece(source: .memory(SpanBatch()))
            doneCount += 1
            spanCount -= piece.rows.count
            byteCount -= piece.byteCount
            do throws(StoreError) {
                let batch = try await piece.source.batch()
                received = max(received, batch.receivedUnixNanos)
                append(piece.rows, of: batch, to: &builder)
            } catch {
                lose(piece.rows.count, error)
            }
        }
        return builder.count > 0 ? builder.finish(receivedUnixNanos: received) : nil
    }

    private func append(_ rows: [Row], of batch: SpanBatch, to builder: inout SpanBatchBuilder) {
        var merger = SpanBatchMerger(from: batch)
        var raised: [RaisedState: (ref: SpanBatch.Ref, factor: Double)] = [:]
        // Rows in their order are read in the order they lie in memory.
        for place in rows.sorted(by: { $0.row < $1.row }) {
            let row = Int(place.row)
            let trace = traces[Int(place.trace)]
            if place.isChief, let reason = trace.reason {
                builder.addSpanAttribute(
                    key: builder.intern(ReasonSpan.reasonKey),
                    value: builder.intern(.string(reason))
                )
            }
            let decision = trace.decision
            guard decision.threshold > 0 else {
                merger.append(row, to: &builder, weightFactor: decision.factor)
                continue
            }
            let ref = SpanBatch.value(batch.traceStateRefs, row, default: 0)
            let state = RaisedState(ref: ref, decision: decision)
            let known = raised[state] ?? raise(ref, of: batch, decision, &builder)
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

extension HeldBatches.Source {
    /// The batch, read back where it was spilled.
    fileprivate func batch() async throws(StoreError) -> SpanBatch {
        switch self {
        case .memory(let batch): batch
        case .spilled(let spilled): try await spilled.read()
        }
    }
}
