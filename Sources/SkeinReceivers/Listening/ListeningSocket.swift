// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOPosix
import SkeinPipeline
import Synchronization

/// A TCP socket that is bound first and then served. What is spoken on its connections is the matter of handlers that
/// somebody else puts there.
final class ListeningSocket: Sendable {
    let name: String
    let connections: Connections
    private let address: ListenAddress
    private let channel = Mutex<(any Channel)?>(nil)

    /// A socket that is not bound yet.
    init(name: StaticString, address: ListenAddress, connectionsMax: Int, telemetry: Telemetry) {
        self.name = name.description
        self.address = address
        connections = Connections(limit: connectionsMax, name: name, telemetry: telemetry)
    }

    /// Binds the socket and returns where. `addHandlers` is called for each new connection on its event loop, before the
    /// connection is active.
    func bind(_ addHandlers: @escaping @Sendable (any Channel) throws -> Void) async throws(ListenError)
        -> ListenAddress
    {
        do {
            let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .serverChannelOption(.backlog, value: 1024)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelOption(.socketOption(.so_keepalive), value: 1)
                .childChannelOption(.recvAllocator, value: Connections.receiveAllocator)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture { try addHandlers(channel) }
                }
                .bind(host: address.host, port: address.port).get()
            self.channel.withLock { $0 = channel }
            return channel.localAddress.flatMap(ListenAddress.init) ?? address
        } catch {
            throw ListenError(name, address, error)
        }
    }

    /// Takes connections until shutdown or cancellation, then lets those that are open finish what they have in hand within
    /// `drainTime`.
    func serve(drainTime: TimeAmount) async {
        guard let channel = channel.withLock({ $0 }) else {
            preconditionFailure("\(name) is served before it is bound")
        }
        await channel.serveUntilShutdown()
        await connections.drain(grace: drainTime)
    }
}
