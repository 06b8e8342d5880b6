// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOHTTP2

/// What an HTTP/2 stream knows of an answer of several messages.
struct StreamingAnswer {
    enum Phase {
        /// There is no such answer, or nothing of it was sent yet.
        case before
        case sending
        /// The status is sent, or nobody waits for it.
        case over
    }

    var phase = Phase.before
    var task: Task<Void, Never>?
    /// When the client stops waiting.
    var deadline: Scheduled<Void>?
    /// When the message under way must have left; it takes the place of one for the message before.
    var flushTimer: Scheduled<Void>?
    var writeCount = 0
}

extension GRPCStream: GRPCMessageWriter.Stream {
    /// What is under way when its time is over has this long.
    private static var hurryTime: TimeAmount { .seconds(2) }

    /// Runs a method that answers with a stream of messages.
    func stream(
        _ respond: @escaping @Sendable (consuming GRPCRequest, GRPCMessageWriter) async throws(GRPCStatus) -> Void,
        _ request: GRPCRequest,
        _ context: ChannelHandlerContext
    ) {
        let eventLoop = context.eventLoop
        let stream = NIOLoopBound(self, eventLoop: eventLoop)
        let writer = GRPCMessageWriter(self, eventLoop)
        let handover = Handover(request)
        if let timeout = call.timeout {
            answer.deadline = eventLoop.scheduleTask(in: timeout) { stream.value.deadlinePassed() }
        }
        answer.task = Task {
            var status = GRPCStatus(.ok, "")
            do throws(GRPCStatus) { try await respond(handover.take(), writer) } catch { status = error }
            eventLoop.execute { [status] in stream.value.end(with: status) }
        }
    }

    /// Sends a message; the future is done when it has left, and fails when it cannot.
    func write(_ message: ByteBuffer, _ eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        guard answer.phase != .over, let context else { return eventLoop.makeFailedFuture(ChannelError.alreadyClosed) }
        if answer.phase == .before {
            answer.phase = .sending
            writeHeaders(context)
        }
        answer.writeCount += 1
        let number = answer.writeCount
        let bytes = Self.framed(message, context)
        let time = Int64(bytes.readableBytes * 1000 / limits.messageBytesPerSecondMin)
        closeUnlessFlushed(in: limits.writeTime + .milliseconds(time), context)
        let written = eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { [self] _ in
            if number == answer.writeCount { answer.flushTimer?.cancel() }
        }
        context.writeAndFlush(wrapOutboundOut(.data(.init(data: .byteBuffer(bytes)))), promise: written)
        return written.futureResult
    }

    /// The message under way is the last one and should not take long.
    func hurry() {
        guard answer.phase == .sending, let context else { return }
        closeUnlessFlushed(in: Self.hurryTime, context)
    }

    /// Ends the answer with a status, of which nothing may be left to send.
    private func end(with status: GRPCStatus) {
        answer.task = nil
        answer.deadline?.cancel()
        guard answer.phase != .over, let context else { return }
        let isBare = answer.phase == .before && status.code != .ok
        if answer.phase == .before, !isBare { writeHeaders(context) }
        answer.phase = .over
        answer.flushTimer?.cancel()
        if isBare { writeOnly(status, context) } else { writeTrailers(status, context) }
    }

    private func deadlinePassed() {
        guard answer.phase != .over, let context else { return }
        answer.task?.cancel()
        end(with: GRPCStatus(.deadlineExceeded, "the call was not answered within its grpc-timeout"))
        // The status waits behind a message that the client may never ask for.
        closeUnlessFlushed(in: Self.hurryTime, context)
    }

    /// Nobody waits for the rest.
    func abandonAnswer() {
        answer.phase = .over
        answer.task?.cancel()
        answer.deadline?.cancel()
        answer.flushTimer?.cancel()
    }

    private func closeUnlessFlushed(in time: TimeAmount, _ context: ChannelHandlerContext) {
        answer.flushTimer?.cancel()
        let channel = context.channel
        answer.flushTimer = context.eventLoop.scheduleTask(in: time) { channel.close(promise: nil) }
    }
}
