// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOHTTP1
import NIOPosix

/// A request that has come in whole.
struct HTTPRequest: Sendable {
    var head: HTTPRequestHead
    var body: ByteBuffer
}

/// What is sent back.
struct HTTPAnswer: Sendable {
    var status: HTTPResponseStatus
    var contentType = "text/plain; charset=utf-8"
    var body: String
}

/// HTTP/1.1, one request of a connection after the other.
struct HTTPServer: Sendable {
    private typealias Connection = NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>
    private typealias Requests = NIOAsyncChannelInboundStream<HTTPServerRequestPart>.AsyncIterator
    private typealias Answers = NIOAsyncChannelOutboundWriter<HTTPServerResponsePart>

    /// Bytes of a body that are read; a longer one is refused.
    static let bodyByteCountMax = 1 << 20

    let answer: @Sendable (HTTPRequest) async -> HTTPAnswer

    /// Listens until it is cancelled. `onListening` is told the address once connections are taken.
    func run(host: String, port: Int, onListening: (String) -> Void) async throws {
        let listening = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .bind(host: host, port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    return try Connection(wrappingChannelSynchronously: channel)
                }
            }
        onListening("http://\(host):\(listening.channel.localAddress?.port ?? port)")
        try await withThrowingDiscardingTaskGroup { group in
            try await listening.executeThenClose { connections in
                for try await connection in connections {
                    group.addTask { await serve(connection) }
                }
            }
            // Nobody is listened to any more, so that nobody is answered either.
            group.cancelAll()
        }
    }

    private func serve(_ connection: Connection) async {
        // Who breaks off ends a connection and nothing else.
        try? await connection.executeThenClose { requests, answers in
            var requests = requests.makeAsyncIterator()
            while case .head(let head)? = try await requests.next() {
                if let body = try await Self.body(&requests) {
                    try await Self.write(await answer(HTTPRequest(head: head, body: body)), to: answers)
                } else {
                    let text = "the body has more than \(Self.bodyByteCountMax) bytes; send fewer calls at once\n"
                    try await Self.write(HTTPAnswer(status: .payloadTooLarge, body: text), to: answers)
                }
                guard head.isKeepAlive else { return }
            }
        }
    }

    /// The body of a request, read to its end; `nil` if it is too long.
    private static func body(_ parts: inout Requests) async throws -> ByteBuffer? {
        var body = ByteBuffer()
        var isTooLong = false
        while case .body(var part)? = try await parts.next() {
            isTooLong = isTooLong || body.readableBytes + part.readableBytes > bodyByteCountMax
            if !isTooLong { body.writeBuffer(&part) }
        }
        return isTooLong ? nil : body
    }

    private static func write(_ answer: HTTPAnswer, to answers: Answers) async throws {
        let body = ByteBuffer(string: answer.body)
        let headers: HTTPHeaders = [
            "content-type": answer.contentType, "content-length": "\(body.readableBytes)",
        ]
        try await answers.write(
            contentsOf: [
                .head(HTTPResponseHead(version: .http1_1, status: answer.status, headers: headers)),
                .body(.byteBuffer(body)), .end(nil),
            ]
        )
    }
}
