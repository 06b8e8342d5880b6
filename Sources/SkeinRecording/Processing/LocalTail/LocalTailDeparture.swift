// SPDX-License-Identifier: Apache-2.0

/// Spans that are kept and wait to be passed on, in pieces with a flush of the next processor between them, so that its queue never
/// holds more than one piece of them. A value without lock; only one at a time takes steps.
struct LocalTailDeparture: Sendable {
    /// Spans in a piece at most: a batch of the batching processor, as it is configured unless told otherwise.
    static let pieceCountMax = 512

    enum Step {
        /// Nothing waits.
        case nothing
        /// The next processor has to flush first.
        case flush
        case pass([FinishedSpan])
    }

    private var pieces: [[FinishedSpan]] = []
    /// Spans that were taken, and are not passed on yet.
    private var takenCount = 0
    /// Spans that were passed on since the last flush.
    private var unflushedCount = 0
    private var isWoken = false
    /// Whether the next processor could not flush in time.
    var isBehind = false
    /// Spans that are not passed on yet.
    private(set) var count = 0

    mutating func append(_ span: FinishedSpan) {
        if pieces.last.map({ $0.count < Self.pieceCountMax }) ?? false {
            pieces[pieces.count - 1].append(span)
        } else {
            pieces.append([span])
        }
        count += 1
    }

    /// Whether the thread that passes on has to be woken: where a piece waits, or anything if there is no room. Asked by whoever has
    /// ended a span.
    mutating func wakes(isFull: Bool) -> Bool {
        guard count >= Self.pieceCountMax || isFull && count > 0, !isWoken, !isBehind else { return false }
        isWoken = true
        return true
    }

    /// What is to be done next.
    mutating func step() -> Step {
        isWoken = false
        guard let piece = pieces.first else { return .nothing }
        guard unflushedCount == 0 || unflushedCount + piece.count <= Self.pieceCountMax else { return .flush }
        pieces.removeFirst()
        takenCount = piece.count
        return .pass(piece)
    }

    /// The piece that was taken is passed on.
    mutating func hasPassed() {
        count -= takenCount
        unflushedCount += takenCount
        takenCount = 0
    }

    mutating func hasFlushed() { (unflushedCount, isBehind) = (0, false) }

    /// Lets go what was not taken; returns how many spans that were.
    mutating func removeAll() -> Int {
        defer { (pieces, count) = ([], takenCount) }
        return count - takenCount
    }
}
