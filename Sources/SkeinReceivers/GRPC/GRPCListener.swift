// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOHTTP2
package import SkeinBase
package import SkeinPipeline

/// A gRPC socket over HTTP/2 without TLS (h2c by prior knowledge): methods that take one message, on SwiftNIO, nothing
/// generated (decision 3).
package final class GRPCListener<Service: GRPCService>: Listener {
    private let socket: ListeningSocket
    private let handlers: GRPCHandlers<Service>

    /// A listener that is not bound yet. Messages are counted against `budget`.
    package init(
        name: StaticString,
        address: ListenAddress,
        limits: GRPCLimits = GRPCLimits(),
        budget: ByteBudget,
        telemetry: Telemetry,
        service: Service
    ) {
        socket = ListeningSocket(
            name: name,
            address: address,
            connectionsMax: limits.connectionsMax,
            telemetry: telemetry
        )
        handlers = GRPCHandlers(limits: limits, budget: budget, service: service, connections: socket.connections)
    }

    package var name: String { socket.name }

    package func bind() async throws(ListenError) -> ListenAddress {
        try await socket.bind { [handlers] in try handlers.add(to: $0) }
    }

    package func run() async throws { await socket.serve(drainTime: handlers.limits.drainTime) }
}

/// What makes a connection speak gRPC.
struct GRPCHandlers<Service: GRPCService>: Sendable {
    let limits: GRPCLimits
    let budget: ByteBudget
    let service: Service
    let connections: Connections

    /// Adds the handlers at the end of a connection's; the connection may be active already.
    func add(to channel: any Channel) throws {
        let connection = GRPCConnection(limits: limits, connections: connections)
        let configuration = http2
        let (service, limits, budget) = (service, limits, budget)
        _ = try channel.pipeline.syncOperations.configureHTTP2Pipeline(
            mode: .server,
            connectionConfiguration: configuration.connection,
            streamConfiguration: configuration.stream,
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

    /// Windows large enough that a batch does not wait for the peer's credit in the middle, and room for many of them;
    /// floods of resets and of control frames are cut off. Clients measure the path with a PING for each answer, so the
    /// limit on those is far above what one of them can need.
    private var http2: NIOHTTP2Handler.Configuration {
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
}
