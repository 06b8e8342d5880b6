// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
    // `stdout` is a variable, which nobody changes.
    @preconcurrency import Glibc
#elseif canImport(Musl)
    @preconcurrency import Musl
#else
    @preconcurrency import Darwin
#endif

/// The standard output of the process.
enum StandardOutput {
    private static let descriptor: Int32 = 1
    /// How often it is asked whether an output that does not wait has room again, and how long each time.
    private static let attemptCountMax = 10
    private static let waitMillis: Int32 = 1000

    static var isTerminal: Bool { isatty(descriptor) == 1 }

    /// Whether colours are wanted: nobody says `NO_COLOR` (no-color.org), and the terminal has some.
    static var hasColors: Bool { variable("NO_COLOR").isEmpty && variable("TERM") != "dumb" }

    /// Writes whole lines, and answers whether anybody reads. Who reads no more ends no process: the signal that the system
    /// sends for it is taken away again.
    static func write(_ bytes: [UInt8]) -> Bool {
        var pipe = sigset_t()
        var before = sigset_t()
        sigemptyset(&pipe)
        sigaddset(&pipe, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &pipe, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        // What the program has printed stands before, and no line of it is cut.
        fflush(stdout)
        let isRead = bytes.withUnsafeBytes { writeAll($0) }
        if !isRead {
            var pending = sigset_t()
            sigpending(&pending)
            var signal: Int32 = 0
            if sigismember(&pending, SIGPIPE) == 1 { sigwait(&pipe, &signal) }
        }
        return isRead
    }

    private static func writeAll(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var rest = bytes[...]
        var attemptCount = 0
        while !rest.isEmpty {
            let count = systemWrite(UnsafeRawBufferPointer(rebasing: rest))
            if count > 0 {
                rest = rest.dropFirst(count)
                attemptCount = 0
            } else if errno == EAGAIN, attemptCount < attemptCountMax {
                attemptCount += 1
                var waited = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&waited, 1, waitMillis)
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }

    private static func systemWrite(_ bytes: UnsafeRawBufferPointer) -> Int {
        #if canImport(Glibc)
            Glibc.write(descriptor, bytes.baseAddress, bytes.count)
        #elseif canImport(Musl)
            Musl.write(descriptor, bytes.baseAddress, bytes.count)
        #else
            Darwin.write(descriptor, bytes.baseAddress, bytes.count)
        #endif
    }

    /// The time of the day, here, of seconds since 1970.
    static func localTime(_ seconds: Int64) -> (hour: Int, minute: Int, second: Int) {
        var moment = time_t(clamping: seconds)
        var parts = tm()
        localtime_r(&moment, &parts)
        return (Int(parts.tm_hour), Int(parts.tm_min), Int(parts.tm_sec))
    }

    /// A millisecond.
    static func pause() { usleep(1000) }

    private static func variable(_ name: String) -> String { getenv(name).map { String(cString: $0) } ?? "" }
}
