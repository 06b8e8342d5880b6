// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix
import Synchronization

/// A gRPC client that can do everything wrong.
struct GRPCClient: Sendable {
    /// All that came back on a stream.
    struct Reply: Sendable {
        var headers: [HPACKHeaders] = []
        var data: [UInt8] = []
        var resetCode: HTTP2ErrorCode?

        func value(_ name: String) -> String? { headers.lazy.compactMap { $0.first(name: name) }.first }
        var status: String? { value("grpc-status") }
    }

    let channel: any Channel
    private let multiplexer: NIOHTTP2Handler.StreamMultiplexer

    static func with(_ port: Int, _ body: (GRPCClient) async throws -> Void) async throws {
        let (channel, multiplexer) = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let multiplexer = try channel.pipeline.syncOperations.configureHTTP2Pipeline(
                        mode: .client,
                        connectionConfiguration: .init(),
                        streamConfiguration: .init()
                    ) { $0.eventLoop.makeSucceededVoidFuture() }
                    return (channel, multiplexer)
                }
            }
        do {
            try await body(GRPCClient(channel: channel, multiplexer: multiplexer))
        } catch {
            try? await channel.close()
            throw error
        }
        try? await channel.close()
    }

    private init(channel: any Channel, multiplexer: NIOHTTP2Handler.StreamMultiplexer) {
        self.channel = channel
        self.multiplexer = multiplexer
    }

    /// The messages in the data of a reply, as far as they are whole.
    static func messages(in data: [UInt8]) -> [[UInt8]] {
        var messages: [[UInt8]] = []
        var rest = data[...]
        while rest.count >= 5 {
            let count = rest.dropFirst().prefix(4).reduce(0) { $0 << 8 | Int($1) }
            guard rest.count >= 5 + count else { break }
            messages.append(Array(rest.dropFirst(5).prefix(count)))
            rest = rest.dropFirst(5 + count)
        }
        return messages
    }

    static let export = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

    static func frame(_ message: [UInt8], flag: UInt8 = 0, length: Int? = nil) -> [UInt8] {
        let count = UInt32(length ?? message.count)
        return [flag, UInt8(count >> 24), UInt8(count >> 16 & 255), UInt8(count >> 8 & 255), UInt8(count & 255)]
            + message
    }

    /// One call: sends headers, then each of `parts` as a DATA frame, then the end unless `ends` is false.
    func call(
        _ path: String = export,
        _ headers: [(String, String)] = [],
        method: String = "POST",
        contentType: String = "application/grpc",
        parts: [[UInt8]],
        ends: Bool = true
    ) async throws -> Reply {
        try await begin(path, headers, method: method, contentType: contentType, parts: parts, ends: ends).reply
    }

    /// The same, without waiting for what comes back. `reads` says whether anything of it is asked for.
    func begin(
        _ path: String = export,
        _ headers: [(String, String)] = [],
        method: String = "POST",
        contentType: String = "application/grpc",
        parts: [[UInt8]],
        ends: Bool = true,
        reads: Bool = true
    ) async throws -> Call {
        let received = Received(channel.eventLoop.makePromise(of: Reply.self))
        let stream = try await multiplexer.createStreamChannel { stream in
            stream.eventLoop.makeCompletedFuture {
                try stream.syncOptions?.setOption(.autoRead, value: reads)
                try stream.pipeline.syncOperations.addHandler(Collector(received))
            }
        }.get()
        var block = HPACKHeaders([
            (":method", method), (":path", path), (":scheme", "http"), (":authority", "test"), ("te", "trailers"),
            ("content-type", contentType),
        ])
        for (name, value) in headers { block.add(name: name, value: value) }
        let isBare = parts.isEmpty && ends
        stream.writeAndFlush(HTTP2Frame.FramePayload.headers(.init(headers: block, endStream: isBare)), promise: nil)
        for (index, part) in parts.enumerated() {
            let data = HTTP2Frame.FramePayload.Data(
                data: .byteBuffer(ByteBuffer(bytes: part)),
                endStream: ends && index == parts.count - 1
            )
            stream.writeAndFlush(HTTP2Frame.FramePayload.data(data), promise: nil)
        }
        return Call(stream: stream, received: received)
    }

    /// A call that may still go on.
    struct Call: Sendable {
        fileprivate let stream: any Channel
        fileprivate let received: Received

        /// All that comes back, once it is complete.
        var reply: Reply {
            get async throws { try await received.promise.futureResult.get() }
        }

        /// What came back so far.
        var replySoFar: Reply { received.reply.withLock { $0 } }

        /// Tells the server that the rest is not wanted.
        func cancel() async throws {
            try await stream.writeAndFlush(HTTP2Frame.FramePayload.rstStream(.cancel))
        }

        /// Asks for what comes back, if that was not done yet.
        func read() async throws {
            try await stream.setOption(.autoRead, value: true).get()
            stream.read()
        }
    }

    /// What comes back on a stream, while it does.
    fileprivate final class Received: Sendable {
        let promise: EventLoopPromise<Reply>
        let reply = Mutex(Reply())

        init(_ promise: EventLoopPromise<Reply>) { self.promise = promise }
    }

    /// Gathers what comes until the stream ends.
    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = HTTP2Frame.FramePayload

        private let received: Received
        private var isOver = false

        init(_ received: Received) { self.received = received }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .headers(let headers):
                received.reply.withLock { $0.headers.append(headers.headers) }
                if headers.endStream { finish() }
            case .data(let data):
                if case .byteBuffer(let bytes) = data.data {
                    received.reply.withLock { $0.data += Array(bytes.readableBytesView) }
                }
                if data.endStream { finish() }
            case .rstStream(let code):
                received.reply.withLock { $0.resetCode = code }
                finish()
            default: break
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

        func channelInactive(context: ChannelHandlerContext) { finish() }

        private func finish() {
            guard !isOver else { return }
            isOver = true
            received.promise.succeed(received.reply.withLock { $0 })
        }
    }
}
