// SPDX-License-Identifier: Apache-2.0
public import AsyncHTTPClient
public import Logging
public import NIOCore
import NIOHTTP1
public import SkeinRecording
import Tracing

extension HTTPClient {
    /// This client with a span for each request; see ``TracedHTTPClient``.
    ///
    ///     let response = try await client.traced.execute(request, timeout: .seconds(5))
    public var traced: TracedHTTPClient { TracedHTTPClient(self) }
}

/// A client that makes each request a span (OpenTelemetry semantic conventions 1.45, "HTTP client").
///
/// There is one span for a request with all redirects that are followed, each of which is an event `http.redirect`. Headers that
/// carry a trace or baggage are the client's own: those that the request has are left out. A status from 400 on is an error. The span ends with the body of the response,
/// which is when it has been read, has failed, or nobody has it any more; or with its head, if that is asked for.
///
/// A tracer that the client has itself, as it does by default once one is bootstrapped, makes no second span of these requests if it
/// is a `SkeinTracer`.
public struct TracedHTTPClient: Sendable {
    /// What a client records.
    public struct Options: Sendable {
        /// Keys of a query whose values are left out, beside those that hold signatures of well-known services.
        public var secretQueryKeys: Set<String> = []
        /// Methods that are named in spans beside those of HTTP; all others are `_OTHER`.
        public var moreMethods: Set<String> = []
        /// Whether a span ends when the head of the response is there, and what becomes of the body is not recorded.
        public var endsWithHead = false

        public init() {}
    }

    private let client: HTTPClient
    private let tracer: SkeinTracer?
    private let options: Options
    private let methods: Set<String>
    private let secretKeys: Set<String>

    /// `tracer` is used in place of the process's, which is looked up at each request otherwise.
    public init(_ client: HTTPClient, _ options: Options = Options(), tracer: SkeinTracer? = nil) {
        self.client = client
        self.options = options
        self.tracer = tracer
        methods = HTTPConventions.methods(and: options.moreMethods)
        secretKeys = HTTPConventions.secretKeys(and: options.secretQueryKeys)
    }

    /// Executes a request, as the client's own function of this name.
    ///
    /// `template` is the path without what differs from request to request, such as `/users/{id}`: the span is named
    /// `GET /users/{id}` then, otherwise `GET`.
    public func execute(
        _ request: HTTPClientRequest,
        timeout: TimeAmount,
        template: String? = nil,
        logger: Logger? = nil
    ) async throws -> HTTPClientResponse {
        try await execute(request, deadline: .now() + timeout, template: template, logger: logger)
    }

    /// Executes a request, as the client's own function of this name. For `template` see
    /// ``execute(_:timeout:template:logger:)``.
    public func execute(
        _ request: HTTPClientRequest,
        deadline: NIODeadline,
        template: String? = nil,
        logger: Logger? = nil
    ) async throws -> HTTPClientResponse {
        guard let tracer = tracer ?? Skein.tracer else {
            return try await client.execute(request, deadline: deadline, logger: logger)
        }
        let span = start(request, template, tracer)
        var sent = request
        for name in tracer.propagationFields(span.context) { sent.headers.remove(name: name) }
        tracer.inject(span.context, into: &sent.headers, using: HeaderInjector())
        // The client would make a span of its own below ours, and add its headers to those that are there.
        let context = client.tracer is SkeinTracer ? span.context.suppressingTracing : span.context
        do {
            var response = try await ServiceContext.$current.withValue(context) {
                try await client.execute(sent, deadline: deadline, logger: logger)
            }
            guard span.isRecording else { return response }
            describe(response, on: span)
            if options.endsWithHead || response.hasNoBody(sent.method) {
                span.end()
            } else {
                response.body = .stream(TracedBody(base: response.body, ending: SpanEnding(span)))
            }
            return response
        } catch {
            SpanEnding(span).end(error)
            throw error
        }
    }

    private func start(_ request: HTTPClientRequest, _ template: String?, _ tracer: SkeinTracer) -> SkeinSpan {
        let method = request.method.rawValue
        let name = HTTPConventions.spanName(method, known: methods)
        let url = redacted(request.url)
        var attributes: SpanAttributes = [
            "http.request.method": .string(HTTPConventions.method(method, known: methods)), "url.full": .string(url),
        ]
        if let server = HTTPConventions.server(url: url) {
            attributes["server.address"] = server.host
            if let port = server.port { attributes["server.port"] = port }
        }
        let span = tracer.startSpan(
            name: template.map { "\(name) \($0)" } ?? name,
            kind: .client,
            attributes: attributes
        )
        if !methods.contains(method) { span.setAttribute("http.request.method_original", method) }
        if let template { span.setAttribute("url.template", template) }
        return span
    }

    private func describe(_ response: HTTPClientResponse, on span: SkeinSpan) {
        for (step, next) in zip(response.history, response.history.dropFirst()) {
            span.addEvent(
                "http.redirect",
                attributes: [
                    "http.response.status_code": .int64(Int64(step.responseHead.status.code)),
                    "url.full": .string(redacted(next.request.url)),
                ]
            )
        }
        let code = Int(response.status.code)
        span.setAttribute("http.response.status_code", code)
        let version = response.version
        span.setAttribute(
            "network.protocol.version",
            version.major >= 2 && version.minor == 0 ? "\(version.major)" : "\(version.major).\(version.minor)"
        )
        guard code >= 400 else { return }
        span.setAttribute("error.type", String(code))
        span.setStatus(SpanStatus(code: .error))
    }

    private func redacted(_ url: String) -> String { HTTPConventions.redacted(url: url, secretKeys) }
}

extension HTTPClientResponse {
    /// Whether there is nothing behind the head (RFC 9110 §6.4.1).
    fileprivate func hasNoBody(_ method: HTTPMethod) -> Bool {
        method == .HEAD || status == .noContent || status == .notModified
            || headers.first(name: "content-length") == "0"
    }
}

/// Sets headers of a request.
private struct HeaderInjector: Injector {
    func inject(_ value: String, forKey key: String, into headers: inout HTTPHeaders) {
        headers.replaceOrAdd(name: key, value: value)
    }
}
