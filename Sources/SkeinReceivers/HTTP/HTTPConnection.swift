// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOHTTP1
import SkeinBase
import SkeinPipeline

/// One HTTP/1.1 connection: collects a request, asks the service, writes the answer, again.
///
/// Everything here runs on the connection's event loop; the service runs on a task of its own, one at a time, since the
/// pipeline handler before this one holds pipelined requests back until the answer is written.
final class HTTPConnection: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    enum Phase {
        /// Nothing received of the next request, or not yet all of its headers.
        case idle
        /// The head is here, the body is coming.
        case reading
        /// The request is refused, the answer waits for the (small) rest of the body.
        case skipping(HTTPAnswer)
        /// The service has it.
        case answering
        /// The head of the answer is written, its body comes piece by piece.
        case streaming(HTTPStream)
        /// Answered for the last time; what still comes is dropped until the peer has read the answer.
        case lingering
    }

    /// A refused body up to this size is read to its end, so that the connection can be kept.
    private static let skippedBytesMax = 256 << 10
    static let lingerTime = TimeAmount.seconds(2)

    let limits: HTTPLimits
    private let budget: ByteBudget?
    private let service: any HTTPService
    private let clock: any WallClock
    private let connections: Connections

    var context: ChannelHandlerContext?
    var phase = Phase.idle
    var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/")
    private var body = ByteBuffer()
    /// Of the body of the request under way.
    var memory: HeldMemory?
    var task: Task<Void, Never>?
    private var date = HTTPDate()

    /// When the present phase has lasted too long.
    private(set) var deadline = NIODeadline.distantFuture
    /// When the body must be complete, however steadily it comes.
    private var bodyDeadline = NIODeadline.distantFuture
    /// When what was written last must have left.
    var flushDeadline = NIODeadline.distantFuture
    private var writeCount = 0
    var isListenerClosing = false
    private var hasReadPart = false
    private var hasPartialHead = false
    private var timer: (task: Scheduled<Void>, at: NIODeadline)?

    init(
        limits: HTTPLimits,
        budget: ByteBudget?,
        service: any HTTPService,
        clock: any WallClock,
        connections: Connections
    ) {
        self.limits = limits
        self.budget = budget
        self.service = service
        self.clock = clock
        self.connections = connections
    }

    // MARK: Events

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
        wait(until: .now() + limits.idleTime)
    }

    func channelInactive(context: ChannelHandlerContext) {
        connections.remove(context.channel)
        timer?.task.cancel()
        timer = nil
        // A service at work still holds the body; its memory is given back when it has answered.
        if task == nil { memory = nil }
        if isStreaming || service.abandonsWithClient(head) { task?.cancel() }
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ListenerIsClosing {
            isListenerClosing = true
            endWithListener()
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        hasReadPart = true
        switch unwrapInboundIn(data) {
        case .head(let head): receive(head, context)
        case .body(let chunk): receive(chunk, context)
        case .end: receiveEnd(context)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        // Bytes came and no head yet: the headers are under way, and the time for them runs from their first byte.
        if case .idle = phase, !hasReadPart, !hasPartialHead {
            hasPartialHead = true
            wait(until: min(deadline, .now() + limits.headTime))
        }
        hasReadPart = false
        context.fireChannelReadComplete()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch (error, phase) {
        case (HTTPParserError.headerOverflow, .idle), (HTTPParserError.headerOverflow, .reading):
            let refusal = Refusal(
                .tooLarge,
                "the request's line and headers have more than \(limits.headBytesMax) bytes, which is the limit: "
                    + "ask a shorter question, or send less headers"
            )
            write(service.answer(to: refusal, head: head), keepAlive: false)
        case (is HTTPParserError, .idle), (is HTTPParserError, .reading):
            let refusal = Refusal(.malformed, "this is not an HTTP/1.1 request: \(error)")
            write(service.answer(to: refusal, head: head), keepAlive: false)
        default:
            context.close(promise: nil)
        }
    }

    // MARK: One request

    private func receive(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        self.head = head
        hasPartialHead = false
        body = ByteBuffer()
        phase = .reading
        connections.mark(context.channel, isIdle: false)
        bodyDeadline = .now() + limits.bodyTimeMax
        wait(until: .now() + limits.bodyTime)
        if let answer = service.answer(toHead: head) { return refuse(with: answer, context) }
        let announced = head.headers.first(name: "content-length").flatMap { Int($0) }
        guard announced ?? 0 <= limits.bodyBytesMax else { return refuse(tooLarge, context) }
        memory = budget.map(HeldMemory.init)
        if let announced, announced > 0 {
            // Memory follows what arrives, not what is announced, once that is much.
            body = context.channel.allocator.buffer(capacity: min(announced, 256 << 10))
        }
        if head.headers.contains(name: "expect"), head.version == .http1_1 {
            context.writeAndFlush(wrapOutboundOut(.head(.init(version: .http1_1, status: .continue))), promise: nil)
        }
    }

    private func receive(_ chunk: ByteBuffer, _ context: ChannelHandlerContext) {
        guard case .reading = phase else { return }
        let count = chunk.readableBytes
        let received = body.readableBytes + count
        guard received <= limits.bodyBytesMax else { return refuse(tooLarge, context) }
        if let memory, !memory.holdBody(received) {
            return refuse(.noMemory(2 * received, of: memory.budget), context)
        }
        var chunk = chunk
        body.writeBuffer(&chunk)
        let earned = TimeAmount.milliseconds(Int64(count * 1000 / limits.bodyBytesPerSecondMin))
        deadline = min(deadline + earned, bodyDeadline)
    }

    private func receiveEnd(_ context: ChannelHandlerContext) {
        switch phase {
        case .reading: break
        case .skipping(let answer): return write(answer, keepAlive: head.isKeepAlive)
        case .lingering: return context.close(promise: nil)
        case .idle, .answering, .streaming: return
        }
        phase = .answering
        wait(until: .distantFuture)
        let call = Handover(HTTPCall(head: head, body: body, memory: memory))
        body = ByteBuffer()
        let eventLoop = context.eventLoop
        let connection = NIOLoopBound(self, eventLoop: eventLoop)
        task = Task { [service] in
            let answer = await service.respond(to: call.take())
            guard let stream = answer.stream else {
                return eventLoop.execute { connection.value.finish(answer) }
            }
            await stream.send(behind: answer, to: HTTPStreamWriter(connection, eventLoop))
        }
    }

    func finish(_ answer: HTTPAnswer) {
        task = nil
        memory = nil
        guard case .answering = phase else { return }
        write(answer, keepAlive: head.isKeepAlive)
    }

    // MARK: Refusing

    private var tooLarge: Refusal {
        Refusal(.tooLarge, "the body is larger than the limit of \(limits.bodyBytesMax) bytes: send smaller batches")
    }

    private func refuse(_ refusal: Refusal, _ context: ChannelHandlerContext) {
        refuse(with: service.answer(to: refusal, head: head), context)
    }

    private func refuse(with answer: HTTPAnswer, _ context: ChannelHandlerContext) {
        body = ByteBuffer()
        memory = nil
        let announced = head.headers.first(name: "content-length").flatMap { Int($0) }
        let isChunked = head.headers.contains(name: "transfer-encoding")
        if announced ?? 0 <= Self.skippedBytesMax, !isChunked, !head.headers.contains(name: "expect") {
            phase = .skipping(answer)
        } else {
            write(answer, keepAlive: false)
        }
    }

    // MARK: Answering

    func write(_ answer: HTTPAnswer, keepAlive: Bool) {
        guard let context else { return }
        memory = nil
        var headers = answer.headers
        let hasBody = answer.status.mayHaveResponseBody
        let isHead = head.method == .HEAD
        // The answer to HEAD has no body and may say itself how long it would be.
        if hasBody, answer.stream == nil, !(isHead && headers.contains(name: "content-length")) {
            headers.replaceOrAdd(name: "content-length", value: "\(answer.body.readableBytes)")
        }
        writeHead(answer.status, headers, keepAlive: keepAlive, context)
        let writes = hasBody && !isHead ? answer.body : ByteBuffer()
        if writes.readableBytes > 0 { context.write(wrapOutboundOut(.body(.byteBuffer(writes))), promise: nil) }
        let written = promiseToFlush(writes.readableBytes, context)
        written.futureResult.assumeIsolated().whenComplete { _ in withExtendedLifetime(answer.memory) {} }
        writeEnd(keepAlive: keepAlive, context, written)
    }

    func writeHead(
        _ status: HTTPResponseStatus,
        _ headers: HTTPHeaders,
        keepAlive: Bool,
        _ context: ChannelHandlerContext
    ) {
        var headers = headers
        // A proxy passes on the date of who made the answer (RFC 9110 §6.6.1).
        if !headers.contains(name: "date") { headers.add(name: "date", value: date.text(unixNanos: clock.unixNanos)) }
        if !keepAlive {
            headers.replaceOrAdd(name: "connection", value: "close")
        } else if head.version.minor == 0 {
            headers.replaceOrAdd(name: "connection", value: "keep-alive")
        }
        let responseHead = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
        context.write(wrapOutboundOut(.head(responseHead)), promise: nil)
    }

    /// Ends an answer, after which comes the next request or the end of the connection.
    func writeEnd(keepAlive: Bool, _ context: ChannelHandlerContext, _ written: EventLoopPromise<Void>) {
        phase = keepAlive ? .idle : .lingering
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: written)
        if keepAlive {
            // The next request may have been waiting.
            guard case .idle = phase else { return }
            connections.mark(context.channel, isIdle: true)
            wait(until: .now() + limits.idleTime)
        } else {
            // Closing at once would reset the connection while the peer still sends, and take the answer with it.
            context.close(mode: .output, promise: nil)
            wait(until: .now() + Self.lingerTime)
        }
    }

    /// For what is written next: it has to leave in a time that follows from its length.
    func promiseToFlush(_ byteCount: Int, _ context: ChannelHandlerContext) -> EventLoopPromise<Void> {
        writeCount += 1
        let number = writeCount
        flushDeadline =
            .now() + limits.writeTime + .milliseconds(Int64(byteCount * 1000 / limits.bodyBytesPerSecondMin))
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { [self] result in
            if case .success = result, number == writeCount { flushDeadline = .distantFuture }
        }
        return written
    }

    // MARK: Time

    /// Sets the end of the present phase. The timer is moved only when it would come too late, and looks again when it
    /// fires, so that a busy connection does not schedule one for each request.
    func wait(until deadline: NIODeadline) {
        self.deadline = deadline
        let next = min(deadline, flushDeadline)
        guard next != .distantFuture, let context, context.channel.isActive else { return }
        if let timer {
            guard next < timer.at else { return }
            timer.task.cancel()
        }
        let connection = NIOLoopBound(self, eventLoop: context.eventLoop)
        timer = (context.eventLoop.scheduleTask(deadline: next) { connection.value.timerFired() }, next)
    }

    private func timerFired() {
        timer = nil
        guard let context else { return }
        let now = NIODeadline.now()
        if flushDeadline <= now { return context.close(promise: nil) }
        guard deadline <= now else { return wait(until: deadline) }
        switch phase {
        case .reading:
            let cause =
                bodyDeadline <= now
                ? "was not complete after \(limits.bodyTimeMax.nanoseconds / 1_000_000_000) s"
                : "came slower than \(limits.bodyBytesPerSecondMin) bytes a second"
            let refusal = Refusal(.incomplete, "the body \(cause): send it faster, or in smaller batches")
            write(service.answer(to: refusal, head: head), keepAlive: false)
        case .idle, .skipping, .answering, .streaming, .lingering:
            context.close(promise: nil)
        }
    }
}
