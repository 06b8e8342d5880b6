// SPDX-License-Identifier: Apache-2.0
package import NIOHTTP1
import SkeinCompression
package import SkeinPipeline

extension HTTPRequestHead {
    /// What `Content-Type` names, in lower case, its parameters aside; `nil` when there is none.
    var mediaType: String? {
        guard let type = headers.first(name: "content-type") else { return nil }
        var name = type.prefix { $0 != ";" }.lowercased()[...]
        while let last = name.last, last == " " || last == "\t" { name.removeLast() }
        while let first = name.first, first == " " || first == "\t" { name.removeFirst() }
        return String(name)
    }

    /// The coding of the body; `nil` for one that is not taken, several on top of each other included.
    var contentCoding: ContentCoding? {
        let names = headers[canonicalForm: "content-encoding"].filter { !$0.isEmpty }
        switch names.count {
        case 0: return .identity
        case 1: return ContentCoding(header: names[0])
        default: return nil
        }
    }
}

extension HTTPAnswer {
    /// The answer to a body in a coding that is not taken.
    static func unsupportedCoding(of head: HTTPRequestHead) -> HTTPAnswer {
        let name = head.headers[canonicalForm: "content-encoding"].joined(separator: ", ")
        let list = ContentCoding.allCases.map(\.rawValue).joined(separator: ", ")
        return .text(
            .unsupportedMediaType,
            "415 unsupported content encoding \"\(name.prefix(100))\", supported: [\(list)]",
            HTTPHeaders([("accept-encoding", list)])
        )
    }

    /// The answer to a method that is not `POST`.
    static func methodNotAllowed() -> HTTPAnswer {
        .text(.methodNotAllowed, "405 method not allowed, supported: [POST]", HTTPHeaders([("allow", "POST")]))
    }

    /// A refusal as plain text, with the time to wait where the same request may succeed later.
    static func text(_ refusal: Refusal) -> HTTPAnswer {
        var headers = HTTPHeaders()
        if refusal.reason.isRetryable {
            headers.add(name: "retry-after", value: "\(refusal.retryAfterSeconds)")
        }
        return .text(refusal.reason.httpStatus, refusal.message, headers)
    }
}

extension Refusal.Reason {
    /// The HTTP status (OTLP 1.5 §OTLP/HTTP Response; retryable ones are 429 and 503).
    package var httpStatus: HTTPResponseStatus {
        switch self {
        case .malformed: .badRequest
        case .tooLarge: .payloadTooLarge
        case .unsupported: .unsupportedMediaType
        case .forbidden: .forbidden
        case .incomplete: .requestTimeout
        case .busy, .rateLimited: .tooManyRequests
        case .storeUnavailable, .storeFull, .shuttingDown: .serviceUnavailable
        }
    }
}
