// SPDX-License-Identifier: Apache-2.0
import NIOCore
package import NIOHTTP1
import SkeinCompression
package import SkeinPipeline
import SkeinWire

/// OTLP over HTTP (OTLP 1.9 §OTLP/HTTP): `POST /v1/traces`, `/v1/logs` and `/v1/metrics` in Protocol Buffers or JSON.
///
/// Traces are also taken at `/api/public/otel/v1/traces`, the one path that the Langfuse SDK knows, and in the same way.
///
/// A request with `X-Skein-Import: 1`, as `skein import` sends it, is not sampled.
package struct OTLPHTTPService: HTTPService {
    private let exports: OTLPExports
    private var counters: IngestCounters { exports.traces.counters }

    /// The service in front of `exports`.
    package init(_ exports: OTLPExports) { self.exports = exports }

    package func abandonsWithClient(_ head: HTTPRequestHead) -> Bool { false }

    package func answer(toHead head: HTTPRequestHead) -> HTTPAnswer? {
        counters.requests.add()
        guard exports.signal(atPath: head.path) != nil else {
            return refuse(
                .text(
                    .notFound,
                    head.path == "/v1development/profiles"
                        ? "404 not found: Skein takes no profiles, but traces at /v1/traces and their logs at /v1/logs"
                        : "404 not found: traces are taken at /v1/traces, their logs at /v1/logs"
                )
            )
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
        guard let encoding = encoding(head), let coding = head.contentCoding,
            let signal = exports.signal(atPath: head.path)
        else {
            // The head was accepted before, so all are known.
            return HTTPAnswer(.internalServerError)
        }
        do throws(Refusal) {
            let response = try await exports.receive(
                signal,
                body,
                coding: coding,
                encoding: encoding,
                memory: memory,
                isImport: head.headers.first(name: "x-skein-import") == "1"
            )
            return HTTPAnswer(.ok, encoding.headers, body: encoding.body(response))
        } catch {
            return answer(to: error, head: head)
        }
    }

    package func answer(to refusal: Refusal, head: HTTPRequestHead) -> HTTPAnswer {
        counters.refuse(refusal.reason)
        let encoding = encoding(head) ?? .protobuf
        var headers = encoding.headers
        if refusal.reason.isRetryable {
            headers.add(name: "retry-after", value: "\(refusal.retryAfterSeconds)")
        }
        return HTTPAnswer(refusal.reason.httpStatus, headers, body: encoding.body(OTLP.RPCStatus(refusal)))
    }

    private func refuse(_ answer: HTTPAnswer) -> HTTPAnswer {
        counters.refuse(.unsupported)
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
