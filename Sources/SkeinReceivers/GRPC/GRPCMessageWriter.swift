// SPDX-License-Identifier: Apache-2.0
package import NIOCore

/// Where the messages of a streaming answer go.
package struct GRPCMessageWriter: Sendable {
    /// The stream's side: all of it runs on the event loop.
    protocol Stream: AnyObject {
        func write(_ message: ByteBuffer, _ eventLoop: any EventLoop) -> EventLoopFuture<Void>
        func hurry()
    }

    private let stream: NIOLoopBound<any Stream>
    private let eventLoop: any EventLoop

    init(_ stream: any Stream, _ eventLoop: any EventLoop) {
        self.stream = NIOLoopBound(stream, eventLoop: eventLoop)
        self.eventLoop = eventLoop
    }

    /// Sends a message, and returns when it has left, for which the client has to want it (HTTP/2's flow control). Throws
    /// when the client is gone, or wants too little in too much time, or the task is cancelled; a message that is under way
    /// then has two seconds left.
    package func write(_ message: ByteBuffer) async throws(GRPCStatus) {
        do {
            try Task.checkCancellation()
            try await withTaskCancellationHandler {
                try await eventLoop.flatSubmit { [stream, eventLoop] in
                    stream.value.write(message, eventLoop)
                }.get()
            } onCancel: {
                eventLoop.execute { [stream] in stream.value.hurry() }
            }
        } catch {
            throw GRPCStatus(.cancelled, "nobody waits for the rest of the answer")
        }
    }
}
