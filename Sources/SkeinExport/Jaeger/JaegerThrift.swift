// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
package import SkeinRecording

/// Finished spans as Jaeger's `Batch` (jaeger-idl 0.6 `thrift/jaeger.thrift`, `thrift/agent.thrift`; OpenTelemetry specification,
/// "OpenTelemetry to Jaeger Transformation").
///
/// Beyond that text, the kind of internal spans is told too, as the OpenTelemetry Collector does, and `w3c.tracestate` is
/// its tag for the trace state.
package enum JaegerThrift {
    /// Writes the spans of each tracer as a batch in the binary encoding, as collectors take it over HTTP, and hands it to
    /// `body` with the count of its spans.
    package static func forEachBatch(
        of spans: [FinishedSpan],
        _ body: (UnsafeRawBufferPointer, _ spanCount: Int) -> Void
    ) {
        for group in SpanGroups(spans).resources {
            var writer = ThriftWriter<ThriftBinary>()
            let count = group.scopes.reduce(0) { $0 + $1.rows.count }
            writer.structure { writer in
                writer.process(group.core.resource)
                writer.openList(2)
                writer.append(listCount: count)
                for scope in group.scopes {
                    for row in scope.rows { writer.span(spans[row], scope: scope.name) }
                }
            }
            body(writer.bytes, count)
        }
    }

    /// What was too large for a datagram.
    package struct Oversize: Hashable, Sendable {
        package var spanCount = 0
        /// Of the largest: the datagram that it alone would be.
        package var byteCountMax = 0

        package init() {}
    }

    /// Bytes of a datagram that agents take (jaeger-client `UDP_PACKET_MAX_LENGTH`).
    package static let datagramByteCountMax = 65_000

    /// Writes `emitBatch` messages of at most `byteCountMax` bytes, in the compact encoding for an agent's port 6831 or in the
    /// binary one for 6832, and hands each to `body` with the count of its spans. A span that is larger alone is left out.
    package static func forEachDatagram<Encoding: ThriftEncoding>(
        of spans: [FinishedSpan],
        in encoding: Encoding.Type,
        byteCountMax: Int = datagramByteCountMax,
        _ body: (UnsafeRawBufferPointer, _ spanCount: Int) -> Void
    ) -> Oversize {
        var oversize = Oversize()
        for group in SpanGroups(spans).resources {
            var datagram = Datagram<Encoding>(group.core.resource)
            for scope in group.scopes {
                for row in scope.rows {
                    let before = datagram.spans.count
                    datagram.spans.span(spans[row], scope: scope.name)
                    datagram.spanCount += 1
                    if datagram.byteCount <= byteCountMax { continue }
                    datagram.spanCount -= 1
                    datagram.send(first: before, body)
                    datagram.spanCount = 1
                    if datagram.byteCount <= byteCountMax { continue }
                    oversize.spanCount += 1
                    oversize.byteCountMax = max(oversize.byteCountMax, datagram.byteCount)
                    datagram.spanCount = 0
                    datagram.spans.truncate(to: 0)
                }
            }
            datagram.send(first: datagram.spans.count, body)
        }
        return oversize
    }

    /// A message that is being filled.
    private struct Datagram<Encoding: ThriftEncoding>: ~Copyable {
        /// The envelope and the process, up to where the spans are counted, and behind it the rest while it is sent.
        private var whole = ThriftWriter<Encoding>()
        private let prefixByteCount: Int
        var spans = ThriftWriter<Encoding>()
        var spanCount = 0

        /// The most that a count takes, and the ends of batch and arguments.
        private static var suffixByteCount: Int { 5 + 2 }

        init(_ resource: Resource) {
            whole.openOneway("emitBatch")
            whole.openStructure(1)
            whole.process(resource)
            whole.openList(2)
            prefixByteCount = whole.count
        }

        /// Bytes of the message with all spans, or a few less.
        var byteCount: Int { prefixByteCount + spans.count + Self.suffixByteCount }

        /// Sends the spans in the first `byteCount` bytes, unless there are none, and keeps the others.
        mutating func send(first byteCount: Int, _ body: (UnsafeRawBufferPointer, Int) -> Void) {
            guard byteCount > 0 else { return }
            whole.truncate(to: prefixByteCount)
            whole.append(listCount: spanCount)
            whole.append(UnsafeRawBufferPointer(rebasing: spans.bytes[..<byteCount]))
            whole.closeStructure()
            whole.closeStructure()
            body(whole.bytes, spanCount)
            spans.removeFirst(byteCount)
            spanCount = 0
        }
    }
}
