// SPDX-License-Identifier: Apache-2.0
#if Hummingbird
    import AsyncHTTPClient
    import HTTPTypes
    import Hummingbird
    import HummingbirdTesting
    import NIOCore
    import NIOHTTP1
    import SkeinHTTPClient
    import SkeinHummingbird
    import SkeinModel
    import Testing
    import Tracing

    @Suite struct TracedHTTPClientTests {
        private let exporter = InMemoryExporter()
        private let servers = InMemoryExporter()

        private var tracer: SkeinTracer { SkeinTracer(processors: [exporter]) }
        private var spans: [SkeinModel.Span] { exporter.spans.map(\.span) }

        /// Runs `body` with a client and the address of a server, which records into `servers`.
        private func run(
            configuration: HTTPClient.Configuration = HTTPClient.Configuration(),
            _ options: TracedHTTPClient.Options = TracedHTTPClient.Options(),
            _ body: @escaping @Sendable (TracedHTTPClient, String) async throws -> Void
        ) async throws {
            let router = Router()
            router.addMiddleware { SkeinMiddleware(tracer: SkeinTracer(processors: [servers])) }
            router.get("/headers") { request, _ in
                request.headers.map(\.name.canonicalName).filter {
                    ["traceparent", "tracestate", "baggage"].contains($0)
                }.sorted()
                    .joined(separator: ",")
            }
            router.get("/moved") { _, _ in Response(status: .found, headers: [.location: "/headers?sig=1"]) }
            router.get("/missing") { _, _ -> String in throw HTTPError(.notFound) }
            router.get("/torn") { _, _ in
                Response(
                    status: .ok,
                    body: ResponseBody(contentLength: 100) { writer in
                        try await writer.write(ByteBuffer(string: "part"))
                        throw HTTPError(.internalServerError)
                    }
                )
            }
            var configuration = configuration
            configuration.redirectConfiguration = .follow(max: 3, allowCycles: false)
            let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
            let traced = TracedHTTPClient(client, options, tracer: tracer)
            do {
                try await Application(router: router).test(.live) { server in
                    let port = try #require(server.port)
                    try await body(traced, "http://localhost:\(port)")
                }
            } catch {
                try await client.shutdown()
                throw error
            }
            try await client.shutdown()
        }

        @Test func `one trace goes from the client to the server`() async throws {
            let tracer = tracer
            try await run { client, address in
                try await tracer.withSpan("job") { _ in
                    var request = HTTPClientRequest(url: "\(address)/headers?a=b&sig=secret")
                    for name in ["traceparent", "TraceState", "baggage"] {
                        request.headers.add(name: name, value: "stale=1")
                    }
                    let response = try await client.execute(request, timeout: .seconds(10), template: "/headers")
                    let carried = try await String(buffer: response.body.collect(upTo: 1000))
                    #expect(carried == "traceparent")
                }
            }
            #expect(spans.map(\.name) == ["GET /headers", "job"])
            let (span, served) = (spans[0], try #require(servers.spans.first?.span))
            #expect(span.kind == .client && span.parentSpanID == spans[1].spanID && span.status.code == .unset)
            #expect(served.traceID == span.traceID && served.parentSpanID == span.spanID)
            #expect(span.attributes["server.address"] == "localhost" && span.attributes["url.template"] == "/headers")
            #expect(span.attributes["http.response.status_code"] == 200)
            #expect(served.attributes["server.address"] == "localhost")
            #expect(span.attributes["network.protocol.version"] == "1.1")
            guard case .int(let port) = span.attributes["server.port"] else { throw CancellationError() }
            #expect(span.attributes["url.full"] == .string("http://localhost:\(port)/headers?a=b&sig=REDACTED"))
        }

        @Test func `a span ends with the body, or when nobody has it any more`() async throws {
            let exporter = exporter
            try await run { client, address in
                let request = HTTPClientRequest(url: "\(address)/headers")
                let response = try await client.execute(request, timeout: .seconds(10))
                #expect(exporter.spans.isEmpty)
                for try await _ in response.body {}
                #expect(exporter.spans.count == 1)
                _ = try await client.execute(request, timeout: .seconds(10))
                #expect(exporter.spans.count == 2)
            }
        }

        @Test func `a span ends with the head when that is asked for`() async throws {
            var options = TracedHTTPClient.Options()
            options.endsWithHead = true
            let exporter = exporter
            try await run(options) { client, address in
                let response = try await client.execute(.init(url: "\(address)/headers"), timeout: .seconds(10))
                #expect(exporter.spans.count == 1)
                _ = try await response.body.collect(upTo: 1000)
            }
        }

        @Test func `a status from 400 on is an error of the client`() async throws {
            try await run { client, address in
                _ = try await client.execute(.init(url: "\(address)/missing"), timeout: .seconds(10))
            }
            #expect(spans[0].status.code == .error && spans[0].attributes["error.type"] == "404")
            #expect(servers.spans[0].span.status.code == .unset)
        }

        @Test func `a body that breaks off is an error`() async throws {
            try await run { client, address in
                let response = try await client.execute(.init(url: "\(address)/torn"), timeout: .seconds(10))
                await #expect(throws: (any Error).self) { _ = try await response.body.collect(upTo: 1000) }
            }
            #expect(spans[0].status.code == .error && spans[0].attributes["http.response.status_code"] == 200)
            #expect(spans[0].attributes["error.type"] != nil)
        }

        @Test func `a request that cannot be made is an error`() async throws {
            try await run { client, _ in
                await #expect(throws: (any Error).self) {
                    _ = try await client.execute(.init(url: "ftp://127.0.0.1/"), timeout: .seconds(10))
                }
            }
            #expect(spans.map(\.status.code) == [.error])
            #expect(spans[0].attributes["error.type"] == "Unsupported scheme")
            #expect(
                spans[0].events.map(\.name) == ["exception"] && spans[0].attributes["http.response.status_code"] == nil
            )
        }

        @Test func `redirects that are followed are events`() async throws {
            try await run { client, address in
                let response = try await client.execute(.init(url: "\(address)/moved"), timeout: .seconds(10))
                let carried = try await String(buffer: response.body.collect(upTo: 1000))
                #expect(carried == "traceparent")
            }
            #expect(spans.count == 1 && servers.spans.count == 2)
            #expect(spans[0].events.map(\.name) == ["http.redirect"])
            #expect(spans[0].events[0].attributes["http.response.status_code"] == 302)
            guard case .string(let url) = spans[0].events[0].attributes["url.full"] else { throw CancellationError() }
            #expect(url.hasSuffix("/headers?sig=REDACTED"))
            #expect(Set(servers.spans.map(\.span.parentSpanID)) == [spans[0].spanID])
        }

        @Test func `a client that traces by itself makes no second span`() async throws {
            var configuration = HTTPClient.Configuration()
            configuration.tracing.tracer = tracer
            try await run(configuration: configuration) { client, address in
                let response = try await client.execute(.init(url: "\(address)/headers"), timeout: .seconds(10))
                let carried = try await String(buffer: response.body.collect(upTo: 1000))
                #expect(carried == "traceparent")
            }
            #expect(spans.map(\.name) == ["GET"])
            #expect(servers.spans.map(\.span.parentSpanID) == [spans[0].spanID])
        }
    }
#endif
