// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import Testing

@testable import SkeinAPI

/// What clients ask before they ask for traces, and where the paths lie.
struct TempoStatusTests {
    @Test func `Grafana's test of the data source is answered`() async throws {
        let api = try await APIUnderTest()
        #expect(try await api.tempo("/api/echo") == "echo")
        #expect(try await api.tempo("/ready") == "ready\n")
        let build = try await api.tempoJSON("/api/status/buildinfo")
        #expect(build.keys == ["version", "revision", "branch", "buildDate", "buildUser", "goVersion"])
        #expect(build["version"] == "3.1.0")
        #expect(build["revision"] == "skein-0.1.0")
    }

    @Test func `status says what runs and what is served`() async throws {
        let api = try await APIUnderTest()
        #expect(try await api.tempo("/status/version") == "skein, version 0.1.0 (serves the API of Tempo 3.1.0)\n")
        #expect(try await api.tempo("/status/services") == "otlp-http => Running\n")
        #expect(try await api.tempo("/status/endpoints").contains("GET /api/v2/traces/{traceID}\n"))
        #expect(try await api.tempo("/status").contains("otlp-http => Running\n"))
    }

    @Test func `the same paths lie below /tempo beside the other APIs`() async throws {
        let api = try await APIUnderTest(Shop.order)
        #expect(try await api.text("/tempo/api/echo") == "echo")
        #expect(try await api.json("/tempo/api/v2/traces/\(Shop.traceID)")["trace"].keys == ["resourceSpans"])
        // Jaeger's, at the root.
        #expect(try await api.json("/api/traces/\(Shop.traceID)")["data"].array.count == 1)
        #expect(try await api.ask("/tempo/api/echo").route == "/tempo/api/echo")
        #expect(await api.askTempo("/api/echo").route == "/tempo/api/echo")
        #expect(try await api.text("/tempo", status: 404) == "Nothing is served at /tempo.")
        #expect(await api.api.respond(to: APIRequest(target: "/temporary")) == nil)
    }

    @Test func `errors are plain text with what else belongs to them`() async throws {
        let api = try await APIUnderTest()
        #expect(try await api.tempo("/api/nothing", status: 404) == "Nothing is served at /api/nothing.")
        let wrong = await api.askTempo("/api/echo", method: "POST")
        #expect(wrong.status == 405)
        #expect(wrong.header("Allow") == "GET, HEAD, OPTIONS")
        #expect(await api.askTempo("/api/echo", method: "HEAD").header("Content-Length") == "4")
        for method in ["GET", "POST", "PATCH", "DELETE"] {
            #expect(await api.askTempo("/api/overrides", method: method).status == 501)
        }
        #expect(await api.askTempo("/api/v2/traces/diff", method: "POST").status == 501)
        #expect(try await api.tempo("/api/mcp", status: 501).contains("MCP is not served"))
        for refusal in [
            API.refusal(503, "busy", "Try again.", retryAfterSeconds: 1, target: "/tempo/api/search"),
            API.refusal(503, "busy", "Try again.", retryAfterSeconds: 1, target: "/api/search", family: .tempo),
        ] {
            #expect(String(decoding: refusal.bytes, as: UTF8.self) == "Try again.")
            #expect(refusal.header("Retry-After") == "1")
        }
    }

    @Test func `a long path value takes the slashes that were not escaped`() {
        let route = Route("GET", "/api/tag/{name…}/values") { _, _ in APIResponse(status: 200) }
        #expect(route.match(Route.split("/api/tag/a/values")) == ["a"])
        #expect(route.match(Route.split("/api/tag/a/b%2Fc/values")) == ["a/b/c"])
        #expect(route.match(Route.split("/api/tag/values/values")) == ["values"])
        #expect(route.match(Route.split("/api/tag/values")) == nil)
        #expect(route.match(Route.split("/api/tag/a/value")) == nil)
        #expect(route.match(Route.split("/api")) == nil)
    }
}
