// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOHTTP2

/// One HTTP/2 connection beside its streams: the wait for the preface, idleness, and the farewell.
///
/// On the way down it says GOAWAY for streams to come, and a moment later, when those that crossed it on the way have
/// arrived, closes as soon as no call is under way.
final class GRPCConnection: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    /// How long a stream may have been on its way when the peer had not yet seen our GOAWAY.
    private static let crossingTime = TimeAmount.milliseconds(100)

    private let limits: GRPCLimits
    private let connections: Connections
    private var context: ChannelHandlerContext?
    private var streamCount = 0
    private var isClosing = false
    private var prefaceTimer: Scheduled<Void>?

    init(limits: GRPCLimits, connections: Connections) {
        self.limits = limits
        self.connections = connections
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { begin(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
    }

    private func begin(_ context: ChannelHandlerContext) {
        guard connections.add(context.channel) else { return context.close(promise: nil) }
        let connection = NIOLoopBound(self, eventLoop: context.eventLoop)
        prefaceTimer = context.eventLoop.scheduleTask(in: limits.prefaceTime) {
            connection.value.context?.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        prefaceTimer?.cancel()
        connections.remove(context.channel)
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // The first frame of the connection itself is the SETTINGS of the preface.
        prefaceTimer?.cancel()
        prefaceTimer = nil
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The HTTP/2 handler has said GOAWAY where it could.
        context.close(promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is ChannelShouldQuiesceEvent else { return context.fireUserInboundEventTriggered(event) }
        let farewell = HTTP2Frame(
            streamID: .rootStream,
            payload: .goAway(lastStreamID: .maxID, errorCode: .noError, opaqueData: nil)
        )
        context.writeAndFlush(wrapOutboundOut(farewell), promise: nil)
        let connection = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: streamCount == 0 ? .zero : Self.crossingTime) {
            connection.value.isClosing = true
            connection.value.closeIfDone()
        }
    }

    fileprivate func streamCreated() {
        streamCount += 1
        if streamCount == 1, let context { connections.mark(context.channel, isIdle: false) }
    }

    fileprivate func streamClosed() {
        streamCount -= 1
        if streamCount == 0, let context { connections.mark(context.channel, isIdle: true) }
        closeIfDone()
    }

    private func closeIfDone() {
        guard isClosing, streamCount == 0, let context else { return }
        // The answer of the last call is flushed in this turn of the loop; the close takes the next.
        let connection = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.execute { connection.value.context?.close(promise: nil) }
    }
}

/// Tells a ``GRPCConnection`` of its streams; both live on the connection's event loop.
final class GRPCStreamDelegate: NIOHTTP2StreamDelegate {
    private let connection: NIOLoopBound<GRPCConnection>

    init(_ connection: GRPCConnection, eventLoop: any EventLoop) {
        self.connection = NIOLoopBound(connection, eventLoop: eventLoop)
    }

    func streamCreated(_ id: HTTP2StreamID, channel: any Channel) { connection.value.streamCreated() }

    func streamClosed(_ id: HTTP2StreamID, channel: any Channel) { connection.value.streamClosed() }
}
