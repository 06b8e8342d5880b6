// SPDX-License-Identifier: Apache-2.0

/// What lies between the two ends of a call, in the words of service graphs (Tempo's `connection_type`).
public enum ConnectionType: UInt8, Hashable, Sendable, CaseIterable {
    /// One service asks another.
    case direct = 0
    /// A message from producer to consumer.
    case messagingSystem = 1
    /// A database that sends no spans itself.
    case database = 2
    /// Anything else that sends no spans itself.
    case virtualNode = 3

    /// As it is written: empty for ``direct``.
    public var name: String {
        switch self {
        case .direct: ""
        case .messagingSystem: "messaging_system"
        case .database: "database"
        case .virtualNode: "virtual_node"
        }
    }
}

/// The calls between services that a trace shows: the one place that says what an edge of the service graph is.
///
/// - A span whose parent is a span of another service is a call, whatever their kinds; from a producer or to a consumer it
///   is a message. Spans without a service name are on no edge.
/// - A client or producer below which nothing of another service and no server or consumer stands calls something that
///   sends no spans: the attributes say what, see ``Peer``.
///
/// Reused from trace to trace.
package struct ServiceCalls: ~Copyable {
    /// A call between rows of the trace.
    package struct Call: Sendable, BitwiseCopyable {
        package var client: Int32
        /// -1 when the other end is not in the trace.
        package var server: Int32
        package var isMessage: Bool
    }

    private var index = ParentIndex()
    private var found = Column<Call>()
    private var isPaired = Column<Bool>()

    /// No calls.
    package init() {}

    /// Whether two rows share id and kind: the caller drops copies and finds the calls anew.
    package var hasCopies: Bool { index.hasCopies }
    package var count: Int { found.count }
    package subscript(call: Int) -> Call { found[call] }

    /// Finds the calls among `rows`, which are of one trace and each there once: those between two of them by the row of
    /// the receiving side, then those to the outside by row.
    package mutating func find(_ rows: ParentIndex.Rows) {
        let count = rows.spanIDs.count
        found.removeAll()
        isPaired.removeAll()
        index.build(rows)
        isPaired.append(false, copies: count)
        for row in 0..<count {
            let parent = index.parents[row]
            guard parent >= 0 else { continue }
            let (caller, callee) = (rows.services[Int(parent)], rows.services[row])
            if caller != callee, caller != 0, callee != 0 {
                let isMessage =
                    Self.producer == rows.kinds[Int(parent)] || Self.consumer == rows.kinds[row]
                found.append(Call(client: parent, server: Int32(row), isMessage: isMessage))
                isPaired[Int(parent)] = true
            } else if Self.server == rows.kinds[row] || Self.consumer == rows.kinds[row] {
                isPaired[Int(parent)] = true
            }
        }
        for row in 0..<count where !isPaired[row] && rows.services[row] != 0 {
            let isMessage = rows.kinds[row] == Self.producer
            guard isMessage || rows.kinds[row] == Self.client else { continue }
            found.append(Call(client: Int32(row), server: -1, isMessage: isMessage))
        }
    }

    /// Finds the calls among the spans of `batch`, which are of one trace and each there once.
    package mutating func find(_ batch: SpanBatch) { batch.withParentRows { find($0) } }

    private static let server = Span.Kind.server.rawValue
    private static let consumer = Span.Kind.consumer.rawValue
    private static let client = Span.Kind.client.rawValue
    private static let producer = Span.Kind.producer.rawValue
}

/// What a client or producer span says of the other end (OpenTelemetry semantic conventions 1.37, and the older names).
package struct Peer: Hashable, Sendable {
    package var connection: ConnectionType
    /// The attribute whose text names the other end.
    package var key: Key

    /// The attributes that are looked at: the earlier ones say it better. A database is called by where it is: its
    /// namespace is often named like the service that uses it.
    package enum Key: UInt8, Hashable, Sendable, CaseIterable {
        case peerService, messagingDestinationName, messagingDestination, messagingSystem
        case serverAddress, netPeerName, networkPeerAddress
        case dbName, dbNamespace, dbSystemName, dbSystem

        /// The attribute's key.
        package var name: String {
            switch self {
            case .peerService: "peer.service"
            case .dbName: "db.name"
            case .dbNamespace: "db.namespace"
            case .dbSystemName: "db.system.name"
            case .dbSystem: "db.system"
            case .messagingDestinationName: "messaging.destination.name"
            case .messagingDestination: "messaging.destination"
            case .messagingSystem: "messaging.system"
            case .serverAddress: "server.address"
            case .netPeerName: "net.peer.name"
            case .networkPeerAddress: "network.peer.address"
            }
        }

        /// A set of this key.
        package var bit: UInt16 { 1 << UInt16(rawValue) }
    }

    private static let databaseBits = Key.dbName.bit | Key.dbNamespace.bit | Key.dbSystemName.bit | Key.dbSystem.bit
    private static let messagingBits =
        Key.messagingDestinationName.bit | Key.messagingDestination.bit | Key.messagingSystem.bit
    private static let commonBits =
        Key.peerService.bit | Key.serverAddress.bit | Key.netPeerName.bit | Key.networkPeerAddress.bit

    /// What the span calls; `nil` when it does not say.
    ///
    /// - Parameters:
    ///   - isMessage: Whether the span is a producer.
    ///   - present: The ``Key/bit`` of each attribute that is a string and not empty.
    package init?(isMessage: Bool, present: UInt16) {
        var named = present & Self.commonBits
        if present & Self.databaseBits != 0 {
            connection = .database
            named |= present & Self.databaseBits
        } else if isMessage || present & Self.messagingBits != 0 {
            connection = .messagingSystem
            named |= present & Self.messagingBits
        } else {
            connection = .virtualNode
        }
        // The first that is there, in the order of the cases.
        guard let key = Key(rawValue: UInt8(named.trailingZeroBitCount)) else { return nil }
        self.key = key
    }
}
