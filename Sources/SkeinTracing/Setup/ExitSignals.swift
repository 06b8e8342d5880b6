// SPDX-License-Identifier: Apache-2.0
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
    private struct State {
        /// Gets what was asked to end a chance to end by itself.
        var onSignal: (@Sendable () -> Void)?
        var isWatched = false
    }

    private static let state = Mutex(State())

    /// How long what is asked to end by itself may take.
    private static let graceSeconds: UInt32 = 5

    /// Calls `body` on a thread of its own when one of the signals comes, and then ends the process by it.
    static func watch(_ body: @escaping @Sendable () -> Void) {
        let isFirst = state.withLock { state in
            defer { state.isWatched = true }
            return !state.isWatched
        }
        guard isFirst, let reader = SignalPipe.open() else { return }
        for signal in [SIGTERM, SIGINT] { SignalPipe.handle(signal) }
        OwnThread.detach {
            guard let signal = SignalPipe.next(reader) else { return }
            if let onSignal = state.withLock(\.onSignal) {
                onSignal()
                // The end of what was cancelled ends the process, and this thread with it.
                sleep(graceSeconds)
            }
            body()
            SignalPipe.end(by: signal)
        }
    }

    /// What is called first when a signal comes; `nil` for nothing.
    static func onSignal(_ body: (@Sendable () -> Void)?) { state.withLock { $0.onSignal = body } }
}

/// A signal handler may do next to nothing: this one writes a byte.
private enum SignalPipe {
    /// The end to write to. Written once, before the handlers are set.
    private nonisolated(unsafe) static var writer: Int32 = -1

    /// The end to read from; `nil` when the system has no pipe left.
    static func open() -> Int32? {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        writer = ends[1]
        return ends[0]
    }

    /// Sets the handler unless there is one.
    static func handle(_ signal: Int32) {
        var present = sigaction()
        guard sigaction(signal, nil, &present) == 0, isDefault(present) else { return }
        var action = sigaction()
        let handler: @convention(c) (Int32) -> Void = { signal in
            let saved = errno
            var byte = UInt8(truncatingIfNeeded: signal)
            _ = write(SignalPipe.writer, &byte, 1)
            errno = saved
        }
        #if canImport(Darwin)
            action.__sigaction_u.__sa_handler = handler
        #else
            action.__sigaction_handler.sa_handler = handler
        #endif
        action.sa_flags = SA_RESTART
        _ = sigaction(signal, &action, nil)
    }

    private static func isDefault(_ action: sigaction) -> Bool {
        #if canImport(Darwin)
            action.__sigaction_u.__sa_handler == nil
        #else
            action.__sigaction_handler.sa_handler == nil
        #endif
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
    }
}
