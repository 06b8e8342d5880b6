// SPDX-License-Identifier: Apache-2.0
package import NIOHTTP1
package import SkeinPipeline

/// Lets pages of other origins send to a service (Fetch standard §3.2 "CORS protocol"): exporters in browsers need it.
package struct CrossOriginService: HTTPService {
    private let service: any HTTPService
    private let origins: CrossOrigins

    /// `service` for pages of `origins`, beside all who are no pages.
    package init(_ service: any HTTPService, origins: CrossOrigins) {
        self.service = service
        self.origins = origins
    }

    package func abandonsWithClient(_ head: HTTPRequestHead) -> Bool { service.abandonsWithClient(head) }

    package func answer(toHead head: HTTPRequestHead) -> HTTPAnswer? {
        let headers = head.headers
        if head.method == .OPTIONS, headers.contains(name: "access-control-request-method") {
            return preflight(head)
        }
        return service.answer(toHead: head).map { shared($0, with: head) }
    }

    package func respond(to call: consuming HTTPCall) async -> HTTPAnswer {
        let head = call.head
        return shared(await service.respond(to: call), with: head)
    }

    package func answer(to refusal: Refusal, head: HTTPRequestHead) -> HTTPAnswer {
        shared(service.answer(to: refusal, head: head), with: head)
    }

    /// What a browser asks before it sends.
    private func preflight(_ head: HTTPRequestHead) -> HTTPAnswer {
        guard let origin = head.headers.first(name: "origin"), origins.contains(origin) else {
            return .text(.forbidden, "403 pages of this origin may not send here: see cors-origins")
        }
        var headers = HTTPHeaders([
            ("access-control-allow-methods", "POST"), ("access-control-max-age", "7200"),
        ])
        let asked = head.headers[canonicalForm: "access-control-request-headers"].joined(separator: ", ")
        if !asked.isEmpty { headers.add(name: "access-control-allow-headers", value: asked) }
        return shared(HTTPAnswer(.noContent, headers), with: head)
    }

    /// The answer, which a page of the request's origin may read when it is one of ours: to what it sends, not to questions.
    private func shared(_ answer: HTTPAnswer, with head: HTTPRequestHead) -> HTTPAnswer {
        guard head.method == .POST || head.method == .OPTIONS else { return answer }
        guard let origin = head.headers.first(name: "origin") else { return answer }
        var answer = answer
        // Caches must not give one origin's answer to another.
        answer.headers.add(name: "vary", value: "origin")
        guard origins.contains(origin) else { return answer }
        answer.headers.add(name: "access-control-allow-origin", value: origins.isAny ? "*" : origin)
        answer.headers.add(name: "access-control-expose-headers", value: "retry-after")
        return answer
    }
}

/// Origins of pages, such as `https://shop.example` or `https://*.shop.example`, or `*` for any.
package struct CrossOrigins: Hashable, Sendable {
    package private(set) var patterns: [String] = []

    /// No origin.
    package init() {}

    package var isEmpty: Bool { patterns.isEmpty }
    package var isAny: Bool { patterns == ["*"] }

    /// Reads patterns parted by commas; `nil` when one is no origin.
    package init?(parsing text: String) {
        for part in text.split(separator: ",") {
            let pattern = part.filter { $0 != " " }.lowercased()
            let isOrigin =
                pattern.contains("://") && !pattern.hasSuffix("/") && pattern.split(separator: "/").count == 2
            guard pattern == "*" || isOrigin, pattern.filter({ $0 == "*" }).count <= 1 else { return nil }
            patterns.append(pattern)
        }
        if patterns.contains("*") { patterns = ["*"] }
    }

    package var text: String { patterns.joined(separator: ",") }

    func contains(_ origin: String) -> Bool {
        let origin = origin.lowercased()
        return patterns.contains { pattern in
            let parts = pattern.split(separator: "*", omittingEmptySubsequences: false)
            guard parts.count == 2 else { return pattern == origin }
            return origin.utf8.count >= pattern.utf8.count - 1 && origin.hasPrefix(parts[0])
                && origin.hasSuffix(parts[1])
        }
    }
}
