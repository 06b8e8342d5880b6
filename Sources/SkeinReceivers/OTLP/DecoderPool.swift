// SPDX-License-Identifier: Apache-2.0
import SkeinWire
import Synchronization

/// Decoders that wait for their next request with their tables warm; as many as were ever busy at once.
final class DecoderPool: Sendable {
    /// A decoder on its way between tasks.
    ///
    /// Unchecked: it is in the pool or lent to one call of ``lend(_:)``, never both, and the pool's lock orders them.
    private final class Slot: @unchecked Sendable {
        var decoder: OTLP.ProtobufDecoder

        init(_ limits: DecodingLimits) { decoder = OTLP.ProtobufDecoder(limits: limits) }
    }

    private let limits: DecodingLimits
    private let idle = Mutex<[Slot]>([])

    /// A pool of decoders that keep to `limits`.
    init(limits: DecodingLimits) { self.limits = limits }

    /// Lends a decoder to `body`.
    func lend<R, E: Error>(_ body: (inout OTLP.ProtobufDecoder) throws(E) -> R) throws(E) -> R {
        let slot = idle.withLock { $0.popLast() } ?? Slot(limits)
        defer { idle.withLock { $0.append(slot) } }
        return try body(&slot.decoder)
    }
}
