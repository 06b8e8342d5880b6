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

    package func abandonsWithClient(_ head: HTTPRequestHead) -> Bool { false }

    package func answer(toHead head: HTTPRequestHead) -> HTTPAnswer? {
        export.counters.requests.add()
        switch head.path {
        case "/v1/traces": break
        case "/v1/logs", "/v1/metrics", "/v1development/profiles":
            return refuse(.text(.notFound, "404 not found: Skein takes traces, at /v1/traces, and no other signal"))
        default:
            return refuse(.text(.notFound, "404 not found: traces are taken at /v1/traces"))
        }
        guard head.method == .POST else { return refuse(.methodNotAllowed()) }
        guard encoding(head) != nil else {
            return refuse(
                .text(
                    .unsupportedMediaType,
                    "415 unsupported media type, supported: [application/json, application/x-protobuf]"
                )
            )
        }
        return head.contentCoding == nil ? refuse(.unsupportedCoding(of: head)) : nil
    }

    package func respond(to call: consuming HTTPCall) async -> HTTPAnswer {
        let (head, body, memory) = (call.head, call.body, call.memory)
        _ = consume call
        guard let encoding = encoding(head), let coding = head.contentCoding else {
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

    private func refuse(_ answer: HTTPAnswer) -> HTTPAnswer {
        export.counters.refuse(.unsupported)
        return answer
    }

    /// The encoding that the content type names.
    private func encoding(_ head: HTTPRequestHead) -> TraceExport.Encoding? {
        switch head.mediaType {
        case "application/x-protobuf", "application/protobuf": .protobuf
        case "application/json": .json
        default: nil
        }
    }
}
