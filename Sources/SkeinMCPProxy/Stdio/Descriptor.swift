// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A pipe, or whatever else is read and written as one, on a thread that may wait.
struct Descriptor: Sendable {
    let number: Int32

    static let standardInput = Descriptor(number: 0)
    static let standardOutput = Descriptor(number: 1)

    /// Both ends of a new pipe, which no other process inherits; `nil` when the system has none left.
    static func pipe() -> (reader: Descriptor, writer: Descriptor)? {
        var ends: [Int32] = [-1, -1]
        guard Self.systemPipe(&ends) == 0 else { return nil }
        // Nothing else is started in between that would inherit them.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (Descriptor(number: ends[0]), Descriptor(number: ends[1]))
    }

    /// Reads what there is, and waits for something; 0 at the end, and where reading fails.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        while true {
            let count = Self.systemRead(number, buffer)
            if count >= 0 { return count }
            switch errno {
            case EINTR: continue
            case EAGAIN: _ = wait(for: Int16(POLLIN), milliseconds: -1)
            default: return 0
            }
        }
    }

    /// Writes all of `bytes`; `false` when nobody reads any more.
    func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var written = 0
        while written < bytes.count {
            let count = Self.systemWrite(number, UnsafeRawBufferPointer(rebasing: bytes[written...]))
            if count >= 0 {
                written += count
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN: _ = wait(for: Int16(POLLOUT), milliseconds: -1)
            default: return false
            }
        }
        return true
    }

    /// Whether there is something to be done before the time is over; -1 for no limit.
    func wait(for events: Int16, milliseconds: Int32) -> Bool {
        var entry = pollfd(fd: number, events: events, revents: 0)
        while true {
            let count = poll(&entry, 1, milliseconds)
            if count >= 0 || errno != EINTR { return count != 0 }
        }
    }

    func close() { Self.systemClose(number) }

    /// Closes what it stands for and keeps the number, which nothing else gets then.
    func closeKeepingNumber() {
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        guard null >= 0 else { return close() }
        dup2(null, number)
        Self.systemClose(null)
    }

    private static func systemPipe(_ ends: UnsafeMutablePointer<Int32>) -> Int32 {
        #if canImport(Glibc)
            Glibc.pipe(ends)
        #elseif canImport(Musl)
            Musl.pipe(ends)
        #else
            Darwin.pipe(ends)
        #endif
    }

    private static func systemRead(_ number: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
        #if canImport(Glibc)
            Glibc.read(number, buffer.baseAddress, buffer.count)
        #elseif canImport(Musl)
            Musl.read(number, buffer.baseAddress, buffer.count)
        #else
            Darwin.read(number, buffer.baseAddress, buffer.count)
        #endif
    }

    private static func systemWrite(_ number: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        #if canImport(Glibc)
            Glibc.write(number, bytes.baseAddress, bytes.count)
        #elseif canImport(Musl)
            Musl.write(number, bytes.baseAddress, bytes.count)
        #else
            Darwin.write(number, bytes.baseAddress, bytes.count)
        #endif
    }

    private static func systemClose(_ number: Int32) {
        #if canImport(Glibc)
            _ = Glibc.close(number)
        #elseif canImport(Musl)
            _ = Musl.close(number)
        #else
            _ = Darwin.close(number)
        #endif
    }
}
