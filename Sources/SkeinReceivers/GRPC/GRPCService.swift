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

/// What a path leads to. Unary only, so far: one message in, one message or a refusal out.
package enum GRPCMethod: Sendable {
    case unary(@Sendable (consuming GRPCRequest) async throws(Refusal) -> ByteBuffer)
}

/// The message of a call as it came.
package struct GRPCRequest: Sendable {
    package var message: ByteBuffer
    /// Value of `grpc-encoding` when the message is compressed; `nil` when it is plain.
    package var coding: String?
    /// What the message is counted against, when it is.
    package var memory: HeldMemory?
}
