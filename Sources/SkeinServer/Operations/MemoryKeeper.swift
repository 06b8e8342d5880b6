// SPDX-License-Identifier: Apache-2.0
import ServiceLifecycle
import SkeinBase

/// Holds the process to its memory where counting cannot: the allocator keeps what is freed in pieces too small to be used
/// again, and some things are larger than they were thought to be.
///
/// It looks at what the system says that the process has. Near the limit, and when it has grown since, the allocator is told
/// to give back what is free, and what is still too much then is taken from the pool, so that its shares shrink towards what they are sure of.
struct MemoryKeeper: Service, CustomStringConvertible {
    private let plan: MemoryPlan

    /// How often it looks; a server under full load takes some 30 MB more in that time.
    private static let interval = Duration.milliseconds(200)

    var description: String { "memory" }

    init(_ plan: MemoryPlan) { self.plan = plan }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var excess = plan.excess.reservation()
            var trimmed = 0
            while (try? await Task.sleep(for: Self.interval)) != nil { look(&excess, &trimmed) }
        }
    }

    /// - Parameter trimmed: Bytes that the process had after the allocator gave back what it could.
    private func look(_ excess: inout ByteBudget.Reservation, _ trimmed: inout Int) {
        var resident = ProcessFigures.residentByteCount ?? 0
        if resident > max(plan.byteCount / 5 * 4, trimmed + plan.byteCount / 64) {
            Allocator.trim()
            resident = ProcessFigures.residentByteCount ?? 0
            trimmed = resident
        }
        trimmed = min(trimmed, resident)
        excess.resizeAnyway(to: max(0, resident - plan.byteCount / 20 * 19))
    }
}
