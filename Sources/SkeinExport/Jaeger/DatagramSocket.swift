// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A UDP socket to one of the addresses of a host, opened when it is needed and anew when sending fails.
struct DatagramSocket: ~Copyable {
    enum Outcome: Equatable {
        case sent
        /// The datagram is too large for the way; the next may not be.
        case tooLarge(String)
        /// Nobody takes anything at the moment.
        case failed(String)
    }

    let host: String
    let port: UInt16
    /// Bytes of the largest datagram, for which the system is asked to have room.
    let byteCountMax: Int
    /// Negative while it is closed.
    private var descriptor: Int32 = -1
    /// Which of the addresses of the host comes next, counted on and on; it moves where one does not take anything.
    private var turn = 0

    init(host: String, port: UInt16, byteCountMax: Int) {
        self.host = host
        self.port = port
        self.byteCountMax = byteCountMax
    }

    deinit { if descriptor >= 0 { _ = systemClose(descriptor) } }

    /// How often a datagram is sent at most, each time to the next address.
    private static let attemptCountMax = 3

    /// Sends one datagram. Waits for room in the system's buffer until `deadline`, and for name servers as long as they take.
    mutating func send(_ bytes: UnsafeRawBufferPointer, by deadline: ContinuousClock.Instant) -> Outcome {
        var outcome = Outcome.sent
        for _ in 0..<Self.attemptCountMax {
            if descriptor < 0, let problem = open() { return .failed(problem) }
            outcome = attempt(bytes, by: deadline)
            guard case .failed = outcome else { return outcome }
            close()
            turn &+= 1
        }
        return outcome
    }

    mutating func close() {
        if descriptor >= 0 { _ = systemClose(descriptor) }
        descriptor = -1
    }

    private func attempt(_ bytes: UnsafeRawBufferPointer, by deadline: ContinuousClock.Instant) -> Outcome {
        while true {
            if systemSend(descriptor, bytes) >= 0 { break }
            switch errno {
            case EINTR: continue
            case EMSGSIZE:
                return .tooLarge("the system sends no datagram of \(bytes.count) bytes to \(host) port \(port)")
            case EAGAIN, EWOULDBLOCK, ENOBUFS:
                guard ContinuousClock.now < deadline else {
                    return .failed("the buffer of the socket to \(host) port \(port) stayed full")
                }
                usleep(Self.waitMicros)
            default: return .failed(refusal(errno))
            }
        }
        // On the way through one machine it is known at once that nobody listens; otherwise the next datagram meets it.
        var code: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size)
        return code == 0 ? .sent : .failed(refusal(code))
    }

    private static let waitMicros: UInt32 = 1000

    private func refusal(_ code: Int32) -> String {
        "\(host) port \(port) took no datagram: \(Self.text(code)); is an agent running there?"
    }

    /// What is wrong, or `nil`.
    private mutating func open() -> String? {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = datagramType
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &list)
        guard code == 0, let list else {
            return "the host \(host) has no address: \(String(cString: gai_strerror(code)))"
        }
        defer { freeaddrinfo(list) }
        var addresses: [UnsafeMutablePointer<addrinfo>] = []
        var next: UnsafeMutablePointer<addrinfo>? = list
        while let address = next {
            addresses.append(address)
            next = address.pointee.ai_next
        }
        var problem: Int32 = 0
        for _ in addresses {
            let address = addresses[turn % addresses.count].pointee
            let opened = socket(address.ai_family, address.ai_socktype, address.ai_protocol)
            if opened >= 0 {
                if connect(opened, address.ai_addr, address.ai_addrlen) == 0 {
                    descriptor = opened
                    prepare()
                    return nil
                }
                problem = errno
                _ = systemClose(opened)
            } else {
                problem = errno
            }
            turn &+= 1
        }
        return "no socket to \(host) port \(port): \(Self.text(problem))"
    }

    private func prepare() {
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        // Where a buffer is smaller than a datagram the system refuses it.
        var room: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &room, &size)
        if Int(room) < byteCountMax {
            var wanted = Int32(clamping: byteCountMax)
            setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &wanted, size)
        }
    }

    private static func text(_ code: Int32) -> String { String(cString: strerror(code)) }
}

private func systemClose(_ descriptor: Int32) -> Int32 { close(descriptor) }

/// Sends without waiting. Datagrams raise no `SIGPIPE`.
private func systemSend(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_DONTWAIT))
}

#if canImport(Glibc)
    private let datagramType = Int32(SOCK_DGRAM.rawValue)
#else
    private let datagramType = SOCK_DGRAM
#endif
