// SPDX-License-Identifier: Apache-2.0
#if GRPC
    public import GRPCCore
    public import SkeinRecording
    import Tracing

    /// A span for each call that a client makes (OpenTelemetry semantic conventions 1.45, "gRPC", client).
    ///
    ///     let client = GRPCClient(transport: transport, interceptors: [SkeinClientInterceptor()])
    ///
    /// The span is named after the method, carries the trace to the server in the call's metadata in place of what stands there, and ends with the last message,
    /// an error, or when nobody reads on. Every status but OK is an error. Messages of a stream are not recorded.
    public struct SkeinClientInterceptor: ClientInterceptor {
        private let tracing: CallTracing
        private let tracer: SkeinTracer?

        /// `tracer` is used in place of the process's, which is looked up at each call otherwise.
        public init(_ tracing: CallTracing = CallTracing(), tracer: SkeinTracer? = nil) {
            self.tracing = tracing
            self.tracer = tracer
        }

        public func intercept<Input: Sendable, Output: Sendable>(
            request: StreamingClientRequest<Input>,
            context: ClientContext,
            next: (
                _ request: StreamingClientRequest<Input>,
                _ context: ClientContext
            ) async throws -> StreamingClientResponse<Output>
        ) async throws -> StreamingClientResponse<Output> {
            guard let tracer = tracer ?? Skein.tracer else { return try await next(request, context) }
            let peer = Peer(context.remotePeer)
            let span = tracer.startSpan(
                name: context.descriptor.fullyQualifiedMethod,
                kind: .client,
                attributes: tracing.attributes(context.descriptor, server: peer)
            )
            span.setPeer(peer)
            if span.isRecording { tracing.record(request.metadata, on: span) }
            var request = request
            for key in tracer.propagationFields(span.context) { request.metadata.removeAllValues(forKey: key) }
            tracer.inject(span.context, into: &request.metadata, using: MetadataCarrier())
            let ending = CallEnding(span, .client)
            do {
                var response = try await ServiceContext.$current.withValue(span.context) {
                    try await next(request, context)
                }
                switch response.accepted {
                case .success(var contents):
                    contents.bodyParts = RPCAsyncSequence(
                        wrapping: TracedSequence(base: contents.bodyParts, ending: ending)
                    )
                    response.accepted = .success(contents)
                case .failure(let error): ending.end(error)
                }
                return response
            } catch {
                ending.end(error)
                throw error
            }
        }
    }
#endif
