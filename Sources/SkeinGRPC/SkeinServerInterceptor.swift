// SPDX-License-Identifier: Apache-2.0
#if GRPC
    public import GRPCCore
    public import SkeinRecording
    import Tracing

    /// A span for each call that a server answers (OpenTelemetry semantic conventions 1.45, "gRPC", server).
    ///
    ///     let server = GRPCServer(transport: transport, services: [service], interceptors: [SkeinServerInterceptor()])
    ///
    /// It goes on with the trace that the call's metadata names, and ends when the last message is written or something has failed.
    /// Only a status that is the server's own fault is an error. Messages of a stream are not recorded.
    public struct SkeinServerInterceptor: ServerInterceptor {
        private let tracing: CallTracing
        private let tracer: SkeinTracer?

        /// `tracer` is used in place of the process's, which is looked up at each call otherwise.
        public init(_ tracing: CallTracing = CallTracing(), tracer: SkeinTracer? = nil) {
            self.tracing = tracing
            self.tracer = tracer
        }

        public func intercept<Input: Sendable, Output: Sendable>(
            request: StreamingServerRequest<Input>,
            context: ServerContext,
            next:
                @Sendable (
                    _ request: StreamingServerRequest<Input>,
                    _ context: ServerContext
                ) async throws -> StreamingServerResponse<Output>
        ) async throws -> StreamingServerResponse<Output> {
            guard let tracer = tracer ?? Skein.tracer else { return try await next(request, context) }
            var parent = ServiceContext.current ?? .topLevel
            tracer.extract(request.metadata, into: &parent, using: MetadataCarrier())
            let span = tracer.startSpan(
                name: context.descriptor.fullyQualifiedMethod,
                kind: .server,
                attributes: tracing.attributes(context.descriptor, server: Peer(context.localPeer)),
                context: parent
            )
            if span.isRecording {
                let peer = Peer(context.remotePeer)
                span.setPeer(peer)
                if let peer { span.setAttribute("client.address", peer.address) }
                if let port = peer?.port { span.setAttribute("client.port", port) }
                tracing.record(request.metadata, on: span)
            }
            let ending = CallEnding(span, .server)
            do {
                var response = try await ServiceContext.$current.withValue(span.context) {
                    try await next(request, context)
                }
                switch response.accepted {
                case .success(var contents):
                    let producer = contents.producer
                    contents.producer = { writer in
                        do {
                            let trailing = try await ServiceContext.$current.withValue(span.context) {
                                try await producer(writer)
                            }
                            ending.end()
                            return trailing
                        } catch {
                            ending.end(error)
                            throw error
                        }
                    }
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
