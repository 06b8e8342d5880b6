// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

extension SpanBatch {
    /// The same spans, where those of no service are of `service`.
    package func givingService(_ service: String) -> SpanBatch {
        guard resources.serviceNameRefs.contains(0) else { return self }
        let spans = spans.map { span in
            var span = span
            if span.resource.serviceName.isEmpty {
                span.resource.attributes.insert(Attribute("service.name", .string(service)), at: 0)
            }
            return span
        }
        return SpanBatch(spans: spans, receivedUnixNanos: receivedUnixNanos)
    }
}
