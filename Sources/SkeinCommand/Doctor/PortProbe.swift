// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Tries a port without leaving anything behind.
enum PortProbe {
    /// What came of it.
    enum Result: Hashable, Sendable {
        case done
        /// The system's reason.
        case refused(String)
    }

    /// Whether something takes TCP connections at `host:port`.
    static func connect(host: String, port: Int) -> Result {
        attempt(host, port, stream: true) { socket, address, length in Self.connect(socket, address, length) }
    }

    /// Whether `host:port` is free to listen on.
    static func bind(host: String, port: Int, isUDP: Bool) -> Result {
        attempt(host, port, stream: !isUDP) { socket, address, length in
            // As servers do: a connection that lingers from the last run is no obstacle.
            var yes: Int32 = 1
            if !isUDP {
                setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
            }
            guard Self.bind(socket, address, length) == 0 else { return -1 }
            return isUDP ? 0 : listen(socket, 1)
        }
    }

    private static func attempt(
        _ host: String,
        _ port: Int,
        stream: Bool,
        _ body: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Result {
        var hints = addrinfo()
        #if canImport(Glibc)
            hints.ai_socktype = Int32((stream ? SOCK_STREAM : SOCK_DGRAM).rawValue)
        #else
            hints.ai_socktype = stream ? SOCK_STREAM : SOCK_DGRAM
        #endif
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &list) == 0, let first = list else {
            return .refused("the name \(host) is not known")
        }
        defer { freeaddrinfo(list) }
        let socket = socket(first.pointee.ai_family, first.pointee.ai_socktype, 0)
        guard socket >= 0, let address = first.pointee.ai_addr else { return .refused(reason()) }
        defer { close(socket) }
        var patience = timeval(tv_sec: 2, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        return body(socket, address, first.pointee.ai_addrlen) == 0 ? .done : .refused(reason())
    }

    private static func reason() -> String { String(cString: strerror(errno)) }

    // The system's functions, which ours of the same name would hide.
    private static func connect(_ socket: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> Int32 {
        #if canImport(Glibc)
            Glibc.connect(socket, address, length)
        #elseif canImport(Musl)
            Musl.connect(socket, address, length)
        #else
            Darwin.connect(socket, address, length)
        #endif
    }

    private static func bind(_ socket: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> Int32 {
        #if canImport(Glibc)
            Glibc.bind(socket, address, length)
        #elseif canImport(Musl)
            Musl.bind(socket, address, length)
        #else
            Darwin.bind(socket, address, length)
        #endif
    }
}
