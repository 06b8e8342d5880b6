// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Decoders that wait for their next request with their tables warm; as many as were ever busy at once.
final class DecoderPool<Decoder: ~Copyable>: Sendable {
    /// A decoder on its way between tasks.
    ///
    /// Unchecked: it is in the pool or lent to one call of ``lend(_:)``, never both, and the pool's lock orders them.
    private final class Slot: @unchecked Sendable {
        var decoder: Decoder

        init(_ decoder: consuming Decoder) { self.decoder = decoder }
    }

    private let make: @Sendable () -> Decoder
    private let idle = Mutex<[Slot]>([])

    /// A pool of decoders that `make` makes.
    init(_ make: @escaping @Sendable () -> Decoder) { self.make = make }

    /// Lends a decoder to `body`.
    func lend<R, E: Error>(_ body: (inout Decoder) throws(E) -> R) throws(E) -> R {
        let slot = idle.withLock { $0.popLast() } ?? Slot(make())
        defer { idle.withLock { $0.append(slot) } }
        return try body(&slot.decoder)
    }
}
