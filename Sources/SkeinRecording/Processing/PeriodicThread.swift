// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Synchronization

/// Calls a function over and over on a thread of its own, until it is stopped or let go.
package final class PeriodicThread: Sendable {
    /// Ends a pause before its time.
    package final class Waker: Sendable {
        fileprivate let signal = DispatchSemaphore(value: 0)
        fileprivate let isStopped = Atomic(false)

        package init() {}

        package func wake() { signal.signal() }
    }

    /// Whether there is a thread.
    package let isRunning: Bool
    private let waker: Waker

    /// `body`, which is called at once, says how long to wait until the next time, at most a day; `waker` makes that time now. Where
    /// no thread is to be had it is never called.
    package init(_ waker: Waker = Waker(), _ body: @escaping @Sendable () -> Duration) {
        self.waker = waker
        isRunning = OwnThread.start {
            while !waker.isStopped.load(ordering: .relaxed) {
                let pause = min(body(), .seconds(86_400))
                _ = waker.signal.wait(timeout: .now() + .nanoseconds(Int(clamping: pause.nanos)))
            }
        }
    }

    /// Ends it; a call of the function that goes on is not waited for. Further calls do nothing.
    package func stop() {
        waker.isStopped.store(true, ordering: .relaxed)
        waker.wake()
    }

    deinit { stop() }
}
