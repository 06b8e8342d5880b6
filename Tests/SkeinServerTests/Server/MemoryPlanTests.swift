// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinEngine
import SkeinPipeline
import Testing

@testable import SkeinServer

/// How memory is shared out.
struct MemoryPlanTests {
    @Test(arguments: [128, 256, 512, 1 << 20])
    func `what is kept for each share fits, with the program and the allocator's holes`(_ mebibytes: Int) {
        let plan = MemoryPlan(byteCount: mebibytes << 20)
        #expect(plan.pool.byteCount <= (plan.byteCount - MemoryPlan.baseByteCount) / 5 * 4)
        let kept = plan.shares.reduce(0) { $0 + $1.budget.least }
        #expect(kept <= plan.pool.byteCount)
        #expect(plan.shares.allSatisfy { $0.budget.limit <= plan.pool.byteCount })
        #expect(plan.requests.limit >= 2 * min(64 << 20, MemoryPlan.requestBytesMax(of: plan.byteCount)))
    }

    @Test func `a part of the head always fits, and the making of a block of it`() {
        for mebibytes in [128, 256, 512, 4096] {
            let plan = MemoryPlan(byteCount: mebibytes << 20)
            var configuration = EmbeddedStore.Configuration(directory: "unused")
            plan.apply(to: &configuration)
            #expect(configuration.headByteCount <= plan.store.head.least)
            #expect(3 * configuration.headByteCount / 2 <= plan.store.sealing.limit)
        }
    }

    @Test func `a request that is allowed finds room when it is alone`() {
        let plan = MemoryPlan(byteCount: 512 << 20)
        plan.store.blocks.takeAnyway(plan.pool.byteCount)
        let (first, second) = (HeldMemory(plan.requests), HeldMemory(plan.requests))
        #expect(first.holdBody(64 << 20) && !second.holdBody(1 << 20))
        first.resizeAnyway(to: 0)
        #expect(second.holdBody(1 << 20) && !first.holdBody(64 << 20) && first.count == 0)
    }

    @Test func `a server that nobody asks takes more in, and the other way round`() {
        let plan = MemoryPlan(byteCount: 512 << 20)
        #expect(plan.requests.room == plan.requests.limit && plan.queries.room == plan.queries.limit)
        plan.queries.takeAnyway(plan.queries.room)
        #expect(plan.requests.room >= plan.requests.least && plan.store.head.room >= plan.store.head.least)
        plan.store.cache.takeAnyway(plan.store.cache.room)
        #expect(plan.requests.room >= plan.requests.least && plan.store.head.room >= plan.store.head.least)
    }
}
