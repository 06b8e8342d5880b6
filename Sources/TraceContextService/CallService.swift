// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import SkeinHTTPClient
import SkeinRecording
import Tracing

/// Makes the calls that a request asks for: one server span for the request, and one client span for each call.
struct CallService: Sendable {
    private static let callTimeout = TimeAmount.seconds(30)

    private let client: TracedHTTPClient

    init(client: HTTPClient) { self.client = client.traced }

    @Sendable func answer(_ request: HTTPRequest) async -> HTTPAnswer {
        guard request.head.method == .POST, request.head.uri == "/test" else {
            return HTTPAnswer(status: .notFound, body: "POST /test is all that there is here\n")
        }
        var context = ServiceContext.topLevel
        Skein.tracer?.extract(request.head.headers, into: &context, using: HeaderExtractor())
        return await Skein.withSpan(
            "POST /test",
            kind: .server,
            attributes: ["http.request.method": "POST", "url.path": "/test", "http.route": "/test"],
            context: context
        ) { span in
            let answer = await call(request.body)
            span.setAttribute("http.response.status_code", Int(answer.status.code))
            return answer
        }
    }

    private func call(_ body: ByteBuffer) async -> HTTPAnswer {
        let calls: [Call]
        do throws(Call.Malformed) {
            calls = try Call.list(body)
        } catch {
            return HTTPAnswer(status: .badRequest, body: "\(error)\n")
        }
        var statuses: [UInt] = []
        for call in calls {
            do {
                statuses.append(try await status(of: call))
            } catch {
                let place = "call \(statuses.count + 1) of \(calls.count), to \(call.url)"
                return HTTPAnswer(status: .badGateway, body: "\(place), failed: \(error)\n")
            }
        }
        return HTTPAnswer(status: .ok, contentType: "application/json", body: #"{"statuses": \#(statuses)}"# + "\n")
    }

    private func status(of call: Call) async throws -> UInt {
        var request = HTTPClientRequest(url: call.url)
        request.method = .POST
        request.headers = ["content-type": "application/json"]
        request.body = .bytes(call.arguments)
        let response = try await client.execute(request, timeout: Self.callTimeout)
        // The connection is free for the next call after that.
        for try await _ in response.body {}
        return response.status.code
    }
}

/// Reads headers as they came, whatever the case of their names.
private struct HeaderExtractor: Extractor, HeaderListing {
    func extract(key: String, from headers: HTTPHeaders) -> String? {
        let values = headers[key]
        return values.isEmpty ? nil : values.joined(separator: ",")
    }

    func names(of carrier: Any) -> [String]? {
        (carrier as? HTTPHeaders).map { headers in Set(headers.map { $0.name.lowercased() }).sorted() }
    }
}
