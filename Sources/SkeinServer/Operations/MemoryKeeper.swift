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
            var last = Trim()
            while (try? await Task.sleep(for: Self.interval)) != nil { look(&excess, &last) }
        }
    }

    /// When the allocator last gave back what it could.
    private struct Trim {
        /// Bytes that the process had after it.
        var byteCount = 0
        /// Looks since.
        var lookCount = 0
    }

    /// While there is too much: what was in use then may be free by now, without the process having grown.
    private static let looksBetweenTrims = 10

    private func look(_ excess: inout ByteBudget.Reservation, _ last: inout Trim) {
        var resident = ProcessFigures.residentByteCount ?? 0
        last.lookCount += 1
        let hasGrown = resident > max(plan.byteCount / 5 * 4, last.byteCount + plan.byteCount / 64)
        if hasGrown || excess.count > 0 && last.lookCount >= Self.looksBetweenTrims {
            Allocator.trim()
            resident = ProcessFigures.residentByteCount ?? 0
            last = Trim(byteCount: resident)
        }
        last.byteCount = min(last.byteCount, resident)
        excess.resizeAnyway(to: max(0, resident - plan.byteCount / 20 * 19))
    }
}
