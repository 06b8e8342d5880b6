// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The server that is started: its pipes, its signals, its end. Everything else it inherits, standard error before all.
struct ChildProcess: Sendable {
    let id: pid_t
    /// What it reads.
    let input: Descriptor
    /// What it writes.
    let output: Descriptor

    /// Why a process was not started.
    struct Failure: Error {
        var message: String
        /// As of a shell: 127 for a command that is not there, 126 for one that cannot be run.
        var exitCode: Int32
    }

    /// Starts a command, which is looked for as a shell does. `defaultSignals` are to it as to any new process, although they are not
    /// to this one. `baggage` is put in place of the variable `BAGGAGE`, if there is one.
    init(_ command: [String], defaultSignals: [Int32], baggage: String? = nil) throws(Failure) {
        guard let name = command.first else { throw Failure(message: "there is no command", exitCode: 127) }
        guard let toChild = Descriptor.pipe(), let fromChild = Descriptor.pipe() else {
            throw Failure(message: "the system has no pipe left: \(Self.text(errno))", exitCode: 126)
        }
        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        let (code, id) = Self.spawn(
            name,
            arguments,
            standardInput: toChild.reader,
            standardOutput: fromChild.writer,
            defaultSignals,
            baggage
        )
        toChild.reader.close()
        fromChild.writer.close()
        guard code == 0 else {
            toChild.writer.close()
            fromChild.reader.close()
            throw Failure(
                message: "\"\(name)\" cannot be started: \(Self.text(code))",
                exitCode: code == ENOENT ? 127 : 126
            )
        }
        self.id = id
        input = toChild.writer
        output = fromChild.reader
    }

    private static func spawn(
        _ name: String,
        _ arguments: [UnsafeMutablePointer<CChar>?],
        standardInput: Descriptor,
        standardOutput: Descriptor,
        _ defaultSignals: [Int32],
        _ baggage: String?
    ) -> (code: Int32, id: pid_t) {
        #if canImport(Darwin)
            var actions: posix_spawn_file_actions_t?
            var attributes: posix_spawnattr_t?
        #else
            var actions = posix_spawn_file_actions_t()
            var attributes = posix_spawnattr_t()
        #endif
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, standardInput.number, 0)
        posix_spawn_file_actions_adddup2(&actions, standardOutput.number, 1)
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        for signal in defaultSignals { sigaddset(&signals, signal) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        var flags = Int16(POSIX_SPAWN_SETSIGDEF) | Int16(POSIX_SPAWN_SETSIGMASK)
        if !TerminalSession.exists {
            posix_spawnattr_setpgroup(&attributes, 0)
            flags |= Int16(POSIX_SPAWN_SETPGROUP)
        }
        posix_spawnattr_setflags(&attributes, flags)
        var id = pid_t()
        #if canImport(Darwin)
            let inherited = _NSGetEnviron().pointee
        #else
            let inherited = environ
        #endif
        let own = baggage.flatMap { strdup("BAGGAGE=\($0)") }
        defer { free(own) }
        var variables = Self.pointers(inherited)
        if let own {
            for index in variables.indices where variables[index].map({ strncmp($0, own, 8) == 0 }) == true {
                variables[index] = own
            }
        }
        variables.append(nil)
        // Where it is inherited as ignored, the exit code would be lost.
        signal(SIGCHLD, SIG_DFL)
        let code = posix_spawnp(&id, name, &actions, &attributes, arguments, variables)
        return (code, id)
    }

    /// Those of a list that ends in none.
    private static func pointers(
        _ list: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
    ) -> [UnsafeMutablePointer<CChar>?] {
        guard let list else { return [] }
        var pointers: [UnsafeMutablePointer<CChar>?] = []
        while let pointer = list[pointers.count] { pointers.append(pointer) }
        return pointers
    }

    private static func text(_ code: Int32) -> String { String(cString: strerror(code)) }

    /// Waits for the end, and leaves it to be asked for by ``exitCode()``: until then its number is nobody else's.
    func waitForEnd() {
        var information = siginfo_t()
        while waitid(P_PID, id_t(id), &information, WEXITED | WNOWAIT) < 0, errno == EINTR {}
    }

    /// Its exit code once it has ended, or 128 and the number of the signal that ended it.
    func exitCode() -> Int32 {
        var status: Int32 = 0
        while waitpid(id, &status, 0) < 0 {
            if errno != EINTR { return 1 }
        }
        let signal = status & 0x7f
        return signal == 0 ? (status >> 8) & 0xff : 128 + signal
    }
}
