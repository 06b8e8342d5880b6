// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinExport
import SkeinModel
import SkeinRecording
import SkeinWire
import Testing
import Tracing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

@Suite struct JaegerUDPTests {
    /// A socket that takes what an agent takes, on one address of this machine.
    private final class Agent {
        let port: UInt16
        private let descriptor: Int32

        /// `nil` where the machine has no such address, or the port is taken.
        init?(_ host: String = "127.0.0.1", port: UInt16 = 0) {
            var hints = addrinfo()
            hints.ai_flags = AI_NUMERICHOST
            #if canImport(Glibc)
                hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
            #else
                hints.ai_socktype = SOCK_DGRAM
            #endif
            var list: UnsafeMutablePointer<addrinfo>?
            guard getaddrinfo(host, String(port), &hints, &list) == 0, let address = list?.pointee else { return nil }
            defer { freeaddrinfo(list) }
            let descriptor = socket(address.ai_family, address.ai_socktype, 0)
            guard descriptor >= 0 else { return nil }
            guard bind(descriptor, address.ai_addr, address.ai_addrlen) == 0 else {
                close(descriptor)
                return nil
            }
            var own = sockaddr_in6()
            var size = socklen_t(MemoryLayout<sockaddr_in6>.size)
            let code = withUnsafeMutablePointer(to: &own) { own in
                own.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
            }
            guard code == 0 else {
                close(descriptor)
                return nil
            }
            self.descriptor = descriptor
            // The port stands at the same place in addresses of both kinds.
            self.port = UInt16(bigEndian: own.sin6_port)
        }

        deinit { close(descriptor) }

        /// The datagrams that are there.
        var datagrams: [[UInt8]] {
            var datagrams: [[UInt8]] = []
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
                if count < 0 { return datagrams }
                datagrams.append(Array(buffer[..<count]))
            }
        }

        /// The names of the spans that are there.
        func names() throws -> [String] {
            var decoder = Jaeger.ThriftDecoder()
            return try datagrams.flatMap { datagram in
                let batch = try datagram.withUnsafeBytes { try decoder.decodeCompact($0, receivedUnixNanos: 1) }.batch
                return (0..<batch.count).map { batch.span(at: $0).name }
            }
        }
    }

    private func spans(_ names: String..., valueByteCount: Int = 1) -> [FinishedSpan] {
        let tracer = SampleTracer()
        for name in names { tracer.span(name) { $0.setAttribute("k", String(repeating: "v", count: valueByteCount)) } }
        return tracer.spans
    }

    private var soon: ContinuousClock.Instant { .now + .seconds(10) }

    @Test func `spans reach an agent in several exports`() throws {
        let agent = try #require(Agent())
        let exporter = JaegerUDPExporter(host: "127.0.0.1", port: agent.port)
        #expect(exporter.export(spans("a", "b"), by: soon) == .done)
        #expect(exporter.export(spans("c"), by: soon) == .done)
        #expect(try agent.names() == ["a", "b", "c"])
    }

    @Test(.enabled(if: Agent("::1") != nil, "the machine has no IPv6"))
    func `an agent may have an address of IPv6`() throws {
        let agent = try #require(Agent("::1"))
        #expect(JaegerUDPExporter(host: "::1", port: agent.port).export(spans("a"), by: soon) == .done)
        #expect(try agent.names() == ["a"])
    }

    @Test func `an agent that listens on one address only of a name is found`() throws {
        let agent = try #require(Agent("127.0.0.1"))
        #expect(JaegerUDPExporter(host: "localhost", port: agent.port).export(spans("a"), by: soon) == .done)
        #expect(try agent.names() == ["a"])
    }

    @Test func `a batch is split, and no datagram is larger than an agent takes`() throws {
        let agent = try #require(Agent())
        let spans = spans("a", "b", "c", valueByteCount: 30_000)
        #expect(JaegerUDPExporter(host: "127.0.0.1", port: agent.port).export(spans, by: soon) == .done)
        let sizes = agent.datagrams.map(\.count)
        #expect(sizes.count == 2 && sizes.allSatisfy { $0 <= 65_000 })
    }

    @Test func `a span that is too large is refused by its size, and the others arrive`() throws {
        let agent = try #require(Agent())
        let exporter = JaegerUDPExporter(host: "127.0.0.1", port: agent.port)
        let result = exporter.export(spans("a") + spans("big", valueByteCount: 65_000) + spans("b"), by: soon)
        guard case .partlyRejected(1, let reason) = result else {
            Issue.record("\(result)")
            return
        }
        #expect(reason.contains("larger than a datagram of 65000 bytes") && reason.contains("with 65"))
        #expect(Set(try agent.names()) == ["a", "b"])
    }

    @Test func `without an agent the export fails and says where, and an agent that comes later is found`() throws {
        let port = try #require(Agent()?.port)
        let exporter = JaegerUDPExporter(host: "127.0.0.1", port: port)
        guard case .failed(let reason) = exporter.export(spans("lost"), by: soon) else {
            Issue.record("nobody listens")
            return
        }
        #expect(reason.contains("127.0.0.1 port \(port)"))
        let agent = try #require(Agent(port: port))
        #expect(exporter.export(spans("a"), by: soon) == .done)
        #expect(try agent.names() == ["a"])
        exporter.shutdown()
    }

    @Test func `a host that cannot be found fails the export and names it`() {
        let host = String(repeating: "x", count: 300)
        guard case .failed(let reason) = JaegerUDPExporter(host: host).export(spans("lost"), by: soon) else {
            Issue.record("there is no such host")
            return
        }
        #expect(reason.contains("the host \(host) has no address"))
    }

    @Test func `no spans are nothing to send`() {
        #expect(JaegerUDPExporter(host: "127.0.0.1", port: 9).export([], by: soon) == .done)
    }
}
