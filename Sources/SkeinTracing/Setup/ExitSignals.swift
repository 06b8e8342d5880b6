// SPDX-License-Identifier: Apache-2.0
import Dispatch
import SkeinRecording
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// SIGTERM and SIGINT, for as long as nobody else handles them: without a handler they end a process at once, and what waits to
/// be exported is lost.
///
/// A handler that is there before, or is set later, stays as it is; then this one is not called.
enum ExitSignals {
    /// What is asked to end by itself, and how it is waited for.
    struct Operation: Sendable {
        var cancel: @Sendable () -> Void
        /// Signalled when it has ended.
        var end: DispatchSemaphore
    }

    private struct State {
        var operation: Operation?
        var isWatched = false
    }

    private static let state = Mutex(State())

    /// How long an operation may take to end by itself; as long as an orchestrator usually waits before it kills.
    private static let grace = Duration.seconds(30)

    /// Calls `body` on a thread of its own when one of the signals comes, and then ends the process by it. The next signal ends it
    /// at once.
    static func watch(_ body: @escaping @Sendable () -> Void) {
        let isFirst = state.withLock { state in
            defer { state.isWatched = true }
            return !state.isWatched
        }
        guard isFirst, let reader = SignalPipe.open() else { return }
        let hasStarted = OwnThread.start {
            guard let signal = SignalPipe.next(reader) else { return }
            for signal in SignalPipe.signals { SignalPipe.release(signal) }
            if let operation = state.withLock(\.operation) {
                operation.cancel()
                // What ends in time ends the process in its own way, having exported all.
                if operation.end.wait(timeout: .now() + grace.dispatch) == .success { return }
            }
            body()
            SignalPipe.end(by: signal)
        }
        guard hasStarted else { return }
        for signal in SignalPipe.signals { SignalPipe.handle(signal) }
    }

    /// What is cancelled when a signal comes, and waited for; `nil` for nothing.
    static func set(_ operation: Operation?) { state.withLock { $0.operation = operation } }
}

/// A signal handler may do next to nothing: this one writes a byte.
private enum SignalPipe {
    /// The end to write to. Written once, before the handlers are set.
    private nonisolated(unsafe) static var writer: Int32 = -1
    /// Who opened it: a child of a fork has the handler too, and must not end its parent. Written with ``writer``.
    private nonisolated(unsafe) static var owner: pid_t = 0

    static let signals = [SIGTERM, SIGINT]

    /// The end to read from; `nil` when the system has no pipe left.
    static func open() -> Int32? {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
        writer = ends[1]
        owner = getpid()
        return ends[0]
    }

    private static let handler: @convention(c) (Int32) -> Void = { number in
        guard getpid() == SignalPipe.owner else {
            // It comes as soon as this handler returns.
            signal(number, SIG_DFL)
            kill(getpid(), number)
            return
        }
        let saved = errno
        var byte = UInt8(truncatingIfNeeded: number)
        _ = write(SignalPipe.writer, &byte, 1)
        errno = saved
    }

    /// Sets the handler unless there is one.
    static func handle(_ signal: Int32) {
        var present = sigaction()
        guard sigaction(signal, nil, &present) == 0, isDefault(present) else { return }
        var action = sigaction()
        #if canImport(Darwin)
            action.__sigaction_u.__sa_handler = handler
        #else
            action.__sigaction_handler.sa_handler = handler
        #endif
        action.sa_flags = SA_RESTART
        _ = sigaction(signal, &action, nil)
    }

    private static func isOurs(_ action: sigaction) -> Bool {
        #if canImport(Darwin)
            let present = action.__sigaction_u.__sa_handler
        #else
            let present = action.__sigaction_handler.sa_handler
        #endif
        return present.map { unsafeBitCast($0, to: UInt.self) } == unsafeBitCast(handler, to: UInt.self)
    }

    private static func isDefault(_ action: sigaction) -> Bool {
        #if canImport(Darwin)
            action.__sigaction_u.__sa_handler == nil
        #else
            action.__sigaction_handler.sa_handler == nil
        #endif
    }

    /// Gives the signal back to the system, unless somebody else has taken it meanwhile.
    static func release(_ number: Int32) {
        var present = sigaction()
        guard sigaction(number, nil, &present) == 0, isOurs(present) else { return }
        signal(number, SIG_DFL)
    }

    /// Waits for a signal.
    static func next(_ reader: Int32) -> Int32? {
        var byte: UInt8 = 0
        while true {
            let count = read(reader, &byte, 1)
            if count == 1 { return Int32(byte) }
            if count == 0 || errno != EINTR { return nil }
        }
    }

    /// Ends the process as if the signal had not been handled.
    static func end(by number: Int32) {
        signal(number, SIG_DFL)
        kill(getpid(), number)
        // The first process of a container is not ended by a signal that it does not handle.
        sleep(1)
        _exit(128 + number)
    }
}
