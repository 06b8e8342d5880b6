// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
import Foundation
import Logging
import NIOHTTP1
import SkeinReceivers
import SkeinServer
import Synchronization
import Testing

/// What a server announced.
private final class Lines: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }

    func add(_ line: String) { lines.withLock { $0.append(line) } }
}

/// The whole server in this process: real sockets, a real folder.
struct ServerTests {
    /// Runs a server on free ports and a folder of its own while `body` runs; `body` gets the ports by listener.
    func withServer(
        _ change: (inout ServerConfiguration) -> Void = { _ in },
        folder: URL? = nil,
        _ body: ([ListenerName: Int]) async throws -> Void
    ) async throws {
        var configuration = ServerConfiguration()
        let own = FileManager.default.temporaryDirectory.appending(path: "skein-\(UUID().uuidString)")
        configuration.dataDirectory = (folder ?? own).path()
        configuration.logLevel = .critical
        for name in ListenerName.allCases { configuration.listeners[name] = ListenAddress(host: "127.0.0.1", port: 0) }
        change(&configuration)
        defer { if folder == nil { try? FileManager.default.removeItem(at: own) } }
        let lines = Lines()
        try await withThrowingTaskGroup(of: Void.self) { group in
            let server = Server(configuration)
            group.addTask { try await server.run { line in lines.add(line) } }
            // A server that cannot start ends its task, and that error is the one to report.
            group.addTask {
                try await eventually("the server is ready or fails") { lines.all.last == "ready" }
            }
            try await group.next()
            var ports: [ListenerName: Int] = [:]
            for line in lines.all {
                let words = line.split(separator: " ")
                guard let name = ListenerName(rawValue: String(words[0])), words.count == 2 else { continue }
                ports[name] = Int(words[1].split(separator: ":").last ?? "")
            }
            do {
                try await body(ports)
            } catch {
                group.cancelAll()
                throw error
            }
            group.cancelAll()
            while let result = await group.nextResult() {
                if case .failure(let error) = result, !(error is CancellationError) { throw error }
            }
        }
    }

    func get(_ port: Int?, _ path: String, _ headers: [(String, String)] = []) async throws -> Answer {
        try await Answer.of(try #require(port), path, headers, method: .GET)
    }

    @Test func `spans that came over every door are found`() async throws {
        try await withServer { ports in
            let http = try #require(ports[.otlpHTTP])
            try await #expect(Answer.of(http, body: Request.protobuf([Request.span(1, name: "one")])).status == 200)
            try await GRPCClient.with(try #require(ports[.otlpGRPC])) { client in
                let message = GRPCClient.frame(Request.protobuf([Request.span(2, name: "two")]))
                try await #expect(client.call(parts: [message]).status == "0")
            }
            let answer = try await get(ports[.web], "/api/skein/v1/traces/\(String(describing: Request.traceID))")
            #expect(answer.status == 200, "\(answer.text)")
            #expect(answer.text.contains(#""name":"one""#) && answer.text.contains(#""name":"two""#))
        }
    }

    @Test func `what was acknowledged is there after a restart`() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "skein-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try await withServer(folder: folder) { ports in
            let http = try #require(ports[.otlpHTTP])
            try await #expect(Answer.of(http, body: Request.protobuf([Request.span(1, name: "kept")])).status == 200)
        }
        try await withServer(folder: folder) { ports in
            let answer = try await get(ports[.web], "/api/skein/v1/traces/\(String(describing: Request.traceID))")
            #expect(answer.text.contains(#""name":"kept""#))
        }
    }

    @Test func `the page is served with its security headers and revalidated by tag`() async throws {
        try await withServer { ports in
            for path in ["/", "/explore", "/trace/4bf92f3577b34da6a3ce929d0e0e4736"] {
                let page = try await get(ports[.web], path)
                #expect(page.status == 200)
                #expect(page.header("content-type") == "text/html; charset=utf-8")
                #expect(page.header("content-security-policy")?.contains("default-src 'self'") == true)
                #expect(page.header("content-security-policy")?.contains("unsafe") == false)
                #expect(page.header("x-content-type-options") == "nosniff")
                #expect(page.header("referrer-policy") == "no-referrer")
                let tag = try #require(page.header("etag"))
                try await #expect(get(ports[.web], path, [("if-none-match", tag)]).status == 304)
            }
            for path in ["/nothing", "/assets/nothing.js", "/assets/../Package.swift", "/assets/%2e%2e/x"] {
                try await #expect(get(ports[.web], path).status == 404)
            }
        }
    }

    @Test func `an unknown path below the APIs is a problem in JSON, never the page`() async throws {
        try await withServer { ports in
            for path in ["/api/skein/v1/nothing", "/api/skein/v2/search", "/api/skein/v1/traces/zzz"] {
                let answer = try await get(ports[.web], path)
                #expect(answer.status >= 400 && answer.status < 500)
                #expect(answer.header("content-type") == "application/problem+json")
            }
        }
    }

    @Test func `large answers are packed for who asks`() async throws {
        try await withServer { ports in
            let plain = try await get(ports[.web], "/metrics")
            #expect(plain.header("content-encoding") == nil)
            #expect(plain.header("vary") == "accept-encoding")
            let packed = try await get(ports[.web], "/metrics", [("accept-encoding", "br, gzip;q=0.5")])
            #expect(packed.header("content-encoding") == "gzip")
            #expect(packed.body.count < plain.body.count)
            let refused = try await get(ports[.web], "/metrics", [("accept-encoding", "gzip;q=0")])
            #expect(refused.header("content-encoding") == nil)
            try await #expect(get(ports[.web], "/healthz", [("accept-encoding", "gzip")]).text == "ok\n")
        }
    }

    @Test func `health, readiness and figures are told, and nothing to whoever writes`() async throws {
        try await withServer { ports in
            try await #expect(get(ports[.web], "/healthz").status == 200)
            try await #expect(get(ports[.web], "/readyz").text == "ready\n")
            let metrics = try await get(ports[.web], "/metrics")
            #expect(metrics.header("content-type") == "text/plain; version=0.0.4; charset=utf-8")
            for name in ["skein_accepted_spans_total", "process_resident_memory_bytes", "skein_store_", "skein_query_"]
            {
                #expect(metrics.text.contains(name), "no \(name)")
            }
            for share in ["requests", "head", "sealing", "merging", "cache", "blocks", "queries", "excess"] {
                #expect(metrics.text.contains("skein_memory_bytes{share=\"\(share)\"} "))
                #expect(metrics.text.contains("skein_memory_limit_bytes{share=\"\(share)\"} "))
            }
            let web = try #require(ports[.web])
            try await #expect(Answer.of(web, "/metrics", [], method: .POST).status == 405)
            try await #expect(Answer.of(web, "/", [], method: .DELETE).status == 405)
        }
    }

    @Test func `every figure of the store has its own sentence, and what only grows is a counter`() async throws {
        try await withServer { ports in
            let text = try await get(ports[.web], "/metrics").text
            let lines = text.split(separator: "\n").filter { $0.contains(" skein_store_") }
            #expect(lines.count > 50)
            for line in lines where line.hasPrefix("# HELP") {
                #expect(!line.contains("The store's figure"), "no sentence for \(line)")
            }
            for line in lines where line.hasPrefix("# TYPE") {
                #expect(line.hasSuffix("counter") == line.contains("_total "), "\(line)")
            }
            for name in ["log_syncs", "merges", "seals", "blocks_removed", "duplicates_dropped", "cache_hits"] {
                #expect(text.contains("# TYPE skein_store_\(name)_total counter\nskein_store_\(name)_total "))
            }
            #expect(text.contains("# TYPE skein_store_blocks gauge\n"))
        }
    }

    @Test func `a data port says nothing of the server's inside`() async throws {
        try await withServer { ports in
            for path in ["/metrics", "/healthz", "/", "/api/services", "/debug/vars"] {
                try await #expect(get(ports[.otlpHTTP], path).status == 404)
            }
        }
    }

    @Test func `below a base path everything moves and nothing else answers`() async throws {
        try await withServer({ $0.basePath = "/tracing" }) { ports in
            try await #expect(get(ports[.web], "/tracing").status == 200)
            try await #expect(get(ports[.web], "/tracing/healthz").status == 200)
            try await #expect(get(ports[.web], "/tracing/api/skein/v1/services?limit=1").status == 200)
            try await #expect(get(ports[.web], "/healthz").status == 404)
            try await #expect(get(ports[.web], "/tracingx").status == 404)
        }
    }

    @Test func `APIs with a port of their own are also served below their names on the web listener`() async throws {
        try await withServer { ports in
            for (name, prefix) in [(ListenerName.tempo, "/tempo"), (.zipkin, "/zipkin")] {
                for (port, path) in [(ports[name], ""), (ports[.web], prefix)] {
                    let answer = try await get(port, "\(path)/api/nothing")
                    #expect(answer.status == 404)
                    #expect(answer.header("content-security-policy") != nil)
                    #expect(!answer.text.contains("there is no page"), "\(answer.text)")
                }
            }
            // What is another's is not served below a name.
            try await #expect(get(ports[.web], "/tempox/api/nothing").text.contains("there is no page"))
            try await #expect(get(ports[.tempo], "/api/skein/v1/services").status == 404)
        }
    }

    @Test func `queries come over gRPC to a port of their own or to Tempo's`() async throws {
        try await withServer { ports in
            for name in [ListenerName.tempo, .jaegerQueryGRPC] {
                try await GRPCClient.with(try #require(ports[name])) { client in
                    try await #expect(client.call("/no.Service/Method", parts: [GRPCClient.frame([])]).status == "12")
                }
            }
        }
    }

    @Test func `a port in use is an error that names the listener, the port and the flag`() async throws {
        try await withServer { ports in
            let taken = try #require(ports[.web])
            let error = try await #require(throws: ListenError.self) {
                try await withServer({ $0.listeners[.otlpHTTP] = ListenAddress(host: "127.0.0.1", port: taken) }) { _ in
                }
            }
            #expect(error.description.contains("otlp-http"))
            #expect(error.description.contains("\(taken)"))
            #expect(error.description.contains("--listen otlp-http="))
        }
    }
}
