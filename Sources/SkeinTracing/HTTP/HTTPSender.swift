// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
import Dispatch
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import NIOPosix
import NIOSSL
import SkeinBase
import SkeinRecording
import Synchronization

/// Where requests go, and how.
struct HTTPTarget: Sendable {
    var url: String
    /// Beside what the sender sets itself; one that it sets too goes out as it stands here.
    var headers: [(name: String, value: String)] = []
    var isCompressed = false
    /// For a request with all that is tried again.
    var timeout = Duration.seconds(10)
    var retry = RetryPolicy()
    /// Files of PEM.
    var certificateFile: String?
    var clientKeyFile: String?
    var clientCertificateFile: String?

    /// The address without user and query, which may hold secrets: for messages.
    var name: String { url.withoutAddressSecrets() }
}

/// Posts bytes and tries again, on the thread of its caller, which waits.
///
/// Requests are not traced, and redirects are not followed. The sender stops with ``shutdown()``.
final class HTTPSender: Sendable {
    /// What came back.
    struct Answer: Sendable {
        var status: Int
        var contentType: String
        var body: [UInt8]
    }

    /// Why nothing good came back: what was tried, and the last answer.
    struct Failure: Error, Sendable {
        var reason: String
        var answer: Answer?
    }

    private enum Outcome {
        case answer(Answer, retryAfter: Duration?)
        /// No answer: worth another try or not.
        case failure(String, isTransient: Bool)
    }

    /// Bytes of an answer that are read at most (OTLP 1.9 names no limit; 4 MiB is that of other clients).
    private static let answerBytesMax = 4 << 20
    /// Bytes of a request at most, before compression.
    private static let requestBytesMax = 64 << 20

    private let target: HTTPTarget
    private let client: HTTPClient
    private let clock: any WallClock
    /// Set at the shutdown, and signalled so that whoever waits for another try goes on.
    private let isStopped = Mutex(false)
    private let stop = DispatchSemaphore(value: 0)

    /// Throws what is wrong with certificates or keys, as a sentence.
    init(_ target: HTTPTarget, clock: any WallClock = SystemClock()) throws {
        self.target = target
        self.clock = clock
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(connect: .nanoseconds(Int64(clamping: target.timeout.nanos)))
        )
        configuration.tracing.tracer = nil
        configuration.httpVersion = .http1Only
        // Tries are counted here; the pool's own would go on until no time is left.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.tlsConfiguration = try Self.tls(target)
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    private static func tls(_ target: HTTPTarget) throws -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        if let file = target.certificateFile {
            tls.trustRoots = .certificates(try certificates(file, "OTEL_EXPORTER_OTLP_CERTIFICATE"))
        }
        if let file = target.clientCertificateFile {
            tls.certificateChain = try certificates(file, "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE")
                .map { .certificate($0) }
        }
        if let file = target.clientKeyFile {
            let key = try pem(file, "OTEL_EXPORTER_OTLP_CLIENT_KEY", "private key") {
                try NIOSSLPrivateKey(file: file, format: .pem)
            }
            tls.privateKey = .privateKey(key)
        }
        return tls
    }

    private static func certificates(_ file: String, _ variable: String) throws -> [NIOSSLCertificate] {
        try pem(file, variable, "certificate") {
            let certificates = try NIOSSLCertificate.fromPEMFile(file)
            guard !certificates.isEmpty else { throw NIOSSLError.failedToLoadCertificate }
            return certificates
        }
    }

    /// What `load` reads of a file, or why it is none that can be used.
    private static func pem<Value>(
        _ file: String,
        _ variable: String,
        _ content: String,
        _ load: () throws -> Value
    ) throws -> Value {
        do {
            return try load()
        } catch {
            let name = "the file \"\(file)\" of \(variable)"
            if case .unreadable(let reason) = Surroundings.read(file, byteCountMax: pemBytesMax) {
                throw AssemblyError("\(name) cannot be read: \(reason)")
            }
            throw AssemblyError("\(name) holds no \(content) in PEM")
        }
    }

    /// Bytes of a file that are read to see that it is there.
    private static let pemBytesMax = 1 << 20

    /// Posts `body` until it is answered with success, an answer says that it never will be, or no time is left.
    func post(
        _ body: UnsafeRawBufferPointer,
        contentType: String,
        userAgent: String,
        by deadline: ContinuousClock.Instant
    ) throws(Failure) -> Answer {
        guard body.count <= Self.requestBytesMax else {
            throw Failure(
                reason:
                    "a request of \(body.count) bytes is more than \(Self.requestBytesMax); export fewer spans at once"
            )
        }
        let end = min(deadline, .now + target.timeout)
        var headers = HTTPHeaders([("content-type", contentType), ("user-agent", userAgent)])
        var buffer = ByteBuffer()
        if target.isCompressed, let packed = Gzip.compress(body) {
            buffer.writeBytes(packed)
            headers.add(name: "content-encoding", value: "gzip")
        } else {
            buffer.writeBytes(body)
        }
        for (name, value) in target.headers { headers.replaceOrAdd(name: name, value: value) }
        var failureCount = 0
        while true {
            let outcome = attempt(.POST, target.url, buffer, headers, by: end)
            failureCount += 1
            let (reason, answer, retryAfter): (String, Answer?, Duration?)
            switch outcome {
            case .answer(let answer_, let retryAfter_):
                if (200..<300).contains(answer_.status) { return answer_ }
                guard [429, 502, 503, 504].contains(answer_.status) else {
                    throw Failure(reason: "\(target.name) answered \(answer_.status)", answer: answer_)
                }
                (reason, answer, retryAfter) = ("\(target.name) answered \(answer_.status)", answer_, retryAfter_)
            case .failure(let text, let isTransient):
                guard isTransient else { throw Failure(reason: "\(target.name): \(text)") }
                (reason, answer, retryAfter) = ("\(target.name): \(text)", nil, nil)
            }
            let tries = failureCount == 1 ? "" : " at \(failureCount) tries"
            guard failureCount < target.retry.attemptCountMax else {
                throw Failure(reason: reason + tries, answer: answer)
            }
            let delay = target.retry.delay(
                afterFailures: failureCount,
                chance: Double.random(in: 0...1),
                retryAfter: retryAfter
            )
            guard .now + delay < end else {
                throw Failure(reason: "\(reason)\(tries); no time was left for another", answer: answer)
            }
            guard !waitUnlessStopped(delay) else {
                throw Failure(reason: "\(reason)\(tries); the exporter was stopped", answer: answer)
            }
        }
    }

    /// Ends what is under way. Further requests fail.
    func shutdown() {
        isStopped.withLock { $0 = true }
        stop.signal()
        try? client.syncShutdown()
    }

    /// Waits; returns at once, and `true`, when the sender is stopped.
    private func waitUnlessStopped(_ delay: Duration) -> Bool {
        if stop.wait(timeout: .now() + delay.dispatch) == .success { stop.signal() }
        return isStopped.withLock { $0 }
    }

    /// Asks once, with a query added to the address.
    func get(query: String, by deadline: ContinuousClock.Instant) throws(Failure) -> Answer {
        let url = target.url + (target.url.contains("?") ? "&" : "?") + query
        let headers = HTTPHeaders([("user-agent", SDKVersion.userAgent), ("accept", "application/json")])
        switch attempt(.GET, url, nil, headers, by: min(deadline, .now + target.timeout)) {
        case .answer(let answer, _) where answer.status == 200: return answer
        case .answer(let answer, _): throw Failure(reason: "\(target.name) answered \(answer.status)", answer: answer)
        case .failure(let reason, _): throw Failure(reason: "\(target.name): \(reason)")
        }
    }

    private func attempt(
        _ method: HTTPMethod,
        _ url: String,
        _ body: ByteBuffer?,
        _ headers: HTTPHeaders,
        by end: ContinuousClock.Instant
    ) -> Outcome {
        do {
            let request = try HTTPClient.Request(
                url: url,
                method: method,
                headers: headers,
                body: body.map { .byteBuffer($0) }
            )
            let accumulator = ResponseAccumulator(request: request, maxBodySize: Self.answerBytesMax)
            let left = max(end - .now, .milliseconds(1))
            let response = try client.execute(
                request: request,
                delegate: accumulator,
                deadline: .now() + .nanoseconds(Int64(clamping: left.nanos))
            ).futureResult.wait()
            let answer = Answer(
                status: Int(response.status.code),
                contentType: response.headers.first(name: "content-type") ?? "",
                body: response.body.map { Array($0.readableBytesView) } ?? []
            )
            let now = Int64(clamping: clock.unixNanos / 1_000_000_000)
            let retryAfter = response.headers.first(name: "retry-after")
                .flatMap { RetryAfter.duration($0, nowUnixSeconds: now) }
            return .answer(answer, retryAfter: retryAfter)
        } catch let error as HTTPClientError {
            return Self.outcome(error)
        } catch let error as ResponseAccumulator.ResponseTooBigError {
            return .failure("an answer of more than \(error.maxBodySize) bytes", isTransient: false)
        } catch let error where error is IOError || error is NIOConnectionError || error is ChannelError {
            // What the system says of sockets: refused, reset, no route, no such host.
            return .failure("\(error)", isTransient: true)
        } catch {
            // TLS that does not come about, answers that are no HTTP: another try would bring the same.
            return .failure("\(error)", isTransient: false)
        }
    }

    private static func outcome(_ error: HTTPClientError) -> Outcome {
        switch error {
        case .invalidURL, .emptyHost, .emptyScheme:
            .failure("no address that could be sent to; write it as http://HOST:PORT/PATH", isTransient: false)
        case .deadlineExceeded, .readTimeout, .writeTimeout: .failure("no answer in time", isTransient: false)
        case .alreadyShutdown, .cancelled: .failure("the exporter was stopped", isTransient: false)
        case .connectTimeout, .tlsHandshakeTimeout, .getConnectionFromPoolTimeout:
            .failure("no connection in time", isTransient: true)
        case .remoteConnectionClosed: .failure("the connection was closed without an answer", isTransient: true)
        default: .failure("\(error)", isTransient: false)
        }
    }
}
