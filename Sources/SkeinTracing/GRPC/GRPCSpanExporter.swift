// SPDX-License-Identifier: Apache-2.0
#if GRPC
    import Dispatch
    import GRPCCore
    import GRPCNIOTransportHTTP2
    import SkeinBase
    import SkeinExport
    import SkeinRecording
    import SkeinWire
    import Synchronization

    /// Sends spans to an OTLP receiver over gRPC (OTLP 1.9, "OTLP/gRPC"): `TraceService/Export` on one connection, which is made
    /// anew as often as it breaks.
    final class GRPCSpanExporter: SpanExporter {
        /// How one call went.
        private enum Outcome: Sendable {
            case done(OTLP.ExportResponse?)
            /// `retryAfter` is `nil` where another try would be of no use.
            case failed(String, retryAfter: Duration?)
        }

        private static let method = MethodDescriptor(
            service: ServiceDescriptor(fullyQualifiedService: "opentelemetry.proto.collector.trace.v1.TraceService"),
            method: "Export"
        )

        private let address: String
        private let client: GRPCClient<HTTP2ClientTransport.Posix>
        private let metadata: Metadata
        private let options: CallOptions
        private let timeout: Duration
        private let retry: RetryPolicy
        private let connections: Task<Void, any Error>
        private let buffer = Mutex(ByteWriter(capacity: 64 << 10))

        /// Throws what is wrong with certificates or keys.
        init(_ configuration: OTLPConfiguration, at endpoint: Endpoint, retry: RetryPolicy = RetryPolicy()) throws {
            address = endpoint.name
            let transport = try HTTP2ClientTransport.Posix(
                target: .dns(host: endpoint.host, port: endpoint.port),
                transportSecurity: endpoint.scheme == .https ? .tls(Self.tls(configuration)) : .plaintext,
                config: .defaults { config in
                    config.compression.algorithm = configuration.compression == .gzip ? .gzip : .none
                    config.compression.enabledAlgorithms = .all
                }
            )
            let client = GRPCClient(transport: transport)
            self.client = client
            var metadata: Metadata = ["user-agent": "\(SDKVersion.userAgent)"]
            for (name, value) in configuration.headers { metadata.addString(value, forKey: name) }
            self.metadata = metadata
            var options = CallOptions.defaults
            options.compression = configuration.compression == .gzip ? .gzip : CompressionAlgorithm.none
            // Tries are counted here; waiting for a connection would hide why there is none.
            options.waitForReady = false
            self.options = options
            timeout = configuration.timeout > .zero ? configuration.timeout : .seconds(Int64(Int32.max))
            self.retry = retry
            connections = Task { try await client.runConnections() }
        }

        private static func tls(_ configuration: OTLPConfiguration) -> HTTP2ClientTransport.Posix.TransportSecurity.TLS
        {
            .defaults { tls in
                if let file = configuration.certificateFile {
                    tls.trustRoots = .certificates([.file(path: file, format: .pem)])
                }
                if let file = configuration.clientCertificateFile {
                    tls.certificateChain = [.file(path: file, format: .pem)]
                }
                if let file = configuration.clientKeyFile { tls.privateKey = .file(path: file, format: .pem) }
            }
        }

        var typeName: String { "otlp_grpc_span_exporter" }

        func shutdown() {
            client.beginGracefulShutdown()
            connections.cancel()
        }

        func export(_ spans: [FinishedSpan], by deadline: ContinuousClock.Instant) -> ExportResult {
            let bytes = buffer.withLock { buffer in
                buffer.removeAll()
                OTLPProtobuf.append(spans, to: &buffer)
                return buffer.array()
            }
            let end = min(deadline, .now + timeout)
            var failureCount = 0
            while true {
                switch call(bytes, by: end) {
                case .done(let response):
                    guard let response, response.rejectedCount > 0 else { return .done }
                    return .partlyRejected(
                        count: min(response.rejectedCount, spans.count),
                        reason: OTLPAnswer.shown(response.errorMessage)
                    )
                case .failed(let reason, let retryAfter):
                    failureCount += 1
                    let tries = failureCount == 1 ? "" : " at \(failureCount) tries"
                    let failure = ExportResult.failed(reason: "\(address): \(reason)\(tries)")
                    guard let retryAfter, failureCount < retry.attemptCountMax else { return failure }
                    let delay = retry.delay(
                        afterFailures: failureCount,
                        chance: Double.random(in: 0...1),
                        retryAfter: retryAfter
                    )
                    guard .now + delay < end else { return failure }
                    _ = DispatchSemaphore(value: 0).wait(timeout: .now() + delay.dispatch)
                }
            }
        }

        /// One call, for which this thread waits.
        private func call(_ bytes: [UInt8], by end: ContinuousClock.Instant) -> Outcome {
            let left = end - .now
            guard left > .zero else { return .failed("no time was left", retryAfter: nil) }
            var options = options
            options.timeout = left
            let answer = Answer()
            let task = Task { [client, metadata, options] in
                answer.arrive(await Self.outcome(client, bytes, metadata, options))
            }
            if let outcome = answer.wait(left + .seconds(1)) { return outcome }
            task.cancel()
            return .failed("no answer in time", retryAfter: nil)
        }

        /// What a task hands over to a thread that waits.
        private final class Answer: Sendable {
            private let outcome = Mutex<Outcome?>(nil)
            private let semaphore = DispatchSemaphore(value: 0)

            func arrive(_ outcome: Outcome) {
                self.outcome.withLock { $0 = outcome }
                semaphore.signal()
            }

            func wait(_ time: Duration) -> Outcome? {
                _ = semaphore.wait(timeout: .now() + time.dispatch)
                return outcome.withLock(\.self)
            }
        }

        private static func outcome(
            _ client: GRPCClient<HTTP2ClientTransport.Posix>,
            _ bytes: [UInt8],
            _ metadata: Metadata,
            _ options: CallOptions
        ) async -> Outcome {
            do {
                let answer = try await client.unary(
                    request: ClientRequest(message: bytes, metadata: metadata),
                    descriptor: method,
                    serializer: PlainBytes(),
                    deserializer: PlainBytes(),
                    options: options
                ) { response in try response.message }
                return .done(OTLPAnswer.partialSuccess(answer, isJSON: false))
            } catch let error as RPCError {
                let message = error.message.isEmpty ? "" : ": \(OTLPAnswer.shown(error.message))"
                return .failed("\(error.code)\(message)", retryAfter: retryDelay(error))
            } catch {
                return .failed("\(error)", retryAfter: nil)
            }
        }

        /// When to try again (OTLP 1.9, "OTLP/gRPC Failures", "Throttling"); `nil` for never.
        private static func retryDelay(_ error: RPCError) -> Duration? {
            let details = error.metadata[binaryValues: "grpc-status-details-bin"].first { _ in true }
            let asked = details.flatMap { bytes in
                bytes.withUnsafeBytes { try? OTLP.RPCStatus.retryDelay(protobuf: $0) }
            }
            switch error.code {
            case .cancelled, .deadlineExceeded, .aborted, .outOfRange, .unavailable, .dataLoss: return asked ?? .zero
            case .resourceExhausted: return asked
            default: return nil
            }
        }
    }

    /// Messages that are encoded already.
    private struct PlainBytes: MessageSerializer, MessageDeserializer {
        func serialize<Bytes: GRPCContiguousBytes>(_ message: [UInt8]) -> Bytes { Bytes(message) }
        func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) -> [UInt8] { bytes.withUnsafeBytes { Array($0) } }
    }
#endif
