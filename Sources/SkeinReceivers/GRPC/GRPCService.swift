// SPDX-License-Identifier: Apache-2.0
package import NIOCore
package import SkeinBase
package import SkeinPipeline

/// The methods behind a gRPC listener.
package protocol GRPCService: Sendable {
    /// The method at `path` (`/package.Service/Method`), `nil` when there is none.
    func method(at path: String) -> GRPCMethod?

    /// Counts a call that is refused, by the listener or by its method.
    func count(_ reason: Refusal.Reason)
}

/// What a path leads to: always one message in.
package enum GRPCMethod: Sendable {
    /// One message or a refusal out. It goes on when its client has gone away, and has no deadline.
    case unary(@Sendable (consuming GRPCRequest) async throws(Refusal) -> ByteBuffer)
    /// Any number of messages out, one after the other, and then a status: OK when the method returns. Its task is cancelled
    /// when the client goes away, cancels the call, or the deadline that it gave has passed.
    case serverStreaming(@Sendable (consuming GRPCRequest, GRPCMessageWriter) async throws(GRPCStatus) -> Void)
}

/// The message of a call as it came.
package struct GRPCRequest: Sendable {
    package var message: ByteBuffer
    /// Value of `grpc-encoding` when the message is compressed; `nil` when it is plain.
    package var coding: String?
    /// What the message is counted against, when it is.
    package var memory: HeldMemory?
}
