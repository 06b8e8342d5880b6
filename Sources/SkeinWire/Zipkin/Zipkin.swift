// SPDX-License-Identifier: Apache-2.0

/// Zipkin's spans, told in OpenTelemetry's terms (zipkin-api 1.0.0 `zipkin2-api.yaml`, `zipkin.proto` and `zipkinCore.thrift`;
/// OpenTelemetry Collector contrib 0.130 `pkg/translator/zipkin`).
///
///     traceId, id, parentId    padded on the left: a trace id of 64 bits has a zero high half; a parent that is the span
///                              itself is none
///     kind                     kind; without one, the tag `span.kind` says whether it is internal, and a shared span is that of
///                              a server
///     name                     name, in the case it was sent
///     timestamp, duration (µs) start and end. Without a timestamp the first annotation is the start, else the time of
///                              receipt, and the span has the attribute `otel.zipkin.absentField.startTime`
///     localEndpoint            service name: `service.name` of the resource; `net.host.ip`, `net.host.port`
///     remoteEndpoint           `peer.service`, `net.peer.ip`, `net.peer.port`; tags of these names go before
///     annotations              events; see ``AnnotationText`` for those with attributes
///     tags                     attributes that are strings, of the span or of its resource; see ``TagRole`` for the others
///     debug                    flag "sampled", and the attribute `zipkin.debug`
///     shared                   nothing where there is a kind: client and server of one id are told apart by their kinds
package enum Zipkin {}
