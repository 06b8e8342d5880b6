// SPDX-License-Identifier: Apache-2.0
import SkeinModel

extension Zipkin.SpanTranslator {
    /// What a span has beside ids, tags and annotations.
    struct Fields {
        var kind = Span.Kind.unspecified
        /// Text.
        var name: SpanBatch.Ref = 0
        /// Since 1970; 0 or less when not known.
        var timestampMicros: Int64 = 0
        /// 0 or less when not known.
        var durationMicros: Int64 = 0
        var localEndpoint = Zipkin.Endpoint()
        var remoteEndpoint = Zipkin.Endpoint()
        var isDebug = false
        /// Another service reports the same id: the side that called.
        var isShared = false
    }

    /// What the tags and annotations of a span said beside being attributes and events.
    struct Said {
        var statusCode = Span.Status.Code.unset
        var isError = false
        /// Texts.
        var errorMessage: SpanBatch.Ref = 0
        var traceState: SpanBatch.Ref = 0
        var scopeName: SpanBatch.Ref = 0
        var scopeVersion: SpanBatch.Ref = 0
        /// Refs of key and value of the tag.
        var serviceName: (key: SpanBatch.Ref, value: SpanBatch.Ref)?
        var statusDescription: (key: SpanBatch.Ref, value: SpanBatch.Ref)?
        var spanKind: (key: SpanBatch.Ref, value: SpanBatch.Ref)?
        var isInternal = false
        var weight = 1.0
        var droppedAttributes: UInt32 = 0
        var droppedEvents: UInt32 = 0
        var droppedLinks: UInt32 = 0
        /// Bits of the roles that stand for an endpoint's part.
        var endpointTags: UInt32 = 0
        var firstAnnotationMicros: Int64 = 0
    }
}
