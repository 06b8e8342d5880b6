// SPDX-License-Identifier: Apache-2.0
public import SkeinRecording
import Synchronization

/// Sends spans to a Jaeger agent, or what listens like one, over UDP in Thrift's compact encoding.
///
/// Datagrams may get lost without anybody knowing. A batch is split into as many as it needs; a span that does not fit into
/// one alone is left out and counted. An agent that comes late, or again at another address, is found by the next export.
public final class JaegerUDPExporter: SpanExporter {
    private let datagramByteCountMax: Int
    private let socket: Mutex<DatagramSocket>

    /// An exporter to `host`, a name or an address of either kind. The defaults are those of an agent on this machine, and the
    /// most that agents take.
    public init(host: String = "localhost", port: UInt16 = 6831, datagramByteCountMax: Int = 65_000) {
        self.datagramByteCountMax = datagramByteCountMax
        socket = Mutex(DatagramSocket(host: host, port: port, byteCountMax: datagramByteCountMax))
    }

    public var typeName: String { "jaeger_udp_exporter" }

    public func export(_ spans: [FinishedSpan], by deadline: ContinuousClock.Instant) -> ExportResult {
        socket.withLock { socket in
            var lostCount = 0
            var reasons: [String] = []
            var isDown = false
            let oversize = JaegerThrift.forEachDatagram(
                of: spans,
                in: ThriftCompact.self,
                byteCountMax: datagramByteCountMax
            ) { bytes, count in
                // Who does not answer to the first will not to the others, and name servers may take their time.
                let outcome = isDown ? nil : socket.send(bytes, by: deadline)
                switch outcome {
                case .sent: return
                case .tooLarge(let reason): reasons.append(reason)
                case .failed(let reason):
                    reasons.append(reason)
                    isDown = true
                case nil: break
                }
                lostCount += count
            }
            if oversize.spanCount > 0 {
                let limit = datagramByteCountMax
                reasons.append(
                    "\(oversize.spanCount) spans are larger than a datagram of \(limit) bytes, the largest with "
                        + "\(oversize.byteCountMax); set fewer or shorter attributes, or export over HTTP"
                )
            }
            guard let reason = reasons.first else { return .done }
            if isDown, lostCount + oversize.spanCount == spans.count { return .failed(reason: reason) }
            return .partlyRejected(count: lostCount + oversize.spanCount, reason: reason)
        }
    }

    public func shutdown() { socket.withLock { $0.close() } }
}
