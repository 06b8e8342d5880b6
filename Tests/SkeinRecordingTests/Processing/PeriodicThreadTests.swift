// SPDX-License-Identifier: Apache-2.0
import SkeinRecording
import Synchronization
import Testing

@Suite struct PeriodicThreadTests {
    private final class Calls: Sendable {
        let count = Atomic(0)
    }

    @Test(.timeLimit(.minutes(1))) func `who wakes it ends its pause`() async {
        let (calls, waker) = (Calls(), PeriodicThread.Waker())
        let thread = PeriodicThread(waker) {
            calls.count.add(1, ordering: .relaxed)
            return .seconds(86_400)
        }
        waker.wake()
        while calls.count.load(ordering: .relaxed) < 2 { await Task.yield() }
        #expect(thread.isRunning)
        thread.stop()
    }
}
