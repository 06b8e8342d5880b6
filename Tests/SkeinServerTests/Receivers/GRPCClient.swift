// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix

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
        let promise = channel.eventLoop.makePromise(of: Reply.self)
        let stream = try await multiplexer.createStreamChannel { stream in
            stream.eventLoop.makeCompletedFuture {
                try stream.pipeline.syncOperations.addHandler(Collector(promise))
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
        return try await promise.futureResult.get()
    }

    /// Gathers what comes until the stream ends.
    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = HTTP2Frame.FramePayload

        private var reply = Reply()
        private var promise: EventLoopPromise<Reply>?

        init(_ promise: EventLoopPromise<Reply>) { self.promise = promise }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .headers(let headers):
                reply.headers.append(headers.headers)
                if headers.endStream { finish() }
            case .data(let data):
                if case .byteBuffer(let bytes) = data.data { reply.data += Array(bytes.readableBytesView) }
                if data.endStream { finish() }
            case .rstStream(let code):
                reply.resetCode = code
                finish()
            default: break
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

        func channelInactive(context: ChannelHandlerContext) { finish() }

        private func finish() {
            promise?.succeed(reply)
            promise = nil
        }
    }
}
