// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOPosix

/// A TCP connection that says exactly what it is told, and keeps what it hears.
enum RawConnection {
    /// Connects to a port of this machine for the length of `body`.
    static func with<R>(_ port: Int, _ body: (inout Talk) async throws -> R) async throws -> R {
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        // The peer may close first, which is no failure of the conversation.
        var result: Result<R, any Error>?
        do {
            try await channel.executeThenClose { inbound, outbound in
                var talk = Talk(inbound: inbound.makeAsyncIterator(), outbound: outbound)
                do { result = .success(try await body(&talk)) } catch { result = .failure(error) }
            }
        } catch {
            if result == nil { throw error }
        }
        guard let result else { throw ChannelError.eof }
        return try result.get()
    }

    /// One conversation.
    struct Talk {
        var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
        let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
        var heard = ""

        func say(_ text: String) async throws { try await outbound.write(ByteBuffer(string: text)) }
        func say(_ bytes: [UInt8]) async throws { try await outbound.write(ByteBuffer(bytes: bytes)) }

        /// Listens until what was heard contains `text`, or the peer closes; says whether it does.
        mutating func hear(_ text: String) async throws -> Bool {
            while !heard.contains(text) {
                guard let bytes = try await inbound.next() else { return false }
                heard += String(buffer: bytes)
            }
            return true
        }

        /// Listens until the peer closes; a reset counts as one.
        mutating func hearAll() async -> String {
            while let bytes = try? await inbound.next() { heard += String(buffer: bytes) }
            return heard
        }
    }
}
