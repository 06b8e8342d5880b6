// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOHTTP1
package import SkeinBase
package import SkeinPipeline

/// An HTTP/1.1 socket: connections, time-outs, sizes, orderly shutdown. What requests mean is its service's.
///
/// It stands directly on SwiftNIO (decision 4): a whole body reaches the service in one piece and one task, and the
/// time-outs of slow peers can be exact.
package final class HTTPListener: Listener {
    private let socket: ListeningSocket
    private let handlers: HTTPHandlers

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
        socket = ListeningSocket(
            name: name,
            address: address,
            connectionsMax: limits.connectionsMax,
            telemetry: telemetry
        )
        handlers = HTTPHandlers(
            limits: limits,
            budget: budget,
            service: service,
            clock: clock,
            connections: socket.connections
        )
    }

    package var name: String { socket.name }

    package func bind() async throws(ListenError) -> ListenAddress {
        try await socket.bind { [handlers] in try handlers.add(to: $0) }
    }

    package func run() async throws { await socket.serve(drainTime: handlers.limits.drainTime) }
}

/// What makes a connection speak HTTP/1.1.
struct HTTPHandlers: Sendable {
    let limits: HTTPLimits
    let budget: ByteBudget?
    let service: any HTTPService
    let clock: any WallClock
    let connections: Connections

    /// Adds the handlers at the end of a connection's; the connection may be active already.
    func add(to channel: any Channel) throws {
        var decoding = NIOHTTPDecoderLimitConfiguration()
        decoding.maxHeaderFieldSize = limits.headBytesMax
        decoding.maxHeaderListSize = limits.headBytesMax
        // The answer to HEAD has the framing of no body, which the encoder cannot know.
        var encoding = HTTPResponseEncoder.Configuration()
        encoding.automaticallySetFramingHeaders = false
        try channel.pipeline.syncOperations.configureHTTPServerPipeline(
            withPipeliningAssistance: true,
            withErrorHandling: false,
            withOutboundHeaderValidation: true,
            withEncoderConfiguration: encoding,
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
