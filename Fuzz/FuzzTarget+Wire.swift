// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinCompression
import SkeinModel
import SkeinWire

extension FuzzTarget {
    /// When all inputs are received.
    private static let now: UInt64 = 1_700_000_000_000_000_000

    /// A target that decodes spans; `decode` throws for bytes that are refused.
    private static func spans(
        _ name: String,
        decode: @escaping @Sendable (UnsafeRawBufferPointer) throws(WireError) -> DecodedSpans
    ) -> FuzzTarget {
        FuzzTarget(name: name) { bytes in
            do throws(WireError) {
                let decoded = try decode(bytes)
                precondition(decoded.rejected.isEmpty == decoded.firstMessage.isEmpty)
                Soundness.check(decoded.batch)
            } catch {
                Soundness.check(error, in: bytes)
            }
        }
    }

    private static func logs(
        _ name: String,
        decode: @escaping @Sendable (UnsafeRawBufferPointer) throws(WireError) -> DecodedLogs
    ) -> FuzzTarget {
        FuzzTarget(name: name) { bytes in
            do throws(WireError) {
                Soundness.checkColumns(try decode(bytes).batch.rows)
            } catch {
                Soundness.check(error, in: bytes)
            }
        }
    }

    /// A target that decodes what is no span.
    private static func message<T>(
        _ name: String,
        decode: @escaping @Sendable (UnsafeRawBufferPointer) throws(WireError) -> T
    ) -> FuzzTarget {
        FuzzTarget(name: name) { bytes in
            do throws(WireError) { _ = try decode(bytes) } catch { Soundness.check(error, in: bytes) }
        }
    }

    static let otlp = [
        spans("otlp-protobuf") { bytes throws(WireError) in
            var decoder = OTLP.ProtobufDecoder()
            return try decoder.decode(bytes, receivedUnixNanos: now)
        },
        spans("otlp-json") { bytes throws(WireError) in
            var decoder = OTLP.JSONDecoder()
            return try decoder.decode(bytes, receivedUnixNanos: now)
        },
        logs("otlp-logs-protobuf") { bytes throws(WireError) in
            var decoder = OTLP.ProtobufDecoder()
            return try decoder.decodeLogs(bytes, receivedUnixNanos: now)
        },
        logs("otlp-logs-json") { bytes throws(WireError) in
            var decoder = OTLP.JSONDecoder()
            return try decoder.decodeLogs(bytes, receivedUnixNanos: now)
        },
        message("otlp-metrics-protobuf") { bytes throws(WireError) in try OTLP.MetricPoints.count(protobuf: bytes) },
        message("otlp-metrics-json") { bytes throws(WireError) in try OTLP.MetricPoints.count(json: bytes) },
    ]

    static let jaeger = [
        spans("jaeger-compact") { bytes throws(WireError) in
            var decoder = Jaeger.ThriftDecoder()
            return try decoder.decodeCompact(bytes, receivedUnixNanos: now)
        },
        spans("jaeger-binary") { bytes throws(WireError) in
            var decoder = Jaeger.ThriftDecoder()
            return try decoder.decodeBinary(bytes, receivedUnixNanos: now)
        },
        spans("jaeger-batch") { bytes throws(WireError) in
            var decoder = Jaeger.ThriftDecoder()
            return try decoder.decodeBatch(bytes, receivedUnixNanos: now)
        },
        spans("jaeger-protobuf") { bytes throws(WireError) in
            var decoder = Jaeger.ProtobufDecoder()
            return try decoder.decode(bytes, receivedUnixNanos: now)
        },
        message("sampling-request") { bytes throws(WireError) in
            try Jaeger.SamplingStrategy.serviceName(inProtobuf: bytes)
        },
    ]

    /// The folder of each is named as the format is.
    static let zipkin = Zipkin.Format.allCases.map { format in
        spans("zipkin-\(format.rawValue.lowercased().replacing("_", with: "-"))") { bytes throws(WireError) in
            var decoder = Zipkin.SpanDecoder()
            return try decoder.decode(bytes, as: format, receivedUnixNanos: now)
        }
    }

    static let files = [
        FuzzTarget(name: "trace-file") { bytes in
            var reader = TraceFileReader(objectBytesMax: 4096)
            // The first byte says in pieces of which size the rest comes.
            let size = Int(bytes.first ?? 0) + 1
            var rest = bytes.dropFirst()
            var count = 0
            func drain() {
                while let batch = reader.nextBatch(receivedUnixNanos: now) {
                    precondition(!batch.isEmpty)
                    count += batch.count
                    Soundness.check(batch)
                }
            }
            while !rest.isEmpty {
                reader.append(UnsafeRawBufferPointer(rebasing: rest.prefix(size)))
                rest = rest.dropFirst(size)
                drain()
            }
            reader.finish()
            drain()
            precondition(reader.report.spanCounts.values.reduce(0, +) == count)
        }
    ]

    /// Most bytes that a body unpacks to.
    private static let limit = 1 << 20

    static let compressed =
        [ContentCoding.gzip, .deflate, .zstd].map { coding in
            FuzzTarget(name: coding.rawValue) { bytes in
                guard let plain = try? coding.decode(bytes, limit: limit) else { return }
                precondition(plain.count <= limit)
                let again = coding.encode(bytes)
                let whole = again.withUnsafeBytes { try? coding.decode($0, limit: bytes.count) }
                precondition(whole.map { bytes.elementsEqual($0) } == true)
            }
        } + [
            FuzzTarget(name: "unpacking-stream") { bytes in
                var stream = UnpackingStream()
                let size = Int(bytes.first ?? 0) + 1
                var rest = bytes.dropFirst()
                var plain = ByteWriter()
                do throws(CompressionError) {
                    while !rest.isEmpty {
                        stream.append(UnsafeRawBufferPointer(rebasing: rest.prefix(size)))
                        rest = rest.dropFirst(size)
                        while plain.count < limit, try stream.unpack(into: &plain) {}
                    }
                    stream.finish()
                    while plain.count < limit, try stream.unpack(into: &plain) {}
                } catch {
                    return
                }
                // Both ways of unpacking agree, where the other has the whole body and no more is left to say.
                guard plain.count < limit, let coding = stream.coding else { return }
                let body = UnsafeRawBufferPointer(rebasing: bytes.dropFirst())
                guard let whole = try? coding.decode(body, limit: limit) else { return }
                precondition(plain.bytes.elementsEqual(whole), "\(coding.rawValue) unpacks to two things")
            }
        ]
}
