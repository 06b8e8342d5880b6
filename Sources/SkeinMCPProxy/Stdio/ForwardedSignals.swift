// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Passes signals on to a child, once each, also those that come before it is there.
///
/// What this process was told to ignore when it was started it goes on ignoring, and so does its child.
final class ForwardedSignals: Sendable {
    private struct State: ~Copyable {
        var child: pid_t?
        var early: [Int32] = []
        /// What is done when a signal comes after the child's end.
        var whenLate: (@Sendable () -> Void)?
        var sources: [any DispatchSourceSignal] = []
    }

    /// Signals that this process handles otherwise than it was told to.
    let taken: [Int32]
    private let state = Mutex(State())

    private static let forwarded = [SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2]

    init() {
        let forwarded = Self.forwarded.filter { !Self.isIgnored($0) }
        taken = forwarded + (Self.isIgnored(SIGPIPE) ? [] : [SIGPIPE])
        signal(SIGPIPE, SIG_IGN)
        state.withLock { state in
            for number in forwarded {
                signal(number, SIG_IGN)
                let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
                source.setEventHandler { [weak self] in self?.pass(number) }
                source.resume()
                state.sources.append(source)
            }
        }
    }

    func forward(to child: pid_t) {
        let early = state.withLock { state in
            state.child = child
            defer { state.early = [] }
            return state.early
        }
        for number in early { kill(child, number) }
    }

    /// The child is about to be gone, and then its number may be another's. A signal that comes from here on calls `whenLate`, and ends
    /// nothing by itself, or the child's exit code would be lost.
    func stop(whenLate: @escaping @Sendable () -> Void) {
        state.withLock { state in
            state.child = nil
            state.whenLate = whenLate
        }
    }

    private func pass(_ number: Int32) {
        let late = state.withLock { state -> (@Sendable () -> Void)? in
            if let whenLate = state.whenLate { return whenLate }
            guard let child = state.child else {
                state.early.append(number)
                return nil
            }
            if !TerminalSession.sends(number) { kill(child, number) }
            return nil
        }
        late?()
    }

    private static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        guard sigaction(number, nil, &action) == 0 else { return false }
        #if canImport(Darwin)
            let handler = action.__sigaction_u.__sa_handler
        #else
            let handler = action.__sigaction_handler.sa_handler
        #endif
        // SIG_IGN is the number 1.
        return handler.map { unsafeBitCast($0, to: UInt.self) } == 1
    }
}
