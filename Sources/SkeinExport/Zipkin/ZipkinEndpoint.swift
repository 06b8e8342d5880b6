// SPDX-License-Identifier: Apache-2.0
import SkeinRecording
import SkeinWire

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The other side of a call, as Zipkin's dependencies need it.
struct ZipkinEndpoint: Equatable {
    private(set) var serviceName: String?
    private(set) var ipv4: String?
    private(set) var ipv6: String?
    private(set) var port: UInt16?

    /// What attributes say of it, by their rank ("Remote endpoint"): a name, or the address of a socket and its port. `nil`
    /// where none of them is there.
    private static let ranks: [(name: String, port: String?)] = [
        ("peer.service", nil), ("server.address", nil), ("net.peer.name", nil),
        ("network.peer.address", "network.peer.port"), ("server.socket.domain", nil),
        ("server.socket.address", "server.socket.port"), ("net.sock.peer.name", nil),
        ("net.sock.peer.addr", "net.sock.peer.port"), ("peer.hostname", nil), ("peer.address", nil), ("db.name", nil),
    ]

    init?(remoteOf attributes: RecordedAttributes) {
        func value(_ key: String) -> RecordedValue? { attributes.pairs.first { $0.key == key }?.value }
        for rank in Self.ranks {
            guard case .string(let text)? = value(rank.name), !text.isEmpty else { continue }
            guard let portKey = rank.port else {
                serviceName = text
                return
            }
            if Self.isAddress(text, AF_INET) {
                ipv4 = text
            } else if Self.isAddress(text, AF_INET6) {
                ipv6 = text
            } else {
                serviceName = text
            }
            if case .int(let port)? = value(portKey), port > 0 { self.port = UInt16(exactly: port) }
            return
        }
        return nil
    }

    func write(to json: inout JSONWriter) {
        if let serviceName { json.member("serviceName", serviceName) }
        if let ipv4 { json.member("ipv4", ipv4) }
        if let ipv6 { json.member("ipv6", ipv6) }
        if let port { json.member("port", port) }
    }

    private static func isAddress(_ text: String, _ family: Int32) -> Bool {
        var address = in6_addr()
        return inet_pton(family, text, &address) == 1
    }
}
