// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinEngine
import SkeinPipeline

/// How the setting `memory` is shared out.
///
/// A fixed part is the program itself; a fifth of the rest is left to the allocator, whose free pieces lie between those in
/// use. What then remains is one pool. Each share of it is sure of the first number of hundredths and may take up to the
/// second while others leave theirs, so that a server which nobody asks takes more spans in, and one to which nobody sends
/// answers larger questions.
struct MemoryPlan: Sendable {
    /// Of the program: its code, its threads and what they always need. Measured 36 MiB at rest, and some for connections
    /// and buffers.
    static let baseByteCount = 48 << 20

    /// The setting.
    let byteCount: Int
    let pool: MemoryPool
    /// Bodies of requests, what they become, and records that wait for the log.
    let requests: ByteBudget
    /// Answers in the making and on their way, and reads of the store.
    let queries: ByteBudget
    /// Spans that wait for a tail sampler's decision; kept from others only where there is one.
    let sampling: ByteBudget
    let store: EmbeddedStore.Memory
    /// What the process has beyond the setting, see ``MemoryKeeper``.
    let excess: ByteBudget

    /// The shares of `byteCount` bytes of memory, with or without a tail sampler.
    init(byteCount: Int, samples: Bool = false) {
        self.byteCount = byteCount
        let pool = MemoryPool(byteCount: Self.poolByteCount(of: byteCount))
        func share(_ least: Int, _ most: Int) -> ByteBudget {
            pool.share(atLeast: pool.byteCount / 100 * least, atMost: pool.byteCount / 100 * most)
        }
        self.pool = pool
        requests = share(5, Self.requestHundredths)
        queries = share(10, 70)
        sampling = share(samples ? 15 : 0, samples ? 50 : 0)
        store = EmbeddedStore.Memory(
            head: share(12, 40),
            sealing: share(8, 17),
            merging: share(3, 40),
            cache: share(2, 50),
            blocks: share(0, 100),
            reads: queries
        )
        excess = share(0, 100)
    }

    private static func poolByteCount(of byteCount: Int) -> Int { max(byteCount - baseByteCount, 0) / 5 * 4 }

    private static let requestHundredths = 40

    /// The largest request that may be allowed: while it is decoded it takes its size twice.
    static func requestBytesMax(of byteCount: Int) -> Int { poolByteCount(of: byteCount) / 100 * requestHundredths / 2 }

    /// The settings of the store that follow from its shares.
    func apply(to configuration: inout EmbeddedStore.Configuration) {
        configuration.share(store)
        configuration.logByteCount = requests.limit / 2
        configuration.traceByteCountMax = queries.limit
        configuration.windowByteCountMax = byteCount / 32
    }

    /// The shares by the names under which they are told.
    var shares: [(name: StaticString, budget: ByteBudget)] {
        [
            ("requests", requests), ("sampling", sampling), ("head", store.head), ("sealing", store.sealing),
            ("merging", store.merging),
            ("cache", store.cache), ("blocks", store.blocks), ("queries", queries), ("excess", excess),
        ]
    }

    /// Adds what each share has and may have to `telemetry`.
    func register(in telemetry: Telemetry) {
        for (name, budget) in shares {
            telemetry.gauge(
                "skein_memory_bytes",
                "Memory taken out of the setting memory, by share.",
                ["share": name],
                reading: { Double(budget.used) }
            )
        }
        for (name, budget) in shares {
            telemetry.gauge(
                "skein_memory_limit_bytes",
                "The most memory that a share may take while others leave theirs.",
                ["share": name],
                reading: { Double(budget.limit) }
            )
        }
    }
}
