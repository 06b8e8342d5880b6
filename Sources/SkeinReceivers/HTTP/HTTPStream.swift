// SPDX-License-Identifier: Apache-2.0
package import NIOCore

/// A body whose pieces are made while it is sent: chunked (RFC 9112 §7.1), or up to the end of the connection for who
/// speaks HTTP/1.0. Each piece is on its way before the next one is asked for, so that who reads slowly is written for
/// slowly, and at most one piece is kept for each client.
package struct HTTPStream: Sendable {
    /// Makes the pieces and hands them to the writer. Its task is cancelled when the client goes away. When it returns, the
    /// body is whole; when it throws, the connection is closed in the middle of the body, by which clients know that it is
    /// not.
    package typealias Producer = @Sendable (HTTPStreamWriter) async throws -> Void

    /// Whether it has no end of its own and ends well when the listener goes down. Others then have the time that any
    /// answer has.
    let endsWithListener: Bool
    private let produce: Producer

    /// A body that `produce` makes.
    package init(endsWithListener: Bool = false, _ produce: @escaping Producer) {
        self.endsWithListener = endsWithListener
        self.produce = produce
    }

    /// Sends the head of `answer` and then this body, in the task of the request.
    func send(behind answer: HTTPAnswer, to writer: HTTPStreamWriter) async {
        guard await writer.open(answer, self) else { return }
        do {
            try await produce(writer)
            writer.close(isWhole: true)
        } catch {
            writer.close(isWhole: false)
        }
    }
}

/// Where the pieces of an ``HTTPStream`` go.
package struct HTTPStreamWriter: Sendable {
    private let connection: NIOLoopBound<HTTPConnection>
    private let eventLoop: any EventLoop

    init(_ connection: NIOLoopBound<HTTPConnection>, _ eventLoop: any EventLoop) {
        self.connection = connection
        self.eventLoop = eventLoop
    }

    /// Sends a piece at once, and returns when the system has taken it. Throws `CancellationError` when the client is gone, or
    /// takes too little in too much time, or the task is cancelled; a piece that is under way then has two seconds left.
    package func write(_ piece: ByteBuffer) async throws {
        guard piece.readableBytes > 0 else { return }
        try Task.checkCancellation()
        do {
            try await withTaskCancellationHandler {
                try await eventLoop.flatSubmit { [connection, eventLoop] in
                    connection.value.write(piece, eventLoop)
                }.get()
            } onCancel: {
                eventLoop.execute { [connection] in connection.value.hurry() }
            }
        } catch {
            throw CancellationError()
        }
    }

    fileprivate func open(_ answer: HTTPAnswer, _ stream: HTTPStream) async -> Bool {
        let isWanted = try? await eventLoop.submit { [connection] in connection.value.open(answer, stream) }.get()
        return isWanted ?? false
    }

    fileprivate func close(isWhole: Bool) {
        eventLoop.execute { [connection] in connection.value.close(isWhole: isWhole) }
    }
}
