// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import NIOHTTP1
import SkeinAPI
import SkeinCompression
import SkeinPipeline
import SkeinReceivers
import SkeinStore
import SkeinWeb
import Synchronization

/// The `web` listener: the query APIs, the page, and what an operator asks of a server.
struct WebService: HTTPService {
    let api: API
    let assets: WebAssets
    let gate: QueryGate
    let operations: Operations
    let basePath: String
    let logger: Logger

    var abandonsWithClient: Bool { true }

    func answer(toHead head: HTTPRequestHead) -> HTTPAnswer? { nil }

    func respond(to call: HTTPCall) async -> HTTPAnswer {
        guard let target = localTarget(call.head) else {
            return secured(.text(.notFound, "404 not found: this server is mounted at \(basePath)/\n"))
        }
        return compressed(secured(await respond(to: call, target: target)), for: call.head)
    }

    func answer(to refusal: Refusal, head: HTTPRequestHead) -> HTTPAnswer {
        let response = API.refusal(
            Int(refusal.reason.httpStatus.code),
            "\(refusal.reason.label)".replacing("_", with: "-"),
            refusal.message,
            retryAfterSeconds: refusal.reason.retryAfterSeconds,
            target: localTarget(head) ?? "/"
        )
        return secured(HTTPAnswer(response))
    }

    /// What every answer says to a browser. Styles may be set from scripts through the DOM; nothing else is inline.
    private static let securityHeaders = [
        (
            "content-security-policy",
            "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; "
                + "form-action 'self'"
        ),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
    ]

    private func secured(_ answer: HTTPAnswer) -> HTTPAnswer {
        var answer = answer
        for (name, value) in Self.securityHeaders where !answer.headers.contains(name: name) {
            answer.headers.add(name: name, value: value)
        }
        return answer
    }

    /// The request target without the base path; `nil` when it does not lie below it.
    private func localTarget(_ head: HTTPRequestHead) -> String? {
        let target = head.target
        guard !basePath.isEmpty else { return String(target) }
        guard target.hasPrefix(basePath) else { return nil }
        let rest = target.dropFirst(basePath.count)
        if rest.isEmpty || rest.hasPrefix("?") { return "/" + rest }
        return rest.hasPrefix("/") ? String(rest) : nil
    }

    private func respond(to call: HTTPCall, target: String) async -> HTTPAnswer {
        let path = target.prefix { $0 != "?" && $0 != "#" }
        switch path {
        case "/healthz", "/readyz", "/metrics":
            guard call.head.method == .GET || call.head.method == .HEAD else { return .methodNotAllowed }
            return await operations.answer(path)
        case _ where path == "/api" || path.hasPrefix("/api/"):
            return await answer(api: call, target: target)
        default:
            guard call.head.method == .GET || call.head.method == .HEAD else { return .methodNotAllowed }
            return answer(asset: String(path), call.head)
        }
    }

    // MARK: APIs

    private func answer(api call: HTTPCall, target: String) async -> HTTPAnswer {
        let request = APIRequest(
            method: call.head.method.rawValue,
            target: target,
            headers: call.head.headers.map { ($0.name, $0.value) },
            body: Array(call.body.readableBytesView)
        )
        let outcome = await gate.run { await api.respond(to: request) }
        switch outcome {
        case .answered(let response?):
            if let message = response.logMessage {
                logger.error("\(message)", metadata: ["route": "\(response.route)"])
            }
            return HTTPAnswer(response)
        case .answered(nil):
            return refuse(.notFound, "unknown-path", "Nothing is served at \(target.prefix(200)).", target: target)
        case .late(let limit):
            return refuse(
                .gatewayTimeout,
                "timeout",
                "The query was stopped after \(Quantity.text(limit)): ask for a shorter time range or a narrower condition.",
                target: target
            )
        case .full(let limit):
            return refuse(
                .serviceUnavailable,
                "busy",
                "\(limit) queries are running, which is the limit (--queries-max): try again.",
                retryAfterSeconds: 1,
                target: target
            )
        }
    }

    private func refuse(
        _ status: HTTPResponseStatus,
        _ code: String,
        _ detail: String,
        retryAfterSeconds: Int = 0,
        target: String
    ) -> HTTPAnswer {
        HTTPAnswer(
            API.refusal(Int(status.code), code, detail, retryAfterSeconds: retryAfterSeconds, target: target)
        )
    }

    // MARK: The page

    private func answer(asset path: String, _ head: HTTPRequestHead) -> HTTPAnswer {
        guard let asset = assets.asset(at: path) else {
            return .text(.notFound, "404 not found: there is no page and no file at \(path.prefix(200))\n")
        }
        var headers = HTTPHeaders([("content-type", asset.contentType), ("etag", asset.entityTag)])
        // Names do not change with content, so every use asks; an unchanged file costs one answer without a body.
        headers.add(name: "cache-control", value: "no-cache")
        let known = head.headers[canonicalForm: "if-none-match"].map { $0.hasPrefix("W/") ? $0.dropFirst(2) : $0 }
        if known.contains(where: { $0 == asset.entityTag || $0 == "*" }) { return HTTPAnswer(.notModified, headers) }
        let body = asset.withUnsafeBytes { ByteBuffer(bytes: $0) }
        return HTTPAnswer(.ok, headers, body: body)
    }

    // MARK: Compression

    private static let compressedBytesMin = 1024

    private func compressed(_ answer: HTTPAnswer, for head: HTTPRequestHead) -> HTTPAnswer {
        guard answer.body.readableBytes >= Self.compressedBytesMin, !answer.headers.contains(name: "content-encoding"),
            let type = answer.headers.first(name: "content-type"), Self.isCompressible(type)
        else { return answer }
        var answer = answer
        answer.headers.add(name: "vary", value: "accept-encoding")
        guard Self.acceptsGzip(head.headers) else { return answer }
        let packed = answer.body.withUnsafeReadableBytes { ContentCoding.gzip.encode($0) }
        answer.body = ByteBuffer(bytes: packed)
        answer.headers.add(name: "content-encoding", value: "gzip")
        // Two representations may not share a strong tag.
        if let tag = answer.headers.first(name: "etag"), !tag.hasPrefix("W/") {
            answer.headers.replaceOrAdd(name: "etag", value: "W/\(tag)")
        }
        return answer
    }

    private static func isCompressible(_ type: String) -> Bool {
        type.hasPrefix("text/") || type.contains("json") || type.contains("svg")
    }

    /// Whether `Accept-Encoding` names gzip with a weight above zero (RFC 9110 §12.5.3).
    static func acceptsGzip(_ headers: HTTPHeaders) -> Bool {
        headers[canonicalForm: "accept-encoding"].contains { item in
            let parts = item.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" }.lowercased() }
            guard let name = parts.first, ["gzip", "x-gzip", "*"].contains(name) else { return false }
            let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) }
            return weight ?? 1 > 0
        }
    }
}

extension HTTPAnswer {
    fileprivate static var methodNotAllowed: HTTPAnswer {
        .text(
            .methodNotAllowed,
            "405 method not allowed, supported: [GET, HEAD]\n",
            HTTPHeaders([("allow", "GET, HEAD")])
        )
    }

    /// What the API says, in HTTP's types.
    fileprivate init(_ response: APIResponse) {
        var headers = HTTPHeaders()
        for (name, value) in response.headers { headers.add(name: name, value: value) }
        var body = ByteBufferAllocator().buffer(capacity: response.byteCount)
        response.forEachPiece { body.writeBytes($0) }
        self.init(HTTPResponseStatus(statusCode: response.status), headers, body: body)
        memory = response.memory
    }
}
