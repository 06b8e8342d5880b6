// SPDX-License-Identifier: Apache-2.0
import Dispatch
import SkeinStore
import Synchronization

/// Runs reads on threads that may wait for the disk, so that those of the cooperative pool need not.
final class ReadQueue: Sendable {
    private let queue = DispatchQueue(label: "skein.read", attributes: .concurrent)
    private let running = Atomic<Int>(0)

    /// Reads under way.
    var runningCount: Int { running.load(ordering: .relaxed) }

    /// Runs `body` and returns what it returns. `body` asks the flag now and then, and stops when the task was cancelled.
    func run<T: Sendable>(
        _ body: @escaping @Sendable (Cancellation) throws(StoreError) -> T
    ) async throws(StoreError) -> T {
        let cancellation = Cancellation()
        running.add(1, ordering: .relaxed)
        defer { running.subtract(1, ordering: .relaxed) }
        let result: Result<T, StoreError> = await withTaskCancellationHandler {
            await withCheckedContinuation { done in
                queue.async {
                    do throws(StoreError) {
                        try cancellation.check()
                        done.resume(returning: .success(try body(cancellation)))
                    } catch {
                        done.resume(returning: .failure(error))
                    }
                }
            }
        } onCancel: {
            cancellation.cancel()
        }
        return try result.get()
    }
}

/// Whether the task that asked still wants the answer.
final class Cancellation: Sendable {
    private let isCancelled = Atomic<Bool>(false)

    func cancel() { isCancelled.store(true, ordering: .relaxed) }

    /// Throws ``StoreError/Code/cancelled`` once the task was cancelled.
    func check() throws(StoreError) {
        if isCancelled.load(ordering: .relaxed) { throw StoreError(.cancelled, "the read was cancelled") }
    }
}
