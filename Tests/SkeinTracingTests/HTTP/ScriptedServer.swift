// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A collector that answers as a test tells it, on a port of the system's choice.
final class ScriptedServer: Sendable {
    struct Request: Sendable {
        var path: String
        var headers: HTTPHeaders
        var body: [UInt8]
    }

    struct Answer: Sendable {
        var status = 200
        var headers: [(String, String)] = []
        var body: [UInt8] = []
        /// Whether the connection is closed instead.
        var hangsUp = false
    }

    private struct State {
        var requests: [Request] = []
        var answers: [Answer]
    }

    private let channel: any Channel
    private let state: StateBox

    /// Shared with the handlers of connections.
    fileprivate final class StateBox: Sendable {
        private let state: Mutex<State>
        init(_ answers: [Answer]) { state = Mutex(State(answers: answers)) }

        var requests: [Request] { state.withLock(\.requests) }

        /// Notes a request, and says what it is answered: the answers in their order, then the last one for ever.
        func answer(_ request: Request) -> Answer {
            state.withLock { state in
                state.requests.append(request)
                return state.answers.count > 1 ? state.answers.removeFirst() : state.answers.first ?? Answer()
            }
        }
    }

    /// Listens on `port`; 0 for one that is free.
    init(_ answers: [Answer] = [], port: Int = 0) throws {
        let state = StateBox(answers)
        self.state = state
        channel = try ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.pipeline.configureHTTPServerPipeline().flatMapThrowing {
                    try channel.pipeline.syncOperations.addHandler(Handler(state))
                }
            }
            .bind(host: "127.0.0.1", port: port).wait()
    }

    var port: Int { channel.localAddress?.port ?? 0 }
    func url(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }
    /// All that came so far.
    var requests: [Request] { state.requests }

    func close() { try? channel.close().wait() }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let state: StateBox
        private var request: Request?

        init(_ state: StateBox) { self.state = state }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): request = Request(path: head.uri, headers: head.headers, body: [])
            case .body(let body): request?.body += Array(body.readableBytesView)
            case .end:
                guard let request else { return }
                let answer = state.answer(request)
                guard !answer.hangsUp else { return context.close(promise: nil) }
                var headers = HTTPHeaders(answer.headers)
                headers.add(name: "content-length", value: "\(answer.body.count)")
                let head = HTTPResponseHead(
                    version: .http1_1,
                    status: HTTPResponseStatus(statusCode: answer.status),
                    headers: headers
                )
                context.write(wrapOutboundOut(.head(head)), promise: nil)
                context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: answer.body)))), promise: nil)
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            }
        }
    }
}
