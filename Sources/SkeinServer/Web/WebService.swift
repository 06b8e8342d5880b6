// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import NIOHTTP1
import SkeinAPI
import SkeinPipeline
import SkeinReceivers
import SkeinWeb

/// The `web` listener: the query APIs, the page, and what an operator asks of a server.
struct WebService: HTTPService {
    let answers: QueryAnswers
    let assets: WebAssets
    let operations: Operations
    let basePath: String

    func abandonsWithClient(_ head: HTTPRequestHead) -> Bool { true }

    func answer(toHead head: HTTPRequestHead) -> HTTPAnswer? { nil }

    func respond(to call: HTTPCall) async -> HTTPAnswer {
        guard let target = localTarget(call.head) else {
            return HTTPAnswer.text(.notFound, "404 not found: this server is mounted at \(basePath)/\n").secured()
        }
        return await respond(to: call, target: target).secured().compressed(for: call.head)
    }

    func answer(to refusal: Refusal, head: HTTPRequestHead) -> HTTPAnswer {
        answers.refusal(refusal, target: localTarget(head) ?? "/").secured()
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
        if API.serves(target) { return await answers.answer(call, target: target) }
        guard call.head.method == .GET || call.head.method == .HEAD else { return .methodNotAllowed }
        let path = target.prefix { $0 != "?" && $0 != "#" }
        switch path {
        case "/healthz", "/readyz", "/metrics":
            return await operations.answer(path, accept: call.head.headers.first(name: "accept"))
        default: return answer(asset: String(path), call.head)
        }
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
}

extension HTTPAnswer {
    fileprivate static var methodNotAllowed: HTTPAnswer {
        .text(
            .methodNotAllowed,
            "405 method not allowed, supported: [GET, HEAD]\n",
            HTTPHeaders([("allow", "GET, HEAD")])
        )
    }
}
