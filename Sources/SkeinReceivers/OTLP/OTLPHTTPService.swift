// SPDX-License-Identifier: Apache-2.0
import NIOCore
package import NIOHTTP1
import SkeinCompression
package import SkeinPipeline
import SkeinWire

/// OTLP over HTTP (OTLP 1.5 §OTLP/HTTP): `POST /v1/traces` in Protocol Buffers or JSON.
package struct OTLPHTTPService: HTTPService {
    private let export: TraceExport

    /// The service in front of `export`.
    package init(_ export: TraceExport) { self.export = export }

    package var abandonsWithClient: Bool { false }

    package func answer(toHead head: HTTPRequestHead) -> HTTPAnswer? {
        export.counters.requests.add()
        switch head.path {
        case "/v1/traces": break
        case "/v1/logs", "/v1/metrics", "/v1development/profiles":
            return refuse(.notFound, "404 not found: Skein takes traces, at /v1/traces, and no other signal")
        default:
            return refuse(.notFound, "404 not found: traces are taken at /v1/traces")
        }
        guard head.method == .POST else {
            return refuse(
                .methodNotAllowed,
                "405 method not allowed, supported: [POST]",
                HTTPHeaders([("allow", "POST")])
            )
        }
        guard encoding(head) != nil else {
            return refuse(
                .unsupportedMediaType,
                "415 unsupported media type, supported: [application/json, application/x-protobuf]"
            )
        }
        guard coding(head) != nil else {
            let name = head.headers[canonicalForm: "content-encoding"].joined(separator: ", ")
            let list = ContentCoding.allCases.map(\.rawValue)
            return refuse(
                .unsupportedMediaType,
                "415 unsupported content encoding \"\(name.prefix(100))\", supported: [\(list.joined(separator: ", "))]",
                HTTPHeaders([("accept-encoding", list.joined(separator: ", "))])
            )
        }
        return nil
    }

    package func respond(to call: consuming HTTPCall) async -> HTTPAnswer {
        let (head, body, memory) = (call.head, call.body, call.memory)
        _ = consume call
        guard let encoding = encoding(head), let coding = coding(head) else {
            // The head was accepted before, so both are known.
            return HTTPAnswer(.internalServerError)
        }
        do throws(Refusal) {
            let response = try await export.receive(body, coding: coding, encoding: encoding, memory: memory)
            return HTTPAnswer(.ok, encoding.headers, body: encoding.body(response))
        } catch {
            return answer(to: error, head: head)
        }
    }

    package func answer(to refusal: Refusal, head: HTTPRequestHead) -> HTTPAnswer {
        export.counters.refuse(refusal.reason)
        let encoding = encoding(head) ?? .protobuf
        var headers = encoding.headers
        if refusal.reason.isRetryable {
            headers.add(name: "retry-after", value: "\(refusal.reason.retryAfterSeconds)")
        }
        return HTTPAnswer(refusal.reason.httpStatus, headers, body: encoding.body(OTLP.RPCStatus(refusal)))
    }

    private func refuse(
        _ status: HTTPResponseStatus,
        _ text: String,
        _ headers: HTTPHeaders = HTTPHeaders()
    ) -> HTTPAnswer {
        export.counters.refuse(.unsupported)
        return .text(status, text, headers)
    }

    /// The encoding that the content type names, its parameters aside.
    private func encoding(_ head: HTTPRequestHead) -> TraceExport.Encoding? {
        guard let type = head.headers.first(name: "content-type") else { return nil }
        let name = type.prefix { $0 != ";" }.lowercased()
        return switch name.trimmingSuffix(while: { $0 == " " || $0 == "\t" }) {
        case "application/x-protobuf", "application/protobuf": .protobuf
        case "application/json": .json
        default: nil
        }
    }

    /// The coding of the body; `nil` for one that is not taken, several on top of each other included.
    private func coding(_ head: HTTPRequestHead) -> ContentCoding? {
        let names = head.headers[canonicalForm: "content-encoding"].filter { !$0.isEmpty }
        switch names.count {
        case 0: return .identity
        case 1: return ContentCoding(header: names[0])
        default: return nil
        }
    }
}

extension Refusal.Reason {
    /// The HTTP status (OTLP 1.5 §OTLP/HTTP Response; retryable ones are 429 and 503).
    package var httpStatus: HTTPResponseStatus {
        switch self {
        case .malformed: .badRequest
        case .tooLarge: .payloadTooLarge
        case .unsupported: .unsupportedMediaType
        case .incomplete: .requestTimeout
        case .busy: .tooManyRequests
        case .storeUnavailable, .storeFull, .shuttingDown: .serviceUnavailable
        }
    }
}

extension String {
    fileprivate func trimmingSuffix(while isDropped: (Character) -> Bool) -> Substring {
        var text = self[...]
        while let last = text.last, isDropped(last) { text.removeLast() }
        return text
    }
}
