// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import NIOHTTP1
import SkeinAPI
import SkeinBase
import SkeinPipeline
import SkeinReceivers
import SkeinStore

/// The query APIs for HTTP listeners: every request is a query that passes the gate, and every answer leaves in the form
/// of the API that was asked.
struct QueryAnswers: Sendable {
    /// The APIs' answer; `nil` for a target that is none of theirs.
    let respond: @Sendable (APIRequest) async -> APIResponse?
    /// The one family that is served here; `nil` for all of them side by side.
    let family: APIFamily?
    let queries: QueryGate
    let tails: TailGate
    let logger: Logger

    /// The answer to a request for `target`, which is one of an API.
    func answer(_ call: HTTPCall, target: String) async -> HTTPAnswer {
        let request = APIRequest(
            method: call.head.method.rawValue,
            target: target,
            headers: call.head.headers.map { ($0.name, $0.value) },
            body: Array(call.body.readableBytesView)
        )
        // What is written is bounded by the memory of requests and by the journal, and takes no part of the queries' room.
        if API.writesWork(request), let response = await respond(request) {
            if let message = response.logMessage {
                logger.error("\(message)", metadata: ["route": "\(response.route)"])
            }
            return HTTPAnswer(response)
        }
        guard let pass = queries.enter() else {
            let detail = "\(queries.limit) queries are running, which is the limit (--queries-max): try again."
            return refusal(.serviceUnavailable, "busy", detail, retryAfterSeconds: 1, target: target)
        }
        // Nothing is thrown, and of an API's target there always is an answer.
        guard let response = (try? await pass.run { await respond(request) }) ?? nil else {
            return refusal(.gatewayTimeout, "timeout", queries.lateness, target: target)
        }
        if let message = response.logMessage {
            logger.error("\(message)", metadata: ["route": "\(response.route)"])
        }
        guard case .stream(let stream) = response.body else { return HTTPAnswer(response) }
        switch stream.kind {
        case .query: return answer(response, stream, in: pass)
        case .tail: return answer(response, stream, target: target)
        }
    }

    /// The answer to a request for `target` that the listener refuses.
    func refusal(_ refusal: Refusal, target: String) -> HTTPAnswer {
        self.refusal(
            refusal.reason.httpStatus,
            "\(refusal.reason.label)".replacing("_", with: "-"),
            refusal.message,
            retryAfterSeconds: refusal.retryAfterSeconds,
            target: target
        )
    }

    private func refusal(
        _ status: HTTPResponseStatus,
        _ code: String,
        _ detail: String,
        retryAfterSeconds: Int = 0,
        target: String
    ) -> HTTPAnswer {
        HTTPAnswer(
            API.refusal(
                Int(status.code),
                code,
                detail,
                retryAfterSeconds: retryAfterSeconds,
                target: target,
                family: family
            )
        )
    }

    // MARK: Streams

    /// A stream that is the rest of a query, and has the rest of its time.
    private func answer(_ response: APIResponse, _ stream: APIStream, in pass: QueryGate.Pass) -> HTTPAnswer {
        var answer = HTTPAnswer(streaming: response)
        answer.stream = HTTPStream { writer in try await send(stream, of: response, to: writer, in: pass) }
        return answer
    }

    /// A stream that goes on for as long as somebody listens.
    private func answer(_ response: APIResponse, _ stream: APIStream, target: String) -> HTTPAnswer {
        guard let pass = tails.enter() else {
            let detail = "\(tails.limit) live tails are open, which is the limit (--tails-max): close one."
            return refusal(.serviceUnavailable, "busy", detail, retryAfterSeconds: 1, target: target)
        }
        var answer = HTTPAnswer(streaming: response)
        answer.stream = HTTPStream(endsWithListener: true) { writer in
            defer { withExtendedLifetime(pass) {} }
            try await send(stream, of: response, to: writer)
        }
        return answer
    }

    /// Sends a whole stream, or says in its own form why it breaks off, unless that is the client's wish.
    private func send(
        _ stream: APIStream,
        of response: APIResponse,
        to writer: HTTPStreamWriter,
        in pass: QueryGate.Pass? = nil
    ) async throws {
        let work: @Sendable () async throws -> Bool = {
            try await stream.run { try await writer.write($0, countedIn: response.memory) }
            return true
        }
        do {
            let isWhole = if let pass { try await pass.run(work) } else { try await work() }
            guard isWhole == nil else { return }
            try await breakOff(stream, "timeout", queries.lateness, writer)
        } catch  where !Self.isCancellation(error) {
            logger.error("an answer breaks off: \(error)", metadata: ["route": "\(response.route)"])
            let detail = "The rest of the answer could not be made. The server's log has the cause."
            try await breakOff(stream, "internal", detail, writer)
        }
    }

    private func breakOff(
        _ stream: APIStream,
        _ code: String,
        _ detail: String,
        _ writer: HTTPStreamWriter
    ) async throws {
        if let last = stream.lastPiece?(code, detail) { try await writer.write(ByteBuffer(bytes: last)) }
        throw CancellationError()
    }

    private static func isCancellation(_ error: any Error) -> Bool {
        error is CancellationError || (error as? StoreError)?.code == .cancelled
    }
}

extension HTTPStreamWriter {
    /// Sends a piece, which is there twice until it is gone.
    fileprivate func write(_ piece: [UInt8], countedIn memory: HeldMemory?) async throws {
        let counted = memory.map { HeldMemory($0.budget) }
        // It is there already.
        counted?.resizeAnyway(to: 2 * piece.count)
        try await write(ByteBuffer(bytes: piece))
        withExtendedLifetime(counted) {}
    }
}

extension HTTPAnswer {
    /// What the API says, in HTTP's types.
    fileprivate init(_ response: APIResponse) {
        var body = ByteBufferAllocator().buffer(capacity: response.byteCount)
        response.forEachPiece { body.writeBytes($0) }
        self.init(HTTPResponseStatus(statusCode: response.status), response.httpHeaders, body: body)
        memory = response.memory
    }

    /// The same of a stream, whose pieces no proxy should gather.
    fileprivate init(streaming response: APIResponse) {
        self.init(HTTPResponseStatus(statusCode: response.status), response.httpHeaders)
        headers.replaceOrAdd(name: "x-accel-buffering", value: "no")
        memory = response.memory
    }
}

extension APIResponse {
    fileprivate var httpHeaders: HTTPHeaders { HTTPHeaders(headers.map { ($0.name, $0.value) }) }
}
