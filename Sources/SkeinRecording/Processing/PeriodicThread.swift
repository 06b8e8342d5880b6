// SPDX-License-Identifier: Apache-2.0
import Dispatch

/// Calls a function over and over on a thread of its own, until it is stopped or let go.
package final class PeriodicThread: Sendable {
    /// Whether there is a thread.
    package let isRunning: Bool
    private let end = DispatchSemaphore(value: 0)

    /// `body`, which is called at once, says how long to wait until the next time, at most a day. Where no thread is to be had it
    /// is never called.
    package init(_ body: @escaping @Sendable () -> Duration) {
        let end = end
        isRunning = OwnThread.start {
            var pause: Duration
            repeat { pause = min(body(), .seconds(86_400)) } while Self.isOver(pause, end)
        }
    }

    /// Whether a pause is over before the end comes.
    private static func isOver(_ pause: Duration, _ end: DispatchSemaphore) -> Bool {
        end.wait(timeout: .now() + .nanoseconds(Int(clamping: pause.nanos))) == .timedOut
    }

    /// Ends it; a call of the function that goes on is not waited for. Further calls do nothing.
    package func stop() { end.signal() }

    deinit { stop() }
}
