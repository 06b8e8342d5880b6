// SPDX-License-Identifier: Apache-2.0
import Dispatch
import SkeinBase
import SkeinStore
import Synchronization

/// Runs reads on threads that may wait for the disk, so that those of the cooperative pool need not, and sees to it that
/// they take no more memory than they may.
final class ReadQueue: Sendable {
    private let budget: ByteBudget
    private let clock: any WallClock
    /// Told what did not check.
    private let damaged = Mutex<(@Sendable (StoreError) -> Void)?>(nil)
    private let queue = DispatchQueue(label: "skein.read", attributes: .concurrent)
    /// Oldest first.
    private let running = Mutex<[Cancellation]>([])

    /// Reads whose memory is counted against `budget`.
    init(budget: ByteBudget, clock: any WallClock) {
        self.budget = budget
        self.clock = clock
    }

    /// Reads under way.
    var runningCount: Int { running.withLock { $0.count } }

    /// Stops the oldest read when all take more memory than they may, as they do when what they read has left the head
    /// meanwhile and is kept for them. Without it a slow question would keep all the spans in memory that come while it is
    /// answered.
    func stopOldestOfTooMany() {
        guard budget.used > budget.limit else { return }
        let oldest = running.withLock { $0.first { !$0.isCancelled } }
        oldest?.cancel(
            StoreError(
                .unavailable,
                "spans came faster than memory allows to keep them for this question: try again, or ask for less"
            )
        )
    }

    /// Runs `body` and returns what it returns. `body` asks the flag now and then, and stops when the task was cancelled.
    /// It begins with `byteCount` bytes held, for which it waits a moment when others have them, and holds what it needs
    /// beyond.
    func run<T: Sendable>(
        holding byteCount: Int = 0,
        _ body: @escaping @Sendable (Cancellation, HeldMemory) throws(StoreError) -> T
    ) async throws(StoreError) -> T {
        let memory = HeldMemory(budget)
        try await hold(byteCount, memory)
        let cancellation = Cancellation()
        running.withLock { $0.append(cancellation) }
        defer { running.withLock { $0.removeAll { $0 === cancellation } } }
        let result: Result<T, StoreError> = await withTaskCancellationHandler {
            await withCheckedContinuation { done in
                queue.async {
                    do throws(StoreError) {
                        try cancellation.check()
                        done.resume(returning: .success(try body(cancellation, memory)))
                    } catch {
                        done.resume(returning: .failure(error))
                    }
                }
            }
        } onCancel: {
            cancellation.cancel()
        }
        do throws(StoreError) {
            return try result.get()
        } catch {
            if error.code == .corrupt { damaged.withLock { $0 }?(error) }
            throw error
        }
    }

    /// Says whom to tell that something stored did not check.
    func onDamage(_ tell: @escaping @Sendable (StoreError) -> Void) { damaged.withLock { $0 = tell } }

    private func hold(_ byteCount: Int, _ memory: HeldMemory) async throws(StoreError) {
        // Of little memory the first question may have all.
        let byteCount = min(byteCount, budget.limit)
        if await memory.grow(to: byteCount, waitingBy: clock) { return }
        if Task.isCancelled { throw StoreError(.cancelled, "the read was cancelled") }
        try memory.holdForRead(byteCount)
    }
}

/// Whether the task that asked still wants the answer.
final class Cancellation: Sendable {
    private let flag = Atomic<Bool>(false)
    private let reason = Mutex<StoreError?>(nil)

    var isCancelled: Bool { flag.load(ordering: .relaxed) }

    /// Says that the answer is not wanted any more. The first reason counts.
    func cancel(_ reason: StoreError = StoreError(.cancelled, "the read was cancelled")) {
        self.reason.withLock { $0 = $0 ?? reason }
        flag.store(true, ordering: .relaxed)
    }

    /// Throws ``StoreError/Code/cancelled``, or what else the reason is, once the read was cancelled.
    func check() throws(StoreError) {
        if isCancelled, let reason = reason.withLock({ $0 }) { throw reason }
    }
}
