// SPDX-License-Identifier: Apache-2.0
#if Hummingbird
    public import HTTPTypes
    public import Hummingbird

    /// Which requests become spans, and what of them is recorded.
    public struct RequestTracing: Sendable {
        /// Headers that become attributes `http.request.header.NAME`. None unless they are named, since they may hold secrets.
        public var requestHeaders: [HTTPField.Name] = []
        /// Headers that become attributes `http.response.header.NAME`.
        public var responseHeaders: [HTTPField.Name] = []
        /// Keys of a query whose values are left out, beside those that hold signatures of well-known services.
        public var secretQueryKeys: Set<String> = []
        /// Methods that are named in spans beside those of HTTP; all others are `_OTHER`.
        public var moreMethods: Set<String> = []
        /// Whether `X-Forwarded-For`, `-Proto` and `-Host` are believed. Only behind a proxy that sets them: anybody may send
        /// them.
        public var trustsForwardingHeaders = false
        /// Whether a response has the header `traceresponse` (W3C Trace Context 3, working draft).
        public var sendsTraceResponse = true
        /// Whether a request has a span. One without neither goes on with a trace nor begins one; what is traced inside of it
        /// begins traces of its own.
        public var isTraced: @Sendable (Request) -> Bool = { _ in true }

        public init() {}
    }
#endif
