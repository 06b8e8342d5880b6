// SPDX-License-Identifier: Apache-2.0
import NIOCore
package import SkeinBase
package import SkeinPipeline

/// A socket on which some clients speak HTTP/1.1 and others gRPC over HTTP/2 without TLS; each connection says by its first
/// bytes which of them it is.
package final class HTTPAndGRPCListener<GRPC: GRPCService>: Listener {
    private let socket: ListeningSocket
    private let http: HTTPHandlers
    private let grpc: GRPCHandlers<GRPC>

    /// A listener that is not bound yet. Bodies and messages are counted against `budget`. Both kinds of connections
    /// together may be as many as HTTP's limit says.
    package init(
        name: StaticString,
        address: ListenAddress,
        httpLimits: HTTPLimits = HTTPLimits(),
        grpcLimits: GRPCLimits = GRPCLimits(),
        budget: ByteBudget,
        clock: any WallClock = SystemClock(),
        telemetry: Telemetry,
        http httpService: any HTTPService,
        grpc grpcService: GRPC
    ) {
        socket = ListeningSocket(
            name: name,
            address: address,
            connectionsMax: httpLimits.connectionsMax,
            telemetry: telemetry
        )
        http = HTTPHandlers(
            limits: httpLimits,
            budget: budget,
            service: httpService,
            clock: clock,
            connections: socket.connections
        )
        grpc = GRPCHandlers(
            limits: grpcLimits,
            budget: budget,
            service: grpcService,
            connections: socket.connections
        )
    }

    package var name: String { socket.name }

    package func bind() async throws(ListenError) -> ListenAddress {
        try await socket.bind { [http, grpc, connections = socket.connections] channel in
            try channel.pipeline.syncOperations.addHandler(
                FirstBytes(limits: http.limits, connections: connections) { isHTTP2, channel in
                    if isHTTP2 { try grpc.add(to: channel) } else { try http.add(to: channel) }
                }
            )
        }
    }

    package func run() async throws { await socket.serve(drainTime: http.limits.drainTime) }
}

/// Waits for the first bytes of a connection, and gives way to what speaks their protocol.
final class FirstBytes: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// As far as an HTTP/2 client's first words (RFC 9113 §3.4) could be the first line of no other protocol.
    private static let preface = Array("PRI * HTTP/2.0\r\n".utf8)

    private let limits: HTTPLimits
    private let connections: Connections
    private let addHandlers: (_ isHTTP2: Bool, any Channel) throws -> Void
    private var bytes = ByteBuffer()
    private var timer: Scheduled<Void>?

    init(
        limits: HTTPLimits,
        connections: Connections,
        addHandlers: @escaping (_ isHTTP2: Bool, any Channel) throws -> Void
    ) {
        self.limits = limits
        self.connections = connections
        self.addHandlers = addHandlers
    }

    func channelActive(context: ChannelHandlerContext) {
        guard connections.add(context.channel) else { return context.close(promise: nil) }
        close(context, in: limits.idleTime)
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        connections.remove(context.channel)
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var data = unwrapInboundIn(data)
        let isFirst = bytes.readableBytes == 0
        bytes.writeBuffer(&data)
        let known = bytes.readableBytesView.prefix(Self.preface.count)
        if !Self.preface.starts(with: known) {
            giveWay(isHTTP2: false, context)
        } else if known.count == Self.preface.count {
            giveWay(isHTTP2: true, context)
        } else if isFirst {
            close(context, in: limits.headTime)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ListenerIsClosing { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func giveWay(isHTTP2: Bool, _ context: ChannelHandlerContext) {
        timer?.cancel()
        do {
            try addHandlers(isHTTP2, context.channel)
        } catch {
            return context.close(promise: nil)
        }
        context.fireChannelRead(wrapInboundOut(bytes))
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }

    private func close(_ context: ChannelHandlerContext, in time: TimeAmount) {
        timer?.cancel()
        let channel = context.channel
        timer = context.eventLoop.scheduleTask(in: time) { channel.close(promise: nil) }
    }
}
