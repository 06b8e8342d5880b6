// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOHTTP1
import NIOPosix
package import SkeinBase
package import SkeinPipeline
import Synchronization

/// An HTTP/1.1 socket: connections, time-outs, sizes, orderly shutdown. What requests mean is its service's.
///
/// It stands directly on SwiftNIO (decision 4): a whole body reaches the service in one piece and one task, and the
/// time-outs of slow peers can be exact.
package final class HTTPListener: Listener {
    package let name: String
    private let address: ListenAddress
    private let limits: HTTPLimits
    private let budget: ByteBudget?
    private let service: any HTTPService
    private let clock: any WallClock
    private let connections: Connections
    private let socket = Mutex<(any Channel)?>(nil)

    /// A listener that is not bound yet. Bodies are counted against `budget`, when there is one.
    package init(
        name: StaticString,
        address: ListenAddress,
        limits: HTTPLimits = HTTPLimits(),
        budget: ByteBudget? = nil,
        clock: any WallClock = SystemClock(),
        telemetry: Telemetry,
        service: any HTTPService
    ) {
        self.name = name.description
        self.address = address
        self.limits = limits
        self.budget = budget
        self.service = service
        self.clock = clock
        connections = Connections(limit: limits.connectionsMax, name: name, telemetry: telemetry)
    }

    package func bind() async throws(ListenError) -> ListenAddress {
        let parts = (limits, budget, service, clock, connections)
        do {
            let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .serverChannelOption(.backlog, value: 1024)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelOption(.recvAllocator, value: Connections.receiveAllocator)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let (limits, budget, service, clock, connections) = parts
                        var decoding = NIOHTTPDecoderLimitConfiguration()
                        decoding.maxHeaderFieldSize = limits.headBytesMax
                        decoding.maxHeaderListSize = limits.headBytesMax
                        try channel.pipeline.syncOperations.configureHTTPServerPipeline(
                            withPipeliningAssistance: true,
                            withErrorHandling: false,
                            withOutboundHeaderValidation: true,
                            withEncoderConfiguration: HTTPResponseEncoder.Configuration(),
                            withDecoderLimitConfiguration: decoding
                        )
                        try channel.pipeline.syncOperations.addHandler(
                            HTTPConnection(
                                limits: limits,
                                budget: budget,
                                service: service,
                                clock: clock,
                                connections: connections
                            )
                        )
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
