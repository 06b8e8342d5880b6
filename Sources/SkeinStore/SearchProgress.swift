// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// How far a search has come, for whoever waits for it.
///
/// A store tells the one that is ``current`` where a search or a fold begins, and need not tell anything.
package final class SearchProgress: Sendable {
    /// Told by the searches of the task.
    @TaskLocal package static var current: SearchProgress?

    /// What is known of one search, or of several that follow each other.
    package struct Figures: Hashable, Sendable {
        /// Blocks of which all is looked at that had to be.
        package var blocksDone = 0
        /// Blocks that may have something to be looked at.
        package var blockCount = 0
        /// Spans that were looked at.
        package var spanCount = 0
    }

    fileprivate struct State {
        var figures = Figures()
        /// Pieces of each block that are still to be looked at.
        var pieceCounts: [Int: Int] = [:]
        var blocksDone = 0
    }

    private let state = Mutex(State())

    package init() {}

    package var figures: Figures { state.withLock { $0.figures } }

    /// A search begins that may look at so many blocks. What one before has done stays done.
    package func begin(blockCount: Int) {
        state.withLock { state in
            state.figures.blockCount = blockCount
            state.figures.blocksDone = min(state.figures.blocksDone, blockCount)
            (state.pieceCounts, state.blocksDone) = ([:], 0)
        }
    }

    /// Block `number` has so many pieces to be looked at; with none it is done.
    package func open(block number: Int, pieceCount: Int) {
        state.withLock { state in
            state.pieceCounts[number] = pieceCount
            if pieceCount == 0 { state.noteBlock() }
        }
    }

    /// A piece of a block was looked at.
    package func finishPiece(ofBlock number: Int) {
        state.withLock { state in
            guard let left = state.pieceCounts[number] else { return }
            state.pieceCounts[number] = left - 1
            if left == 1 { state.noteBlock() }
        }
    }

    /// So many more spans were looked at.
    package func add(spanCount: Int) { state.withLock { $0.figures.spanCount += spanCount } }
}

extension SearchProgress.State {
    fileprivate mutating func noteBlock() {
        blocksDone += 1
        figures.blocksDone = min(max(figures.blocksDone, blocksDone), figures.blockCount)
    }
}
