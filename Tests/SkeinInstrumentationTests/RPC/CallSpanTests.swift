// SPDX-License-Identifier: Apache-2.0
#if GRPC
    import GRPCCore
    import GRPCInProcessTransport
    import SkeinModel
    import Testing
    import Tracing

    @testable import SkeinGRPC

    @Suite struct CallSpanTests {
        private struct Text: MessageSerializer, MessageDeserializer {
            func serialize<Bytes: GRPCContiguousBytes>(_ message: String) throws -> Bytes { Bytes(message.utf8) }

            func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> String {
                bytes.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
            }
        }

        private struct Broken: Error {}

        /// Says what it is told; `refuse` and `fail` are errors, `break` breaks off after one message.
        private struct Echo: RegistrableRPCService {
            let tracer: SkeinTracer

            func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
                router.registerHandler(
                    forMethod: CallSpanTests.method,
                    deserializer: Text(),
                    serializer: Text()
                ) { request, _ in
                    var words: [String] = []
                    for try await word in request.messages { words.append(word) }
                    if words == ["refuse"] { throw RPCError(code: .notFound, message: "nobody") }
                    if words == ["fail"] { throw Broken() }
                    let answer = words
                    return StreamingServerResponse { writer in
                        tracer.withSpan("write") { _ in }
                        for word in answer { try await writer.write(word) }
                        if answer == ["break"] { throw RPCError(code: .dataLoss, message: "gone") }
                        return [:]
                    }
                }
            }
        }

        private static let method = MethodDescriptor(fullyQualifiedService: "tests.Echo", method: "Say")

        private let clients = InMemoryExporter()
        private let servers = InMemoryExporter()

        private func run(
            _ tracing: CallTracing = CallTracing(),
            _ body: @escaping @Sendable (GRPCClient<InProcessTransport.Client>) async throws -> Void
        ) async throws {
            let transport = InProcessTransport()
            let tracer = SkeinTracer(processors: [servers])
            let server = GRPCServer(
                transport: transport.server,
                services: [Echo(tracer: tracer)],
                interceptors: [SkeinServerInterceptor(tracing, tracer: tracer)]
            )
            let client = GRPCClient(
                transport: transport.client,
                interceptors: [SkeinClientInterceptor(tracing, tracer: SkeinTracer(processors: [clients]))]
            )
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await server.serve() }
                group.addTask { try await client.runConnections() }
                try await body(client)
                client.beginGracefulShutdown()
                server.beginGracefulShutdown()
                try await group.waitForAll()
            }
        }

        private func say(
            _ words: [String],
            _ client: GRPCClient<InProcessTransport.Client>,
            metadata: Metadata = [:]
        ) async throws -> [String] {
            try await client.bidirectionalStreaming(
                request: StreamingClientRequest(metadata: metadata) { writer in
                    for word in words { try await writer.write(word) }
                },
                descriptor: Self.method,
                serializer: Text(),
                deserializer: Text(),
                options: .defaults
            ) { response in
                var answer: [String] = []
                for try await word in response.messages { answer.append(word) }
                return answer
            }
        }

        @Test func `one trace goes from the client to the server`() async throws {
            try await run { client in
                let answer = try await say(["a", "b"], client, metadata: ["traceparent": "stale"])
                #expect(answer == ["a", "b"])
            }
            let client = try #require(clients.spans.first?.span)
            #expect(servers.spans.map(\.name) == ["write", "tests.Echo/Say"])
            let (write, server) = (servers.spans[0].span, servers.spans[1].span)
            #expect(clients.spans.count == 1 && client.name == "tests.Echo/Say")
            #expect(client.kind == .client && server.kind == .server)
            #expect(server.traceID == client.traceID && server.parentSpanID == client.spanID)
            #expect(write.parentSpanID == server.spanID)
            for span in [client, server] {
                #expect(
                    span.attributes.sorted { $0.key < $1.key } == [
                        Attribute("rpc.method", "tests.Echo/Say"), Attribute("rpc.response.status_code", "OK"),
                        Attribute("rpc.system.name", "grpc"),
                    ]
                )
                #expect(span.status.code == .unset && span.events.isEmpty)
            }
        }

        @Test func `what is not found is an error for the client alone`() async throws {
            try await run { client in
                await #expect(throws: RPCError.self) { _ = try await say(["refuse"], client) }
            }
            let (client, server) = (clients.spans[0].span, servers.spans[0].span)
            #expect(client.attributes["rpc.response.status_code"] == "NOT_FOUND")
            #expect(server.attributes["rpc.response.status_code"] == "NOT_FOUND")
            #expect(client.status == .init(.error, message: "nobody") && client.attributes["error.type"] == "NOT_FOUND")
            #expect(server.status.code == .unset && server.attributes["error.type"] == nil)
        }

        @Test func `what the server cannot name is its own error`() async throws {
            try await run { client in
                await #expect(throws: RPCError.self) { _ = try await say(["fail"], client) }
            }
            let server = servers.spans[0].span
            #expect(server.status.code == .error && server.attributes["rpc.response.status_code"] == "UNKNOWN")
            #expect(server.events.map(\.name) == ["exception"])
            #expect(clients.spans[0].span.attributes["error.type"] == "UNKNOWN")
        }

        @Test func `a stream that breaks off is an error on both sides`() async throws {
            try await run { client in
                await #expect(throws: RPCError.self) { _ = try await say(["break"], client) }
            }
            #expect(clients.spans[0].span.attributes["rpc.response.status_code"] == "DATA_LOSS")
            #expect(servers.spans[1].span.attributes["rpc.response.status_code"] == "DATA_LOSS")
            #expect(clients.spans[0].span.status.code == .error && servers.spans[1].span.status.code == .error)
        }

        @Test func `metadata and the server's name are recorded when they are named`() async throws {
            var tracing = CallTracing()
            (tracing.requestMetadata, tracing.serverAddress, tracing.serverPort) = (["Tenant"], "echo.example", 443)
            try await run(tracing) { client in
                _ = try await say(["a"], client, metadata: ["tenant": "x", "authorization": "secret"])
            }
            for span in [clients.spans[0].span, servers.spans[1].span] {
                #expect(span.attributes["rpc.request.metadata.tenant"] == ["x"])
                #expect(span.attributes["server.address"] == "echo.example" && span.attributes["server.port"] == 443)
                #expect(!span.attributes.contains { $0.key.contains("authorization") })
            }
        }

        @Test func `what metadata carries of another trace does not go on`() async throws {
            var tracing = CallTracing()
            tracing.requestMetadata = ["tracestate", "baggage"]
            try await run(tracing) { client in
                _ = try await say(["a"], client, metadata: ["tracestate": "a=1", "Baggage": "a=b"])
            }
            let server = servers.spans[1].span
            #expect(server.parentSpanID == clients.spans[0].span.spanID)
            #expect(!server.attributes.contains { $0.key.hasPrefix("rpc.request.metadata") })
        }

        @Test func `the ends of a connection are read as transports write them`() {
            #expect(Peer("ipv4:127.0.0.1:31415").map { [$0.address, "\($0.port ?? 0)"] } == ["127.0.0.1", "31415"])
            #expect(Peer("ipv6:[::1]:443").map { [$0.address, "\($0.port ?? 0)"] } == ["::1", "443"])
            #expect(Peer("unix:/tmp/socket")?.address == "/tmp/socket" && Peer("unix:/tmp/socket")?.port == nil)
            #expect(Peer("in-process:12") == nil && Peer("") == nil && Peer("ipv4:") == nil)
        }
    }
#endif
