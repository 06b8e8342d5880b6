// SPDX-License-Identifier: Apache-2.0
#if Hummingbird
    import HTTPTypes
    public import Hummingbird
    import NIOCore
    import SkeinModel
    import SkeinPropagation
    public import SkeinRecording
    import Tracing

    /// A span for each request that a server answers (OpenTelemetry semantic conventions 1.45, "HTTP server").
    ///
    ///     router.addMiddleware { SkeinMiddleware() }
    ///
    /// Put it before other middleware, so that their work belongs to the span. It goes on with the trace that the request's headers
    /// name, is named `GET /users/{id}` after the route or `GET` without one, and ends when the body of the response is written or
    /// has failed. A response tells its trace in the header `traceresponse`; one that is made of an error by the router does not.
    ///
    /// The client's address is known where the request context is a `RemoteAddressRequestContext`.
    public struct SkeinMiddleware<Context: RequestContext>: RouterMiddleware {
        private let tracing: RequestTracing
        private let tracer: SkeinTracer?
        private let methods: Set<String>
        private let secretKeys: Set<String>

        /// `tracer` is used in place of the process's, which is looked up at each request otherwise.
        public init(_ tracing: RequestTracing = RequestTracing(), tracer: SkeinTracer? = nil) {
            self.tracing = tracing
            self.tracer = tracer
            methods = HTTPConventions.methods(and: tracing.moreMethods)
            secretKeys = HTTPConventions.secretKeys(and: tracing.secretQueryKeys)
        }

        public func handle(
            _ request: Request,
            context: Context,
            next: (Request, Context) async throws -> Response
        ) async throws -> Response {
            guard let tracer = tracer ?? Skein.tracer, tracing.isTraced(request) else {
                return try await next(request, context)
            }
            var parent = ServiceContext.current ?? .topLevel
            tracer.extract(request.headers, into: &parent, using: HeaderExtractor())
            let span = tracer.startSpan(
                name: HTTPConventions.spanName(request.method.rawValue, known: methods),
                kind: .server,
                attributes: attributes(of: request),
                context: parent
            )
            if span.isRecording { describe(request, context, on: span) }
            return try await ServiceContext.$current.withValue(span.context) {
                do {
                    var response = try await next(request, context)
                    finish(span, request, context, response.status)
                    return prepare(&response, span)
                } catch {
                    fail(span, request, context, error)
                    throw error
                }
            }
        }

        /// What samplers may decide by.
        private func attributes(of request: Request) -> SpanAttributes {
            var attributes: SpanAttributes = [
                "http.request.method": .string(HTTPConventions.method(request.method.rawValue, known: methods)),
                "url.path": .string(request.uri.path),
                "url.scheme": .string(forwarded(.forwardedProto, request) ?? request.head.scheme ?? "http"),
            ]
            if let query = request.uri.query {
                attributes["url.query"] = HTTPConventions.redacted(query: query, secretKeys)
            }
            return attributes
        }

        private func describe(_ request: Request, _ context: Context, on span: SkeinSpan) {
            if !methods.contains(request.method.rawValue) {
                span.setAttribute("http.request.method_original", request.method.rawValue)
            }
            if let authority = forwarded(.forwardedHost, request) ?? request.head.authority, !authority.isEmpty {
                let (host, port) = HTTPConventions.hostAndPort(authority)
                span.setAttribute("server.address", host)
                if let port { span.setAttribute("server.port", port) }
            }
            let peer = (context as? any RemoteAddressRequestContext)?.remoteAddress
            if let address = peer?.ipAddress ?? peer?.pathname {
                span.setAttribute("network.peer.address", address)
                if let port = peer?.port { span.setAttribute("network.peer.port", port) }
            }
            if let address = forwarded(.forwardedFor, request) ?? peer?.ipAddress {
                span.setAttribute("client.address", address)
            }
            if let agent = request.headers[.userAgent] { span.setAttribute("user_agent.original", agent) }
            record(tracing.requestHeaders, of: request.headers, as: "http.request.header.", on: span)
        }

        /// What the first of the proxies was asked with; each adds to the end of the list.
        private func forwarded(_ name: HTTPField.Name?, _ request: Request) -> String? {
            guard tracing.trustsForwardingHeaders, let list = request.headers[name] else { return nil }
            let first = list.prefix { $0 != "," }.drop { $0.isWhitespace }
            return first.lastIndex { !$0.isWhitespace }.map { String(first[...$0]) }
        }

        /// Says how the request was answered. The route is known only now.
        private func finish(
            _ span: SkeinSpan,
            _ request: Request,
            _ context: Context,
            _ status: HTTPResponse.Status,
            errorType: String? = nil
        ) {
            guard span.isRecording else { return }
            // Other words than paths stand there too, such as for what is not found.
            if let route = context.endpointPath, route.hasPrefix("/") {
                span.operationName = "\(HTTPConventions.spanName(request.method.rawValue, known: methods)) \(route)"
                span.setAttribute("http.route", route)
            }
            span.setAttribute("http.response.status_code", status.code)
            // What the client did wrong is no error of the server ("HTTP spans", Status).
            guard status.code >= 500 else { return }
            span.setAttribute("error.type", errorType ?? String(status.code))
            span.setStatus(SpanStatus(code: .error))
        }

        private func fail(_ span: SkeinSpan, _ request: Request, _ context: Context, _ error: any Error) {
            let answer = error as? any HTTPResponseError
            // Of an error that is an answer the status says more than the type.
            let type = answer == nil ? ErrorType.name(of: error) : nil
            let status = answer?.status ?? .internalServerError
            finish(span, request, context, status, errorType: type)
            if status.code >= 500 { span.recordError(error) }
            span.end()
        }

        /// Has the span end with the body.
        private func prepare(_ response: inout Response, _ span: SkeinSpan) -> Response {
            record(tracing.responseHeaders, of: response.headers, as: "http.response.header.", on: span)
            if tracing.sendsTraceResponse, let name = HTTPField.Name.traceResponse, let context = span.spanContext {
                response.headers[name] = TraceContextPropagator.header(context)
            }
            guard span.isRecording else { return response }
            let body = response.body
            let ending = SpanEnding(span)
            response.body = ResponseBody(contentLength: body.contentLength) { writer in
                let outer = writer
                do {
                    try await ServiceContext.$current.withValue(span.context) { try await body.write(outer) }
                    ending.end()
                } catch {
                    ending.end(error)
                    throw error
                }
            }
            return response
        }

        private func record(
            _ names: [HTTPField.Name],
            of headers: HTTPFields,
            as prefix: String,
            on span: SkeinSpan
        ) {
            for name in names where headers.contains(name) {
                let values = headers[values: name].map(AttributeValue.string)
                span.setAttribute(prefix + name.canonicalName, .array(values))
            }
        }
    }

    /// Ends a span with the body of a response, at the latest when nobody has the body any more.
    private final class SpanEnding: Sendable {
        private let span: SkeinSpan

        init(_ span: SkeinSpan) { self.span = span }

        deinit { span.end() }

        func end(_ error: (any Error)? = nil) {
            if let error {
                span.recordError(error)
                span.setStatus(SpanStatus(code: .error))
            }
            span.end()
        }
    }

    /// Reads headers of a request, and lists them.
    private struct HeaderExtractor: Extractor, HeaderListing {
        func extract(key: String, from headers: HTTPFields) -> String? {
            HTTPField.Name(key).flatMap { headers[$0] }
        }

        func names(of carrier: Any) -> [String]? { (carrier as? HTTPFields)?.map(\.name.canonicalName) }
    }

    extension HTTPField.Name {
        fileprivate static let forwardedFor = Self("x-forwarded-for")
        fileprivate static let forwardedHost = Self("x-forwarded-host")
        fileprivate static let forwardedProto = Self("x-forwarded-proto")
        fileprivate static let traceResponse = Self("traceresponse")
    }

    extension HTTPFields {
        fileprivate subscript(name: HTTPField.Name?) -> String? { name.flatMap { self[$0] } }
    }
#endif
