// SPDX-License-Identifier: Apache-2.0
import NIOHTTP1
import SkeinPipeline
import SkeinReceivers
import Testing

/// What pages of other origins are answered.
struct CrossOriginTests {
    private static func withHTTP(_ origins: String, _ body: (Int) async throws -> Void) async throws {
        let fixture = Fixture()
        let listener = HTTPListener(
            name: "otlp-http",
            address: ListenAddress(host: "127.0.0.1", port: 0),
            limits: HTTPLimits(),
            budget: fixture.pipeline.budget,
            telemetry: fixture.telemetry,
            service: CrossOriginService(
                OTLPHTTPService(fixture.exports),
                origins: try #require(CrossOrigins(parsing: origins))
            )
        )
        try await fixture.run(listener, body)
    }

    private static let json = ("content-type", "application/json")

    @Test func `a browser may ask first, and reads the answer`() async throws {
        try await Self.withHTTP("https://shop.example, https://*.shop.example") { port in
            let asked = [
                ("origin", "https://www.shop.example"), ("access-control-request-method", "POST"),
                ("access-control-request-headers", "content-type,x-key"),
            ]
            let preflight = try await Answer.of(port, "/v1/traces", asked, method: .OPTIONS)
            #expect(preflight.status == 204)
            #expect(preflight.header("access-control-allow-origin") == "https://www.shop.example")
            #expect(preflight.header("access-control-allow-methods") == "POST")
            #expect(preflight.header("access-control-allow-headers") == "content-type, x-key")
            let sent = try await Answer.of(
                port,
                "/v1/traces",
                [Self.json, ("origin", "https://shop.example")],
                body: Array("{}".utf8)
            )
            #expect(sent.status == 200 && sent.header("vary") == "origin")
            #expect(sent.header("access-control-allow-origin") == "https://shop.example")
            let bad = try await Answer.of(
                port,
                "/v1/traces",
                [Self.json, ("origin", "https://shop.example")],
                body: Array("{".utf8)
            )
            #expect(bad.status == 400 && bad.header("access-control-allow-origin") == "https://shop.example")
        }
    }

    @Test func `other origins are not let in`() async throws {
        try await Self.withHTTP("https://shop.example") { port in
            for origin in ["https://evil.example", "http://shop.example", "https://shop.example.evil", "null"] {
                let asked = [("origin", origin), ("access-control-request-method", "POST")]
                let preflight = try await Answer.of(port, "/v1/traces", asked, method: .OPTIONS)
                #expect(preflight.status == 403 && preflight.header("access-control-allow-origin") == nil)
            }
            let plain = try await Answer.of(port, "/v1/traces", [Self.json], body: Array("{}".utf8))
            #expect(plain.status == 200 && plain.header("vary") == nil)
        }
    }

    @Test func `any origin may be let in`() async throws {
        try await Self.withHTTP("*") { port in
            let headers = [Self.json, ("origin", "https://any.example")]
            let sent = try await Answer.of(port, "/v1/traces", headers, body: Array("{}".utf8))
            #expect(sent.header("access-control-allow-origin") == "*")
            let asked = try await Answer.of(port, "/v1/traces", [("origin", "https://any.example")], method: .GET)
            #expect(asked.header("access-control-allow-origin") == nil)
        }
    }

    @Test(arguments: ["shop.example", "https://", "https://a/b", "https://*.*.x"])
    func `what is no origin is not taken`(text: String) { #expect(CrossOrigins(parsing: text) == nil) }
}
