// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import Synchronization

/// Datagrams between the socket and the decoder: bounded by count, by bytes and by the memory of all requests; what does
/// not fit is refused.
///
/// One producer side (the event loop) and one consumer, which takes everything that waits at once.
final class DatagramQueue: Sendable {
    private struct State: ~Copyable {
        var waiting: [[UInt8]] = []
        var memory: ByteBudget.Reservation
        var isClosed = false
        var consumer: CheckedContinuation<Void, Never>?
    }

    private let countMax: Int
    private let bytesMax: Int
    private let state: Mutex<State>

    init(countMax: Int, bytesMax: Int, budget: ByteBudget) {
        self.countMax = countMax
        self.bytesMax = bytesMax
        state = Mutex(State(memory: budget.reservation()))
    }

    /// Datagrams that wait.
    var count: Int { state.withLock { $0.waiting.count } }

    /// Holds room for another datagram of `byteCount` bytes; `false` when there is none.
    func makeRoom(for byteCount: Int) -> Bool {
        state.withLock { state in
            !state.isClosed && state.waiting.count < countMax && state.memory.count + byteCount <= bytesMax
                && state.memory.grow(to: state.memory.count + byteCount)
        }
    }

    /// Adds a datagram for which room was made.
    func append(_ datagram: [UInt8]) {
        let consumer = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.waiting.append(datagram)
            return state.consumer.take()
        }
        consumer?.resume()
    }

    /// Takes nothing more; the consumer gets the rest and then `nil`.
    func close() {
        let consumer = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.isClosed = true
            return state.consumer.take()
        }
        consumer?.resume()
    }

    /// Everything that waits, in order; waits for a first one. `nil` when closed and empty.
    func take() async -> [[UInt8]]? {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                if !state.waiting.isEmpty || state.isClosed { return true }
                state.consumer = continuation
                return false
            }
            if isReady { continuation.resume() }
        }
        return state.withLock { state in
            guard !state.waiting.isEmpty else { return nil }
            defer {
                state.waiting.removeAll(keepingCapacity: true)
                state.memory.resizeAnyway(to: 0)
            }
            return state.waiting
        }
    }
}
