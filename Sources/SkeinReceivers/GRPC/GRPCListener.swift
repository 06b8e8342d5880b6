// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOHTTP2
import NIOPosix
package import SkeinBase
package import SkeinPipeline
import Synchronization

/// A gRPC socket over HTTP/2 without TLS (h2c by prior knowledge): unary calls on SwiftNIO, nothing generated
/// (decision 3).
package final class GRPCListener<Service: GRPCService>: Listener {
    package let name: String
    private let address: ListenAddress
    private let limits: GRPCLimits
    private let budget: ByteBudget
    private let service: Service
    private let connections: Connections
    private let socket = Mutex<(any Channel)?>(nil)

    /// A listener that is not bound yet. Messages are counted against `budget`.
    package init(
        name: StaticString,
        address: ListenAddress,
        limits: GRPCLimits = GRPCLimits(),
        budget: ByteBudget,
        telemetry: Telemetry,
        service: Service
    ) {
        self.name = name.description
        self.address = address
        self.limits = limits
        self.budget = budget
        self.service = service
        connections = Connections(limit: limits.connectionsMax, name: name, telemetry: telemetry)
    }

    /// Windows large enough that a batch does not wait for the peer's credit in the middle, and room for many of them;
    /// floods of resets and of control frames are cut off. Clients measure the path with a PING for each answer, so the
    /// limit on those is far above what one of them can need.
    private static func http2(_ limits: GRPCLimits) -> NIOHTTP2Handler.Configuration {
        var configuration = NIOHTTP2Handler.Configuration()
        configuration.connection.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: limits.streamsMax),
            HTTP2Setting(parameter: .maxHeaderListSize, value: limits.headerBytesMax),
            HTTP2Setting(parameter: .initialWindowSize, value: 8 << 20),
            HTTP2Setting(parameter: .maxFrameSize, value: 1 << 20),
        ]
        configuration.connection.targetWindowSize = 32 << 20
        configuration.connection.controlFrameRateLimit.maximumCount = 100_000
        configuration.stream.targetWindowSize = 8 << 20
        return configuration
    }

    package func bind() async throws(ListenError) -> ListenAddress {
        let (limits, budget, service, connections) = (limits, budget, service, connections)
        let http2 = Self.http2(limits)
        do {
            let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .serverChannelOption(.backlog, value: 1024)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelOption(.recvAllocator, value: Connections.receiveAllocator)
                .childChannelOption(.socketOption(.so_keepalive), value: 1)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let connection = GRPCConnection(limits: limits, connections: connections)
                        _ = try channel.pipeline.syncOperations.configureHTTP2Pipeline(
                            mode: .server,
                            connectionConfiguration: http2.connection,
                            streamConfiguration: http2.stream,
                            streamDelegate: GRPCStreamDelegate(connection, eventLoop: channel.eventLoop)
                        ) { stream in
                            stream.eventLoop.makeCompletedFuture {
                                try stream.pipeline.syncOperations.addHandler(
                                    GRPCStream(service: service, limits: limits, budget: budget)
                                )
                            }
                        }
                        try channel.pipeline.syncOperations.addHandler(connection)
                    }
                }
                .bind(host: address.host, port: address.port).get()
            socket.withLock { $0 = channel }
            return channel.localAddress.flatMap(ListenAddress.init) ?? address
        } catch {
            throw ListenError(name, address, error)
        }
    }

    package func run() async throws {
        guard let channel = socket.withLock({ $0 }) else { preconditionFailure("\(name) is served before it is bound") }
        await channel.serveUntilShutdown()
        await connections.drain(grace: limits.drainTime)
    }
}
