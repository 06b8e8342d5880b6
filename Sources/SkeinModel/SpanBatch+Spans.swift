// SPDX-License-Identifier: Apache-2.0

extension SpanBatch {
    /// A batch of these spans, in this order. For tests, tools and small inputs; decoders fill columns directly.
    public init(spans: [Span], receivedUnixNanos: UInt64 = 0) {
        var builder = SpanBatchBuilder()
        var resources: [Resource: UInt32] = [:]
        var scopes: [InstrumentationScope: UInt32] = [:]
        for span in spans {
            var fields = SpanBatchBuilder.SpanFields()
            if let row = resources[span.resource] {
                fields.resource = row
            } else {
                for pair in span.resource.attributes {
                    builder.addResourceAttribute(key: builder.intern(pair.key), value: builder.intern(pair.value))
                }
                fields.resource = builder.addResource(
                    serviceName: builder.intern(span.resource.serviceName),
                    schemaURL: builder.intern(span.resource.schemaURL),
                    droppedAttributesCount: span.resource.droppedAttributesCount
                )
                resources[span.resource] = fields.resource
            }
            if let row = scopes[span.scope] {
                fields.scope = row
            } else {
                for pair in span.scope.attributes {
                    builder.addScopeAttribute(key: builder.intern(pair.key), value: builder.intern(pair.value))
                }
                fields.scope = builder.addScope(
                    name: builder.intern(span.scope.name),
                    version: builder.intern(span.scope.version),
                    schemaURL: builder.intern(span.scope.schemaURL),
                    droppedAttributesCount: span.scope.droppedAttributesCount
                )
                scopes[span.scope] = fields.scope
            }
            for pair in span.attributes {
                builder.addSpanAttribute(key: builder.intern(pair.key), value: builder.intern(pair.value))
            }
            for event in span.events {
                for pair in event.attributes {
                    builder.addEventAttribute(key: builder.intern(pair.key), value: builder.intern(pair.value))
                }
                builder.addEvent(
                    timeUnixNanos: event.timeUnixNanos,
                    name: builder.intern(event.name),
                    droppedAttributesCount: event.droppedAttributesCount
                )
            }
            for link in span.links {
                for pair in link.attributes {
                    builder.addLinkAttribute(key: builder.intern(pair.key), value: builder.intern(pair.value))
                }
                builder.addLink(
                    traceID: link.traceID,
                    spanID: link.spanID,
                    traceState: builder.intern(link.traceState),
                    flags: link.flags,
                    droppedAttributesCount: link.droppedAttributesCount
                )
            }
            fields.traceID = span.traceID
            fields.spanID = span.spanID
            fields.parentSpanID = span.parentSpanID
            fields.startUnixNanos = span.startUnixNanos
            fields.endUnixNanos = span.endsBeforeStart ? span.startUnixNanos &- 1 : span.endUnixNanos
            fields.kind = span.kind.rawValue
            fields.statusCode = span.status.code.rawValue
            fields.flags = span.flags
            fields.name = builder.intern(span.name)
            fields.statusMessage = builder.intern(span.status.message)
            fields.traceState = builder.intern(span.traceState)
            fields.droppedAttributesCount = span.droppedAttributesCount
            fields.droppedEventsCount = span.droppedEventsCount
            fields.droppedLinksCount = span.droppedLinksCount
            fields.weight = span.weight
            builder.addSpan(fields)
        }
        self = builder.finish(receivedUnixNanos: receivedUnixNanos)
    }
}
