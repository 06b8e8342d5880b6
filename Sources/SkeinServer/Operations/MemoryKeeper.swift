// SPDX-License-Identifier: Apache-2.0
import ServiceLifecycle
import SkeinBase

/// Holds the process to its memory where counting cannot: the allocator keeps what is freed in pieces too small to be used
/// again, and some things are larger than they were thought to be.
///
/// It looks at what the system says that the process has. Near the limit the allocator is told to give back what is free,
/// and what is still too much then is taken from the pool, so that its shares shrink towards what they are sure of.
struct MemoryKeeper: Service, CustomStringConvertible {
    private let plan: MemoryPlan

    /// How often it looks; a server under full load takes some 30 MB more in that time.
    private static let interval = Duration.milliseconds(200)

    var description: String { "memory" }

    init(_ plan: MemoryPlan) { self.plan = plan }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var excess = plan.excess.reservation()
            while (try? await Task.sleep(for: Self.interval)) != nil { look(&excess) }
        }
    }

    private func look(_ excess: inout ByteBudget.Reservation) {
        var resident = ProcessFigures.residentByteCount ?? 0
        if resident > plan.byteCount / 5 * 4 {
            Allocator.trim()
            resident = ProcessFigures.residentByteCount ?? 0
        }
        excess.resizeAnyway(to: max(0, resident - plan.byteCount / 20 * 19))
    }
}
