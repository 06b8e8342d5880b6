// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

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

    /// Listens on `port`, or on one that is free.
    init(_ answers: [Answer] = [], port: KeptPort? = nil) throws {
        let state = StateBox(answers)
        self.state = state
        let bootstrap = ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.pipeline.configureHTTPServerPipeline().flatMapThrowing {
                    try channel.pipeline.syncOperations.addHandler(Handler(state))
                }
            }
        channel =
            if let port {
                try bootstrap.withBoundSocket(port.descriptor).wait()
            } else {
                try bootstrap.bind(host: "127.0.0.1", port: 0).wait()
            }
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

/// A port that is bound before anybody listens on it: until then it refuses connections, and nobody else gets it.
struct KeptPort {
    let number: UInt16
    /// The server's that listens on it.
    fileprivate let descriptor: CInt

    init() throws {
        #if canImport(Glibc)
            descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        #else
            descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #endif
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let code = withUnsafeMutablePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, size) == 0 ? getsockname(descriptor, address, &size) : -1
            }
        }
        guard code == 0 else {
            close(descriptor)
            throw IOError(errnoCode: errno, reason: "bind")
        }
        number = UInt16(bigEndian: address.sin_port)
    }
}
