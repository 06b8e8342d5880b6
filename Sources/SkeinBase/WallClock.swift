// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Where the time comes from, so that a test can own it.
///
/// `unixNanos` may jump, as a wall clock does; `monotonicNanos` never goes back and has no meaning across restarts.
public protocol WallClock: Sendable {
    /// Nanoseconds since 1970-01-01 00:00 UTC.
    var unixNanos: UInt64 { get }
    /// Nanoseconds since some fixed moment.
    var monotonicNanos: UInt64 { get }
    /// Returns after `nanos` nanoseconds of this clock; throws `CancellationError` when the task is cancelled.
    func sleep(nanos: UInt64) async throws
}

/// The machine's own clocks.
public struct SystemClock: WallClock {
    /// The machine's clocks; there is no state.
    public init() {}

    public var unixNanos: UInt64 { read(CLOCK_REALTIME) }
    public var monotonicNanos: UInt64 { read(CLOCK_MONOTONIC) }

    public func sleep(nanos: UInt64) async throws { try await Task.sleep(nanoseconds: nanos) }

    private func read(_ id: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(id, &time)
        return UInt64(bitPattern: Int64(time.tv_sec)) &* 1_000_000_000 &+ UInt64(bitPattern: Int64(time.tv_nsec))
    }
}
