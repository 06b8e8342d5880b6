// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The terminal that this process may be controlled by, as far as it matters for who gets which signal.
enum TerminalSession {
    /// Whether there is one. Without, a child has a group of its own: what is sent to the group of this process, as clients do to end
    /// their servers, would reach it twice, directly and passed on. With a terminal it has to stay where it may ask for a password.
    static let exists: Bool = {
        let terminal = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC)
        guard terminal >= 0 else { return false }
        Descriptor(number: terminal).close()
        return true
    }()

    /// Whether a signal comes from its keyboard, which sends it to the whole group in front, so that a child of that group has it.
    static func sends(_ signal: Int32) -> Bool {
        guard signal == SIGINT || signal == SIGQUIT, exists else { return false }
        let terminal = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC)
        guard terminal >= 0 else { return false }
        defer { Descriptor(number: terminal).close() }
        return tcgetpgrp(terminal) == getpgrp()
    }
}
