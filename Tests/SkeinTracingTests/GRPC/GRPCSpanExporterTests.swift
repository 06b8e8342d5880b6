// SPDX-License-Identifier: Apache-2.0
#if GRPC
    import GRPCCore
    import GRPCNIOTransportHTTP2
    import SkeinBase
    import SkeinWire
    import Synchronization
    import Testing
    import Tracing

    @testable import SkeinTracing

    @Suite struct GRPCSpanExporterTests {
        private struct PlainBytes: MessageSerializer, MessageDeserializer {
            func serialize<Bytes: GRPCContiguousBytes>(_ message: [UInt8]) -> Bytes { Bytes(message) }
            func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) -> [UInt8] {
                bytes.withUnsafeBytes { Array($0) }
            }
        }

        /// A receiver that answers as a test tells it, in order, and the last for ever.
        private final class Receiver: RegistrableRPCService, Sendable {
            struct State {
                var requests: [(metadata: Metadata, body: [UInt8])] = []
                var answers: [Result<[UInt8], RPCError>]
            }

            let state: Mutex<State>

            init(_ answers: [Result<[UInt8], RPCError>]) { state = Mutex(State(answers: answers)) }

            func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
                router.registerHandler(
                    forMethod: MethodDescriptor(
                        service: ServiceDescriptor(
                            fullyQualifiedService: "opentelemetry.proto.collector.trace.v1.TraceService"
                        ),
                        method: "Export"
                    ),
                    deserializer: PlainBytes(),
                    serializer: PlainBytes()
                ) { request, _ in
                    let single = try await ServerRequest(stream: request)
                    let answer = self.state.withLock { state in
                        state.requests.append((single.metadata, single.message))
                        return state.answers.count > 1 ? state.answers.removeFirst() : state.answers[0]
                    }
                    return StreamingServerResponse(single: ServerResponse(message: try answer.get()))
                }
            }
        }

        /// Exports one span to a receiver with these answers.
        private func export(
            _ answers: [Result<[UInt8], RPCError>],
            _ change: (inout OTLPConfiguration) -> Void = { _ in }
        ) async throws -> (result: ExportResult, requests: [(metadata: Metadata, body: [UInt8])], span: FinishedSpan) {
            let receiver = Receiver(answers)
            let server = GRPCServer(
                transport: .http2NIOPosix(
                    address: .ipv4(host: "127.0.0.1", port: 0),
                    transportSecurity: .plaintext,
                    config: .defaults { $0.compression.enabledAlgorithms = .all }
                ),
                services: [receiver]
            )
            let serving = Task { try await server.serve() }
            defer { serving.cancel() }
            let port = try #require(try await server.listeningAddress?.ipv4?.port)
            var configuration = OTLPConfiguration()
            configuration.transport = .grpc
            configuration.endpoint = "http://127.0.0.1:\(port)"
            configuration.headers = ["x-tenant": "a"]
            configuration.timeout = .seconds(60)
            change(&configuration)
            var retry = RetryPolicy()
            retry.firstDelay = .milliseconds(1)
            let exporter = try GRPCSpanExporter(configuration, at: #require(configuration.target), retry: retry)
            let memory = InMemoryExporter()
            SkeinTracer(processors: [memory]).startSpan("span").end()
            let spans = memory.spans
            let result = await OwnThread.run { exporter.export(spans, by: .now + .seconds(60)) }
            exporter.shutdown()
            return (result, receiver.state.withLock(\.requests), spans[0])
        }

        @Test(arguments: [OTLPConfiguration.Compression.none, .gzip])
        func `spans arrive with headers, packed or not`(compression: OTLPConfiguration.Compression) async throws {
            let (result, requests, span) = try await export([.success([])]) { $0.compression = compression }
            var expected = ByteWriter()
            OTLPProtobuf.append([span], to: &expected)
            #expect(result == .done)
            try #require(requests.count == 1)
            #expect(requests[0].body == expected.array())
            #expect(Array(requests[0].metadata[stringValues: "x-tenant"]) == ["a"])
        }

        @Test func `spans that the receiver rejects are counted`() async throws {
            var answer = ByteWriter()
            OTLP.ExportResponse(rejectedCount: 1, errorMessage: "too old").appendProtobuf(to: &answer)
            let (result, _, _) = try await export([.success(answer.array())])
            #expect(result == .partlyRejected(count: 1, reason: "too old"))
        }

        @Test func `a receiver that is busy is asked again, one that refuses is not`() async throws {
            let busy = RPCError(code: .unavailable, message: "busy")
            let (result, requests, _) = try await export([.failure(busy), .failure(busy), .success([])])
            #expect(result == .done && requests.count == 3)
            for code in [RPCError.Code.invalidArgument, .resourceExhausted] {
                let (result, requests, _) = try await export([.failure(RPCError(code: code, message: "no"))])
                guard case .failed(let reason) = result else {
                    Issue.record("it was done")
                    continue
                }
                #expect(reason.hasSuffix(": no") && requests.count == 1)
            }
        }

        @Test func `a receiver that says when is asked then`() async throws {
            var status = ByteWriter()
            OTLP.RPCStatus(.resourceExhausted, "slow down", retryDelaySeconds: 0).appendProtobuf(to: &status)
            var error = RPCError(code: .resourceExhausted, message: "slow down")
            error.metadata.addBinary(status.array(), forKey: "grpc-status-details-bin")
            let (result, requests, _) = try await export([.failure(error), .success([])])
            #expect(result == .done && requests.count == 2)
        }

        @Test func `a receiver that is not there holds nobody longer than the timeout`() async throws {
            let (result, requests, _) = try await export([.success([])]) { configuration in
                configuration.endpoint = "http://127.0.0.1:1"
                configuration.timeout = .milliseconds(200)
            }
            guard case .failed(let reason) = result else {
                Issue.record("it was done")
                return
            }
            #expect(reason.hasPrefix("http://127.0.0.1:1/: ") && requests.isEmpty)
        }
    }
#endif
