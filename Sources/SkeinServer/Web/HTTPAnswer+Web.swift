// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOHTTP1
import SkeinCompression
import SkeinReceivers

extension HTTPAnswer {
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

    /// The answer with what keeps a browser that shows it from harm.
    func secured() -> HTTPAnswer {
        var answer = self
        for (name, value) in Self.securityHeaders where !answer.headers.contains(name: name) {
            answer.headers.add(name: name, value: value)
        }
        return answer
    }

    private static let compressedBytesMin = 1024

    /// The answer as the client that sent `head` takes it best. Streams stay as they are, since their pieces are to be read
    /// when they come.
    func compressed(for head: HTTPRequestHead) -> HTTPAnswer {
        guard stream == nil, body.readableBytes >= Self.compressedBytesMin,
            !headers.contains(name: "content-encoding"), let type = headers.first(name: "content-type"),
            Self.isCompressible(type)
        else { return self }
        var answer = self
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
        type.hasPrefix("text/") || type.contains("json") || type.contains("openmetrics") || type.contains("svg")
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
