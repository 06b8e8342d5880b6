// SPDX-License-Identifier: Apache-2.0
#if Hummingbird
    import HTTPTypes
    import Hummingbird
    import HummingbirdTesting
    import NIOCore
    import SkeinHummingbird
    import SkeinModel
    import SkeinPropagation
    import Testing
    import Tracing

    @Suite struct SkeinMiddlewareTests {
        private struct Broken: Error {}

        private let exporter = InMemoryExporter()

        /// What the server records of `requests`, in the order in which the spans ended.
        private func spans(
            _ tracing: RequestTracing = RequestTracing(),
            propagator: any Propagator = CompositePropagator([TraceContextPropagator(), BaggagePropagator()]),
            _ requests: @escaping @Sendable (any TestClientProtocol) async throws -> Void
        ) async throws -> [SkeinModel.Span] {
            let tracer = SkeinTracer(processors: [exporter], propagator: propagator)
            let router = Router()
            router.addMiddleware { SkeinMiddleware(tracing, tracer: tracer) }
            router.get("/users/{id}") { request, context -> String in
                tracer.withSpan("inside") { _ in }
                return context.parameters.get("id") ?? ""
            }
            router.get("/baggage") { _, _ in ServiceContext.current?.baggage["user"] ?? "none" }
            router.get("/refused") { _, _ -> String in throw HTTPError(.forbidden) }
            router.get("/unavailable") { _, _ -> String in throw HTTPError(.serviceUnavailable) }
            router.get("/broken") { _, _ -> String in throw Broken() }
            router.get("/teapot") { _, _ in Response(status: .badGateway) }
            router.get("/stream") { _, _ in
                Response(
                    status: .ok,
                    body: ResponseBody { writer in
                        tracer.withSpan("part") { _ in }
                        try await writer.write(ByteBuffer(string: "part"))
                        try await writer.finish(nil)
                    }
                )
            }
            router.get("/torn") { _, _ in Response(status: .ok, body: ResponseBody { _ in throw Broken() }) }
            router.get("/health") { _, _ in "fine" }
            try await Application(router: router).test(.router) { try await requests($0) }
            return exporter.spans.map(\.span)
        }

        @Test func `a request is a span named after its route`() async throws {
            let spans = try await spans {
                let headers: HTTPFields = [.userAgent: "tests"]
                _ = try await $0.execute(uri: "/users/7?page=2&sig=secret", method: .get, headers: headers)
            }
            #expect(spans.map(\.name) == ["inside", "GET /users/{id}"])
            let span = spans[1]
            #expect(span.kind == .server && span.status.code == .unset && span.parentSpanID == .zero)
            #expect(spans[0].parentSpanID == span.spanID)
            let expected: [String: AttributeValue] = [
                "http.request.method": "GET", "url.path": "/users/7", "url.query": "page=2&sig=REDACTED",
                "url.scheme": "http", "http.route": "/users/{id}", "http.response.status_code": 200,
                "user_agent.original": "tests",
            ]
            for (key, value) in expected { #expect(span.attributes[key] == value, "\(key)") }
            #expect(span.scope.name == "SkeinHummingbird")
        }

        @Test func `without a route the name is the method alone`() async throws {
            let spans = try await spans { _ = try await $0.execute(uri: "/nowhere", method: .get) }
            #expect(spans.map(\.name) == ["GET"])
            #expect(spans[0].attributes["http.response.status_code"] == 404)
            #expect(spans[0].status.code == .unset && spans[0].attributes["error.type"] == nil)
        }

        @Test func `a method that somebody made up is no name`() async throws {
            let spans = try await spans { client in
                _ = try await client.execute(uri: "/x", method: .init("MADEUP") ?? .get)
            }
            #expect(spans.map(\.name) == ["HTTP"])
            #expect(spans[0].attributes["http.request.method"] == "_OTHER")
            #expect(spans[0].attributes["http.request.method_original"] == "MADEUP")
        }

        @Test func `the trace of the headers goes on, and the response tells it`() async throws {
            let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            let answer = try await spans {
                let headers: HTTPFields = [Self.traceparent: parent]
                let response = try await $0.execute(uri: "/health", method: .get, headers: headers)
                let told = try #require(response.headers[Self.traceResponse])
                #expect(told.hasPrefix("00-0af7651916cd43dd8448eb211c80319c-") && told.hasSuffix("-01"))
                #expect(!told.contains("b7ad6b7169203331"))
            }
            #expect("\(answer[0].traceID)" == "0af7651916cd43dd8448eb211c80319c")
            #expect("\(answer[0].parentSpanID)" == "b7ad6b7169203331")
        }

        @Test func `baggage in headers of which only the beginning is known is found`() async throws {
            _ = try await spans(propagator: JaegerPropagator()) {
                let headers: HTTPFields = [try #require(HTTPField.Name("uberctx-user")): "ada"]
                let response = try await $0.execute(uri: "/baggage", method: .get, headers: headers)
                #expect(String(buffer: response.body) == "ada")
            }
        }

        @Test func `an answer of 5xx is an error, one of 4xx is the client's`() async throws {
            let spans = try await spans {
                for path in ["refused", "unavailable", "broken", "teapot"] {
                    _ = try await $0.execute(uri: "/\(path)", method: .get)
                }
            }
            #expect(spans.map(\.status.code) == [.unset, .error, .error, .error])
            #expect(spans.map { $0.attributes["http.response.status_code"] } == [403, 503, 500, 502])
            #expect(
                spans.map { $0.attributes["error.type"] } == [
                    nil, "503", "SkeinInstrumentationTests.SkeinMiddlewareTests.Broken", "502",
                ]
            )
            #expect(spans.map(\.name).first == "GET /refused")
            #expect(spans.map(\.events.count) == [0, 1, 1, 0])
        }

        @Test func `a span ends with the body, and what writes it is inside`() async throws {
            let spans = try await spans { _ = try await $0.execute(uri: "/stream", method: .get) }
            #expect(spans.map(\.name) == ["part", "GET /stream"])
            #expect(spans[0].parentSpanID == spans[1].spanID)
        }

        @Test func `a body that cannot be written is an error`() async throws {
            let spans = try await spans { _ = try? await $0.execute(uri: "/torn", method: .get) }
            #expect(spans.map(\.status.code) == [.error])
            #expect(spans[0].attributes["error.type"] == "SkeinInstrumentationTests.SkeinMiddlewareTests.Broken")
        }

        @Test func `headers that are named are recorded, others are not`() async throws {
            var tracing = RequestTracing()
            tracing.requestHeaders = [.accept]
            tracing.responseHeaders = [.contentType]
            let spans = try await spans(tracing) {
                let headers: HTTPFields = [.accept: "text/plain", .authorization: "secret"]
                _ = try await $0.execute(uri: "/health", method: .get, headers: headers)
            }
            #expect(spans[0].attributes["http.request.header.accept"] == ["text/plain"])
            #expect(spans[0].attributes["http.response.header.content-type"] == ["text/plain; charset=utf-8"])
            #expect(spans[0].attributes["http.request.header.authorization"] == nil)
        }

        @Test func `requests that are left out have no span`() async throws {
            var tracing = RequestTracing()
            tracing.isTraced = { $0.uri.path != "/health" }
            let spans = try await spans(tracing) {
                _ = try await $0.execute(uri: "/health", method: .get)
                _ = try await $0.execute(uri: "/baggage", method: .get)
            }
            #expect(spans.map(\.name) == ["GET /baggage"])
        }

        @Test func `forwarding headers count only where they are believed`() async throws {
            let headers: HTTPFields = [
                try #require(HTTPField.Name("x-forwarded-for")): " 203.0.113.7, 10.0.0.1",
                try #require(HTTPField.Name("x-forwarded-proto")): "https , http",
                try #require(HTTPField.Name("x-forwarded-host")): "shop.example:443, inner.example",
            ]
            var tracing = RequestTracing()
            let plain = try await spans(tracing) {
                _ = try await $0.execute(uri: "/health", method: .get, headers: headers)
            }
            #expect(plain[0].attributes["url.scheme"] == "http" && plain[0].attributes["client.address"] == nil)
            exporter.reset()
            tracing.trustsForwardingHeaders = true
            let behind = try await spans(tracing) {
                _ = try await $0.execute(uri: "/health", method: .get, headers: headers)
            }
            #expect(behind[0].attributes["url.scheme"] == "https")
            #expect(behind[0].attributes["client.address"] == "203.0.113.7")
            #expect(behind[0].attributes["server.address"] == "shop.example")
            #expect(behind[0].attributes["server.port"] == 443)
        }

        private static let traceparent = HTTPField.Name("traceparent") ?? .via
        private static let traceResponse = HTTPField.Name("traceresponse") ?? .via
    }
#endif
