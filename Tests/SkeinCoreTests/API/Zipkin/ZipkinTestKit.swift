// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinAPI
import SkeinModel
import Testing

extension APIUnderTest {
    /// The answer of Zipkin's API at its own root.
    func askZipkin(_ target: String, method: String = "GET") async -> APIResponse {
        await api.respond(to: APIRequest(method: method, target: target), family: .zipkin)
    }

    /// The text of an answer of Zipkin's API, of that status.
    func zipkin(_ target: String, status: Int = 200) async throws -> String {
        let response = await askZipkin(target)
        let text = String(decoding: response.bytes, as: UTF8.self)
        #expect(response.status == status, "\(target): \(text.prefix(300))")
        let type = status >= 400 ? "text/plain; charset=utf-8" : "application/json"
        #expect(response.header("Content-Type") == type, "\(target)")
        return text
    }

    /// The JSON of an answer of Zipkin's API.
    func zipkinJSON(_ target: String) async throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: Data(try await zipkin(target).utf8))
    }
}
