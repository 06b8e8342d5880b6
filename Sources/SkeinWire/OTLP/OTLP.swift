// SPDX-License-Identifier: Apache-2.0

/// The OpenTelemetry protocol for traces and logs (opentelemetry-proto 1.9, `docs/specification.md`, `trace/v1/trace.proto`, `logs/v1/logs.proto`),
/// protobuf and JSON, both directions.
///
/// Requests: ``ProtobufDecoder``, ``JSONDecoder``, ``ProtobufEncoder``, ``JSONEncoder``. Answers:
/// ``ExportResponse`` and ``RPCStatus``, each with both its encodings.
package enum OTLP {}
