// SPDX-License-Identifier: Apache-2.0
import SkeinRecording
import Synchronization

/// Passes text to whoever writes it, on a thread of its own: a terminal that is slow, or stopped, holds up no span. What waits
/// is bounded; beyond, whole spans are left out and counted.
final class ConsoleOutput: Sendable {
    private struct State {
        var pending: [UInt8] = []
        var pendingSpanCount = 0
        var isWriting = false
        /// Nobody reads any more.
        var isClosed = false
        /// Not told yet among the spans, and not told yet to who flushes.
        var untoldCount = 0
        var droppedCount = 0
    }

    private let state = Mutex(State())
    private let write: @Sendable ([UInt8]) -> Bool
    /// What is written where spans were left out.
    private let note: @Sendable (Int) -> String
    private let byteCountMax: Int

    /// `write` is called by one thread at a time, and answers whether anybody reads.
    init(
        byteCountMax: Int,
        note: @escaping @Sendable (Int) -> String,
        write: @escaping @Sendable ([UInt8]) -> Bool
    ) {
        self.byteCountMax = byteCountMax
        self.note = note
        self.write = write
    }

    /// Passes on whole lines that show so many spans.
    func append(_ text: [UInt8], spanCount: Int) {
        let mustStart = state.withLock { state in
            guard !state.isClosed, state.pending.count + text.count <= byteCountMax || state.pending.isEmpty else {
                state.untoldCount += spanCount
                state.droppedCount += spanCount
                return false
            }
            state.pending += text
            state.pendingSpanCount += spanCount
            defer { state.isWriting = true }
            return !state.isWriting
        }
        if mustStart { OwnThread.detach { self.drain() } }
    }

    /// Waits until all is written.
    func flush(by deadline: ContinuousClock.Instant) -> FlushResult {
        while true {
            let result: FlushResult? = state.withLock { state in
                if state.isWriting { return nil }
                defer { state.droppedCount = 0 }
                if state.droppedCount == 0 { return .done }
                let why = state.isClosed ? "the console takes nothing any more" : "the console is slower than spans end"
                return .failed(count: state.droppedCount, reason: "\(why); use another exporter")
            }
            if let result { return result }
            if ContinuousClock.now >= deadline {
                return .timedOut(remaining: state.withLock { max(1, $0.pendingSpanCount) })
            }
            StandardOutput.pause()
        }
    }

    private func drain() {
        while true {
            let next: (text: [UInt8], spanCount: Int)? = state.withLock { state in
                if state.pending.isEmpty && (state.untoldCount == 0 || state.isClosed) {
                    state.isWriting = false
                    return nil
                }
                var text: [UInt8] = []
                swap(&text, &state.pending)
                if state.untoldCount > 0 { text += Array(note(state.untoldCount).utf8) }
                defer { (state.untoldCount, state.pendingSpanCount) = (0, 0) }
                return (text, state.pendingSpanCount)
            }
            guard let next else { return }
            if write(next.text) { continue }
            state.withLock { state in
                state.isClosed = true
                state.droppedCount += next.spanCount + state.pendingSpanCount
                (state.pending, state.pendingSpanCount) = ([], 0)
            }
        }
    }
}
