// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import Synchronization

/// A clock that stands still until a test moves it.
package final class SimulatedClock: WallClock {
    private struct Sleeper {
        var id: Int
        var until: UInt64
        var wake: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var nanos: UInt64
        var unixOffset: UInt64
        var nextID = 0
        var sleepers: [Sleeper] = []
        var cancelled: Set<Int> = []
    }

    private let state: Mutex<State>

    /// A clock that stands at `unixNanos`.
    package init(unixNanos: UInt64 = 1_800_000_000_000_000_000) {
        state = Mutex(State(nanos: 1, unixOffset: unixNanos))
    }

    package var unixNanos: UInt64 { state.withLock { $0.unixOffset &+ $0.nanos } }
    package var monotonicNanos: UInt64 { state.withLock { $0.nanos } }

    /// Lets time pass and wakes who slept that long.
    package func advance(by duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let nanos = UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
        let woken = state.withLock { state in
            state.nanos += nanos
            let woken = state.sleepers.filter { $0.until <= state.nanos }
            state.sleepers.removeAll { $0.until <= state.nanos }
            return woken
        }
        for sleeper in woken { sleeper.wake.resume() }
    }

    /// How many tasks sleep by this clock.
    package var sleeperCount: Int { state.withLock { $0.sleepers.count } }

    package func sleep(nanos: UInt64) async throws {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { wake in
                let isCancelled = state.withLock { state in
                    if state.cancelled.remove(id) != nil { return true }
                    state.sleepers.append(Sleeper(id: id, until: state.nanos &+ nanos, wake: wake))
                    return false
                }
                if isCancelled { wake.resume(throwing: CancellationError()) }
            }
        } onCancel: {
            let sleeper = state.withLock { state -> Sleeper? in
                guard let index = state.sleepers.firstIndex(where: { $0.id == id }) else {
                    state.cancelled.insert(id)
                    return nil
                }
                return state.sleepers.remove(at: index)
            }
            sleeper?.wake.resume(throwing: CancellationError())
        }
    }
}
