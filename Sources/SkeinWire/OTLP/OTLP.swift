// SPDX-License-Identifier: Apache-2.0

/// The OpenTelemetry protocol for traces (opentelemetry-proto 1.9, `docs/specification.md` and `trace/v1/trace.proto`),
/// protobuf and JSON, both directions.
///
/// Requests: ``ProtobufDecoder``, ``JSONDecoder``, ``ProtobufEncoder``, ``JSONEncoder``. Answers:
/// ``ExportTraceServiceResponse`` and ``RPCStatus``, each with both its encodings.
package enum OTLP {}
