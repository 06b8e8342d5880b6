// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import SkeinBase
import SkeinMCP
import SkeinPipeline
import SkeinReceivers
import Synchronization

/// Passes requests of HTTP on to a server, and its answers back while they come (MCP, "Streamable HTTP", and the older "HTTP with SSE").
///
/// A client that goes away cancels the task that answers it, and with it the request to the server.
final class ProxyService: HTTPService {
    /// Bytes of an answer, or of an event, that are kept; what is longer is looked at while it passes.
    static let messageBytesMax = 64 << 20

    private let upstream: Upstream
    private let address: @Sendable () -> ListenAddress
    private let ambience: Ambience
    private let client: HTTPClient
    private let conversation: Conversation
    private let baggage: BaggageFilter
    private let budget: ByteBudget
    private let exchangeCount = Mutex<UInt64>(0)
    let exchanges = OpenExchanges()
    /// Where the streams of "HTTP with SSE" that are open have told their clients to post to.
    private let endpoints = Mutex<Set<String>>([])

    /// `address` is where requests come in, once that is known. What is kept of answers is counted against `budget`.
    init(
        _ upstream: Upstream,
        address: @escaping @Sendable () -> ListenAddress,
        ambience: Ambience,
        client: HTTPClient,
        conversation: Conversation,
        baggage: BaggageFilter,
        budget: ByteBudget
    ) {
        self.upstream = upstream
        self.address = address
        self.ambience = ambience
        self.client = client
        self.conversation = conversation
        self.baggage = baggage
        self.budget = budget
    }

    /// A target that is no path would be read as part of the upstream's address, and could lead to another host.
    func answer(toHead head: HTTPRequestHead) -> HTTPAnswer? {
        if head.method != .CONNECT, head.target.utf8.first == UInt8(ascii: "/") { return nil }
        return .text(.badRequest, "skein mcp-proxy: \(head.target.prefix(100)) is no path: ask for one such as /mcp")
    }

    func abandonsWithClient(_ head: HTTPRequestHead) -> Bool { true }

    func answer(to refusal: Refusal, head: HTTPRequestHead) -> HTTPAnswer {
        .text(refusal.reason.httpStatus, "skein mcp-proxy: \(refusal.message)")
    }

    func respond(to call: consuming HTTPCall) async -> HTTPAnswer {
        let head = call.head
        var body = call.body
        let (exchange, isChanged) = note(&body, of: head)
        do {
            let request = request(head, body, isChanged: isChanged)
            let response = try await client.execute(request, deadline: .distantFuture)
            return answer(response, to: head, exchange)
        } catch {
            exchange.end(Task.isCancelled ? .cancelled : .connectionClosed, byteCount: nil)
            // Whose client is gone answers nobody.
            return .text(.badGateway, "skein mcp-proxy: no answer from \(upstream.origin): \(error)")
        }
    }

    // MARK: The request

    private func request(_ head: HTTPRequestHead, _ body: ByteBuffer, isChanged: Bool) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: upstream.url(head.target))
        request.method = head.method
        // The listener has answered what was expected.
        var dropped: Set = ["content-length", "expect"]
        if isChanged { dropped.formUnion(HTTPHeaders.digests) }
        let hosts = head.headers["host"]
        if hosts.count == 1, address().isNamed(by: hosts[0]) { dropped.insert("host") }
        request.headers = head.headers.forwarded(without: dropped)
        request.headers.filterBaggage(baggage)
        // Answers to calls have to be read on their way.
        if head.method == .POST { request.headers.replaceOrAdd(name: "accept-encoding", value: "identity") }
        let hasBody = head.headers.contains(name: "content-length") || head.headers.contains(name: "transfer-encoding")
        if hasBody || body.readableBytes > 0 { request.body = .bytes(body) }
        return request
    }

    /// Takes note of what a request holds, and changes what has to change in it, and may.
    private func note(_ body: inout ByteBuffer, of head: HTTPRequestHead) -> (exchange: Exchange, isChanged: Bool) {
        let number = exchangeCount.withLock { count in
            count &+= 1
            return count
        }
        let credentials = head.headers["authorization"].joined(separator: "\n")
        let client = Array(credentials.utf8).withUnsafeBytes { Hash.of($0, seed: Hash.processSeed) }
        let way = MessageWay(scope(head, number), exchange: number, client: client)
        let surroundings = Conversation.Surroundings(
            way: way,
            ambience: ambience.with(head.headers),
            protocolVersion: head.headers.first(name: "mcp-protocol-version").map { String($0.prefix(64)) }
        )
        guard head.method == .POST else {
            return (Exchange(way, conversation, opaqueCall: nil, countedIn: exchanges), false)
        }
        let coding = head.headers[canonicalForm: "content-encoding"].filter { $0.lowercased() != "identity" }
        let scan = coding.isEmpty ? body.withUnsafeReadableBytes { JSONRPCScanner.scan($0) } : nil
        if let scan, scan.isWhole {
            let edits = conversation.note(fromClient: scan, in: surroundings)
            let isChanged = !edits.isEmpty && !head.headers.signsBody
            if isChanged { body = ByteBuffer(bytes: body.withUnsafeReadableBytes { edits.applied(to: $0) }) }
            return (Exchange(way, conversation, opaqueCall: nil, countedIn: exchanges), isChanged)
        }
        guard head.headers.first(name: "mcp-method") == "tools/call" else {
            return (Exchange(way, conversation, opaqueCall: nil, countedIn: exchanges), false)
        }
        let tool = head.headers.first(name: "mcp-name").flatMap(HeaderText.decode).map { String($0.prefix(256)) }
        let call = conversation.beginOpaque(tool: tool, requestBytes: body.readableBytes, in: surroundings)
        return (Exchange(way, conversation, opaqueCall: call, countedIn: exchanges), false)
    }

    private func scope(_ head: HTTPRequestHead, _ number: UInt64) -> MessageWay.Scope {
        if let session = head.headers.first(name: "mcp-session-id"), session.utf8.count <= 1_024 {
            return .session(session)
        }
        let target = String(head.target)
        return endpoints.withLock { $0.contains(target) } ? .session(target) : .exchange(number)
    }

    // MARK: The answer

    private func answer(_ response: HTTPClientResponse, to head: HTTPRequestHead, _ exchange: Exchange) -> HTTPAnswer {
        var answer = HTTPAnswer(response.status, response.headers.forwarded())
        if answer.headers.isEventStream, !answer.headers.contains(name: "x-accel-buffering") {
            // A proxy before this one would keep events back until it has many.
            answer.headers.add(name: "X-Accel-Buffering", value: "no")
        }
        let status = Int(response.status.code)
        if status >= 400 { exchange.refuse(Self.outcome(status)) }
        let endsSession = head.method == .DELETE && status < 300 || status == 404
        guard head.method != .HEAD, response.status.mayHaveResponseBody else {
            exchange.end(Self.outcome(status), byteCount: 0)
            if endsSession { closeSession(of: head) }
            return answer
        }
        // A stream that was asked for by itself goes on for ever; an answer to a call is waited for.
        answer.stream = HTTPStream(endsWithListener: head.method == .GET) { [self] writer in
            var reader = AnswerReader(response, exchange, budget)
            defer { forget(reader.endpoint) }
            do {
                for try await piece in response.body {
                    if let endpoint = reader.take(piece) { remember(endpoint) }
                    try await writer.write(piece)
                }
                try Task.checkCancellation()
            } catch {
                let isCancelled = error is CancellationError
                if !isCancelled, reader.isToBeContinued(status) {
                    exchange.release()
                } else {
                    exchange.end(isCancelled ? .cancelled : .connectionClosed, byteCount: reader.byteCount)
                }
                throw error
            }
            reader.finish()
            if reader.isToBeContinued(status) {
                exchange.release()
            } else {
                // What cannot be read and came whole is no error.
                let outcome = reader.isCompressed && status < 300 ? .success : Self.outcome(status)
                exchange.end(outcome, byteCount: reader.byteCount)
            }
            if endsSession { closeSession(of: head) }
        }
        return answer
    }

    /// The session is over: its client said so, or the server knows it no more (MCP 2025-11-25, "Session Management").
    private func closeSession(of head: HTTPRequestHead) {
        if let session = head.headers.first(name: "mcp-session-id") { conversation.close(session: session) }
    }

    /// What an answer means for calls that it does not answer by a message.
    private static func outcome(_ status: Int) -> CallOutcome {
        status < 400 ? .connectionClosed : .failure(code: "\(status)")
    }

    private func remember(_ endpoint: String) {
        endpoints.withLock { endpoints in
            if endpoints.count < 4_096 { endpoints.insert(endpoint) }
        }
    }

    /// The stream that named `endpoint` is over, and nothing that was posted there will be answered.
    private func forget(_ endpoint: String?) {
        guard let endpoint, endpoints.withLock({ $0.remove(endpoint) }) != nil else { return }
        conversation.close(session: endpoint)
    }
}
