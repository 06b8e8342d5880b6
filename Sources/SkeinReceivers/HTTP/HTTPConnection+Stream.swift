// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOHTTP1

/// The connection's side of an ``HTTPStream``. All of it runs on the event loop.
extension HTTPConnection {
    var isStreaming: Bool {
        if case .streaming = phase { true } else { false }
    }

    /// A stream's end is not the connection's where chunks can tell it.
    private var keepsAliveAfterStream: Bool { head.isKeepAlive && head.version.minor > 0 }

    /// Writes the head of an answer whose body is a stream. `false` when nobody waits for the body.
    func open(_ answer: HTTPAnswer, _ stream: HTTPStream) -> Bool {
        guard case .answering = phase, let context else {
            task = nil
            memory = nil
            return false
        }
        guard head.method != .HEAD, answer.status.mayHaveResponseBody else {
            finish(answer)
            return false
        }
        memory = nil
        phase = .streaming(stream)
        var headers = answer.headers
        // Who knows how long the body will be says so, and answers for it.
        if head.version.minor > 0, !headers.contains(name: "content-length") {
            headers.replaceOrAdd(name: "transfer-encoding", value: "chunked")
        }
        writeHead(answer.status, headers, keepAlive: keepsAliveAfterStream, context)
        context.flush()
        if isListenerClosing { endWithListener() }
        return isStreaming
    }

    /// Sends a piece; the future is done when it has left, and fails when it cannot.
    func write(_ piece: ByteBuffer, _ eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        guard isStreaming, let context else { return eventLoop.makeFailedFuture(ChannelError.alreadyClosed) }
        let written = promiseToFlush(piece.readableBytes, context)
        wait(until: deadline)
        context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(piece))), promise: written)
        return written.futureResult
    }

    /// The piece under way is the last one and should not take long.
    func hurry() {
        guard isStreaming, flushDeadline != .distantFuture else { return }
        flushDeadline = min(flushDeadline, .now() + Self.lingerTime)
        wait(until: deadline)
    }

    /// Ends the body well, or breaks the connection off where the body does not end.
    func close(isWhole: Bool) {
        task = nil
        guard isStreaming, let context else { return }
        guard isWhole else { return context.close(promise: nil) }
        writeEnd(keepAlive: keepsAliveAfterStream, context, promiseToFlush(0, context))
    }

    /// Ends a stream that would go on for as long as there is a listener.
    func endWithListener() {
        guard case .streaming(let stream) = phase, stream.endsWithListener, let context else { return }
        task?.cancel()
        writeEnd(keepAlive: false, context, promiseToFlush(0, context))
    }
}
