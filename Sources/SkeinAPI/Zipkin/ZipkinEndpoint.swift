// SPDX-License-Identifier: Apache-2.0

/// The attributes that say where the other end of a call is (OpenTelemetry specification 1.50, "OpenTelemetry to Zipkin
/// Transformation", "Remote endpoint"), best first.
enum ZipkinPeer: Int, CaseIterable {
    case peerService, serverAddress, netPeerName, networkPeerAddress, serverSocketDomain, serverSocketAddress
    case netSockPeerName, netSockPeerAddress, peerHostname, peerAddress, dbName
    /// What receivers of Zipkin's own spans make of an address; not in the specification's list.
    case netPeerIP

    var key: String {
        switch self {
        case .peerService: "peer.service"
        case .serverAddress: "server.address"
        case .netPeerName: "net.peer.name"
        case .networkPeerAddress: "network.peer.address"
        case .serverSocketDomain: "server.socket.domain"
        case .serverSocketAddress: "server.socket.address"
        case .netSockPeerName: "net.sock.peer.name"
        case .netSockPeerAddress: "net.sock.peer.addr"
        case .peerHostname: "peer.hostname"
        case .peerAddress: "peer.address"
        case .dbName: "db.name"
        case .netPeerIP: "net.peer.ip"
        }
    }

    /// The attribute that says the port beside this one.
    var portKey: String? {
        switch self {
        case .serverAddress: "server.port"
        case .peerService, .netPeerName, .netPeerIP: "net.peer.port"
        case .networkPeerAddress: "network.peer.port"
        case .serverSocketAddress, .serverSocketDomain: "server.socket.port"
        case .netSockPeerName, .netSockPeerAddress: "net.sock.peer.port"
        case .peerHostname, .peerAddress, .dbName: nil
        }
    }

    /// Whether it says an address as numbers, which may stand beside a name.
    var isNumeric: Bool {
        switch self {
        case .networkPeerAddress, .serverSocketAddress, .netSockPeerAddress, .netPeerIP: true
        default: false
        }
    }
}

/// One end of a call as Zipkin has it.
struct ZipkinEndpoint: Equatable {
    /// In lower case; empty when unknown.
    var serviceName = ""
    var ipv4: String?
    var ipv6: String?
    /// 0 when unknown.
    var port: UInt16 = 0

    var isEmpty: Bool { self == ZipkinEndpoint() }

    /// Takes an address, or a name if it is none.
    mutating func add(_ text: String) {
        switch IPAddressText(text) {
        case .v4: ipv4 = text
        case .v6: ipv6 = text
        case nil: serviceName = text.lowercased()
        }
    }
}

/// What kind of IP address a text is.
enum IPAddressText {
    case v4, v6

    /// `nil` when it is none: four numbers up to 255, or groups of hexadecimal digits between colons, at least two of them.
    init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard (2...45).contains(bytes.count) else { return nil }
        if bytes.contains(UInt8(ascii: ":")) {
            let colons = bytes.count { $0 == UInt8(ascii: ":") }
            let isAddress = bytes.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: ":"), UInt8(ascii: "a")...UInt8(ascii: "f"),
                    UInt8(ascii: "A")...UInt8(ascii: "F"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
            guard colons >= 2, isAddress else { return nil }
            self = .v6
            return
        }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4, parts.allSatisfy({ UInt8($0) != nil && $0.utf8.first != UInt8(ascii: "+") }) else {
            return nil
        }
        self = .v4
    }
}
