// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOHPACK
import NIOHTTP2
import SkeinBase
import SkeinPipeline

/// One HTTP/2 stream: feeds a ``GRPCCall`` and does what it says.
final class GRPCStream<Service: GRPCService>: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    let service: Service
    let limits: GRPCLimits
    private let budget: ByteBudget
    private(set) var call: GRPCCall
    /// Of the message.
    private var memory: HeldMemory?
    private(set) var context: ChannelHandlerContext?
    private var timer: Scheduled<Void>?
    private var receivedBytes = 0
    private var isRunning = false
    private var droppedBytes = 0
    /// Of a call whose answer is a stream.
    var answer = StreamingAnswer()

    init(service: Service, limits: GRPCLimits, budget: ByteBudget) {
        self.service = service
        self.limits = limits
        self.budget = budget
        memory = HeldMemory(budget)
        call = GRPCCall(messageBytesMax: limits.messageBytesMax)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        let stream = NIOLoopBound(self, eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: limits.requestTime) { stream.value.timedOut() }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        if call.isReceiving { service.count(.incomplete) }
        call.close()
        timer?.cancel()
        // A method at work still holds the message; its memory is given back when it has answered.
        if !isRunning { memory = nil }
        abandonAnswer()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let headers):
            perform(call.receive(headers.headers, service: service), context)
            if headers.endStream { receiveEnd(context) }
        case .data(let data):
            guard case .byteBuffer(let bytes) = data.data else { return }
            if call.isReceiving {
                receive(bytes, context)
            } else {
                drop(bytes.readableBytes, context)
            }
            if data.endStream { receiveEnd(context) }
        default:
            break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func receiveEnd(_ context: ChannelHandlerContext) { perform(call.receiveEnd(), context) }

    private func perform(_ action: GRPCCall.Action, _ context: ChannelHandlerContext) {
        switch action {
        case .wait: break
        case .run(.unary(let respond), let request): run(respond, request, context)
        case .run(.serverStreaming(let respond), let request):
            timer?.cancel()
            var request = request
            request.memory = memory
            memory = nil
            stream(respond, request, context)
        case .fail(let status, let reason): fail(status, httpStatus: 200, reason, context)
        case .reject(let httpStatus, let status, let reason): fail(status, httpStatus: httpStatus, reason, context)
        }
    }

    /// Memory is held for what has come, not for what the message's prefix announces.
    private func receive(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        receivedBytes += bytes.readableBytes
        guard memory?.holdBody(receivedBytes) == true else {
            return perform(call.refuse(.noMemory(2 * receivedBytes, of: budget)), context)
        }
        perform(call.receive(bytes), context)
    }

    private func run(
        _ respond: @escaping @Sendable (consuming GRPCRequest) async throws(Refusal) -> ByteBuffer,
        _ request: GRPCRequest,
        _ context: ChannelHandlerContext
    ) {
        timer?.cancel()
        isRunning = true
        var request = request
        request.memory = memory
        let handover = Handover(request)
        let eventLoop = context.eventLoop
        let stream = NIOLoopBound(self, eventLoop: eventLoop)
        Task {
            let outcome: Result<ByteBuffer, Refusal>
            do throws(Refusal) {
                outcome = .success(try await respond(handover.take()))
            } catch {
                outcome = .failure(error)
            }
            eventLoop.execute { stream.value.finish(outcome) }
        }
    }

    private func finish(_ outcome: Result<ByteBuffer, Refusal>) {
        call.close()
        isRunning = false
        memory = nil
        switch outcome {
        case .failure(let refusal):
            // Counted even when the client has gone away meanwhile.
            guard let context else { return service.count(refusal.reason) }
            fail(GRPCStatus(refusal), httpStatus: 200, refusal.reason, context)
        case .success(let message):
            guard let context else { return }
            writeHeaders(context)
            context.write(wrapOutboundOut(.data(.init(data: .byteBuffer(Self.framed(message, context))))), promise: nil)
            writeTrailers(GRPCStatus(.ok, ""), context)
        }
    }

    // MARK: The answer

    /// The headers of an answer with messages.
    func writeHeaders(_ context: ChannelHandlerContext) {
        var headers = Self.headers(status: 200)
        headers.add(name: "grpc-accept-encoding", value: GRPCCodings.list)
        context.write(wrapOutboundOut(.headers(.init(headers: headers))), promise: nil)
    }

    /// The end of an answer with messages.
    func writeTrailers(_ status: GRPCStatus, _ context: ChannelHandlerContext) {
        var trailers = HPACKHeaders()
        status.add(to: &trailers)
        context.writeAndFlush(wrapOutboundOut(.headers(.init(headers: trailers, endStream: true))), promise: nil)
    }

    /// All of an answer without messages (trailers only).
    func writeOnly(_ status: GRPCStatus, httpStatus: Int = 200, _ context: ChannelHandlerContext) {
        var headers = Self.headers(status: httpStatus)
        status.add(to: &headers)
        if status.code == .unimplemented { headers.add(name: "grpc-accept-encoding", value: GRPCCodings.list) }
        context.writeAndFlush(wrapOutboundOut(.headers(.init(headers: headers, endStream: true))), promise: nil)
    }

    /// A message as it is sent: not compressed, behind its length.
    static func framed(_ message: ByteBuffer, _ context: ChannelHandlerContext) -> ByteBuffer {
        var data = context.channel.allocator.buffer(capacity: 5 + message.readableBytes)
        data.writeInteger(UInt8(0))
        data.writeInteger(UInt32(message.readableBytes))
        data.writeImmutableBuffer(message)
        return data
    }

    private func fail(
        _ status: GRPCStatus,
        httpStatus: Int,
        _ reason: Refusal.Reason,
        _ context: ChannelHandlerContext
    ) {
        service.count(reason)
        memory = nil
        writeOnly(status, httpStatus: httpStatus, context)
    }

    private static func headers(status: Int) -> HPACKHeaders {
        var headers = HPACKHeaders()
        headers.reserveCapacity(6)
        headers.add(name: ":status", value: status == 200 ? "200" : "\(status)")
        headers.add(name: "content-type", value: "application/grpc")
        return headers
    }

    /// What comes after an early answer is dropped, so that the client reads the answer before it sees a reset; a client
    /// that goes on beyond reason is reset.
    private func drop(_ count: Int, _ context: ChannelHandlerContext) {
        droppedBytes += count
        if droppedBytes > 2 * limits.messageBytesMax { context.close(promise: nil) }
    }

    private func timedOut() {
        guard let context else { return }
        let seconds = limits.requestTime.nanoseconds / 1_000_000_000
        let refusal = Refusal(.incomplete, "the request was not complete after \(seconds) s: send it faster")
        perform(call.refuse(refusal), context)
        context.close(promise: nil)
    }
}
