// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import Synchronization

/// A clock that stands still until a test moves it.
final class SteppedClock: WallClock {
    private let nanos = Mutex<UInt64>(1_000_000_000)

    var unixNanos: UInt64 { nanos.withLock { $0 } }
    var monotonicNanos: UInt64 { nanos.withLock { $0 } }

    func advance(seconds: Double) { nanos.withLock { $0 += UInt64(seconds * 1e9) } }

    /// Nobody sleeps by this clock.
    func sleep(nanos: UInt64) async throws { throw CancellationError() }
}
