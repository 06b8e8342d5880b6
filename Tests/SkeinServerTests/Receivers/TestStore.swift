// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import SkeinTestKit
import Synchronization

/// A memory store whose appends can be made to fail or to wait.
final class TestStore: StoreWrapper {
    enum Mode: Hashable, Sendable {
        case keep
        case fail(StoreError.Code)
        /// Appends wait until ``release()``, lists of services until they are cancelled.
        case hold
    }

    private struct State: ~Copyable {
        var mode = Mode.keep
        var waiting: [CheckedContinuation<Void, Never>] = []
        var appendCount = 0
    }

    let memory = MemoryStore()
    var wrapped: any SpanStore { memory }
    private let state = Mutex(State())

    init(_ mode: Mode = .keep) { state.withLock { $0.mode = mode } }

    func set(_ mode: Mode) { state.withLock { $0.mode = mode } }

    /// Appends so far, failed ones included.
    var appendCount: Int { state.withLock { $0.appendCount } }
    /// Appends that wait now.
    var waitingCount: Int { state.withLock { $0.waiting.count } }

    /// Lets held appends go on, and later ones too.
    func release() {
        let waiting = state.withLock { state in
            state.mode = .keep
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func append(_ batch: SpanBatch) async throws(StoreError) {
        let mode = state.withLock { state in
            state.appendCount += 1
            return state.mode
        }
        switch mode {
        case .keep: break
        case .fail(let code): throw StoreError(code, "the test's store is \(code.rawValue)")
        case .hold:
            await withCheckedContinuation { continuation in state.withLock { $0.waiting.append(continuation) } }
        }
        try await memory.append(batch)
    }

    func services(prefix: String, limit: Int) async throws(StoreError) -> NameList<ServiceName> {
        guard state.withLock({ $0.mode == .hold }) else {
            return try await memory.services(prefix: prefix, limit: limit)
        }
        try? await Task.sleep(for: .seconds(60))
        throw StoreError(.cancelled, "the test has ended")
    }
}
