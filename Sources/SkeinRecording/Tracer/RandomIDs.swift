// SPDX-License-Identifier: Apache-2.0
public import SkeinModel
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Makes the ids of traces and spans. None is all zero.
public protocol IDGenerator: Sendable {
    /// Whether the low 56 bits of the trace ids are random, which the flag `random` tells others.
    var isRandom: Bool { get }
    func traceID() -> TraceID
    func spanID() -> SpanID
}

/// Random ids.
///
/// The system's generator is asked for a seed only, since it costs more than a span. Threads draw from sixteen generators
/// (xoshiro256**), so that they seldom wait for each other.
public final class RandomIDs: IDGenerator {
    private let stripes: [Stripe]

    public init() { stripes = (0..<Self.stripeCount).map { _ in Stripe() } }

    public var isRandom: Bool { true }

    public func traceID() -> TraceID {
        stripe.state.withLock { state in
            var id = TraceID.zero
            while !id.isValid { id = TraceID(high: state.next(), low: state.next()) }
            return id
        }
    }

    public func spanID() -> SpanID {
        stripe.state.withLock { state in
            var id = SpanID.zero
            while !id.isValid { id = SpanID(state.next()) }
            return id
        }
    }

    private static let stripeCount = 16

    private var stripe: Stripe {
        // Threads' own addresses are far apart, and alike in their lower bits.
        #if canImport(Darwin)
            let thread = UInt(bitPattern: pthread_self())
        #else
            let thread = UInt(pthread_self())
        #endif
        return stripes[Int((thread >> 12 ^ thread >> 20) & UInt(Self.stripeCount - 1))]
    }

    private final class Stripe: Sendable {
        let state = Mutex(Xoshiro())
    }

    /// xoshiro256** of Blackman and Vigna.
    private struct Xoshiro {
        private var a, b, c, d: UInt64

        init() {
            var system = SystemRandomNumberGenerator()
            (a, b, c, d) = (system.next(), system.next(), system.next(), system.next() | 1)
        }

        mutating func next() -> UInt64 {
            let product = b &* 5
            let result = (product &<< 7 | product &>> 57) &* 9
            let shifted = b &<< 17
            c ^= a
            d ^= b
            b ^= c
            a ^= d
            c ^= shifted
            d = d &<< 45 | d &>> 19
            return result
        }
    }
}
