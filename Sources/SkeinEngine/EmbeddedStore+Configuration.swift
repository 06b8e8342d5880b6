// SPDX-License-Identifier: Apache-2.0
public import SkeinBase
public import SkeinStore

extension EmbeddedStore {
    /// How a store is opened.
    public struct Configuration: Sendable {
        /// The data folder; it is made when missing.
        public var directory: String
        /// What an acknowledged append survives.
        public var durability = Durability.always
        /// How long after they were received spans are kept; `nil` for ever.
        public var retentionAge: Duration?
        /// How long traces with certain spans are kept instead.
        public var retentionRules: [RetentionRule] = []
        /// What is kept of traces that have left the hot window; `nil` for all of them.
        package var lateSampling: LateSampling?
        /// How long after spans were received their rollups are kept, `nil` for ever; not less than the spans themselves.
        public var rollupRetention: Duration? = .seconds(400 * 86_400)
        /// How many bytes all files of the folder may take, at least 1 MiB; `nil` for as many as there are. The oldest blocks
        /// go before more are taken, and parts of what is in memory become blocks sooner when it is small.
        public var retentionByteCount: Int?
        /// Spans in memory that make a block.
        public var headSpanCount = 256 << 10
        /// Bytes of spans, in memory or in the log, that make a block. At most three times as many are held before appends
        /// wait.
        public var headByteCount = 48 << 20
        /// Appends are refused while records of this many bytes wait for the log.
        public var logByteCount = 64 << 20
        /// Age at which some thousand spans in memory make a block.
        public var headAge = Duration.seconds(600)
        /// Time without appends after which some thousand spans in memory make a block.
        public var headIdle = Duration.seconds(15)
        /// Bytes of row groups that a merge holds in memory, unless one trace needs more.
        public var mergeByteCount = 32 << 20
        /// Bytes of text in a row group of a block.
        public var groupByteCount = 64 << 20
        /// Called on no particular thread when nobody has sent spans for a while, once until somebody does.
        public var onIdle: @Sendable () -> Void = {}
        /// Memory for decoded parts of blocks.
        public var cacheByteCount = 64 << 20
        /// Stored spans of a trace that is given out whole; a larger one is read in windows.
        public var traceSpanCountMax = 2_000_000
        /// Bytes that such a trace, or spans of it asked for by id, may take, at most 3 GiB.
        public var traceByteCountMax = 1 << 30
        /// What the store's memory is counted against; `nil` for limits of its own: three times ``headByteCount`` before
        /// appends wait, ``cacheByteCount``, and as much as reads and background work need.
        package var memory: Memory?
        /// Bytes of spans that bring a window of a trace to its end.
        public var windowByteCountMax = 16 << 20
        /// Whether log records are kept beside the spans.
        package var keepsLogRecords = true
        /// Pins of another store, whose traces these are; `nil` for a file of its own.
        var pins: PinFile?
        /// Where the time comes from.
        public var clock: any WallClock = SystemClock()
        /// Where files are kept.
        package var disk: any Disk = PosixDisk()

        /// A configuration with defaults for all but the folder.
        public init(directory: String) { self.directory = directory }

        var compactionPlan: CompactionPlan {
            var plan = CompactionPlan(retentionAgeNanos: retentionAge?.nanos, retentionByteCount: retentionByteCount)
            // Blocks that are decided about are merged before, as far as they ever are: sums then know all calls between them.
            if let hotNanos = lateSampling?.hotWindow.nanos {
                plan.windowNanos = min(plan.windowNanos, max(hotNanos, 60_000_000_000))
            }
            // Tables are there unpacked, anew, and as they are written.
            if let memory { plan.tableByteCountMax = min(plan.tableByteCountMax, memory.merging.limit / 4) }
            return plan
        }

        var headLimits: HeadLimits {
            HeadLimits(
                spanCount: headSpanCount,
                byteCount: Quota.headByteCount(headByteCount, quota: retentionByteCount),
                groupByteCount: groupByteCount,
                waitingByteCount: logByteCount,
                tableByteCount: min(TableSize.byteCountMax, 2 * headByteCount)
            )
        }

        var quota: Quota? {
            retentionByteCount.map { Quota(byteCount: $0, headByteCount: headLimits.byteCount) }
        }

        var mergeLimits: BlockMerge.Limits {
            BlockMerge.Limits(sectionByteCount: mergeByteCount, groupByteCount: groupByteCount)
        }

        /// Counts the store's memory against `memory`, and makes blocks and merges of a size that it allows.
        package mutating func share(_ memory: Memory) {
            self.memory = memory
            headByteCount = SealingCost.spanByteCount(with: memory.sealing.limit)
            groupByteCount = SealingCost.groupByteCount(with: memory.sealing.limit)
            // Some row groups at least, or they are unpacked again and again.
            mergeByteCount = max(4 << 20, memory.merging.limit / 16)
        }

        var ownMemory: Memory {
            Memory(
                head: ByteBudget(limit: 3 * headByteCount),
                sealing: ByteBudget(limit: .max),
                merging: ByteBudget(limit: .max),
                cache: ByteBudget(limit: cacheByteCount),
                blocks: ByteBudget(limit: .max),
                reads: ByteBudget(limit: .max)
            )
        }
    }

    /// What a store counts its memory against.
    package struct Memory: Sendable {
        /// Spans that are not in a block yet. Appends wait when there is no room.
        package var head: ByteBudget
        /// Making a block of spans; what it takes follows from ``Configuration/headByteCount``, and is only told here.
        package var sealing: ByteBudget
        /// Making one block of several, as large a one as there is room for.
        package var merging: ByteBudget
        /// Decoded parts of blocks. The oldest go when there is no room.
        package var cache: ByteBudget
        /// What open blocks keep in memory; only told here.
        package var blocks: ByteBudget
        /// Reads under way, and what they keep others from letting go. Reads wait a moment for room, and are refused then.
        package var reads: ByteBudget

        /// Budgets of a store.
        package init(
            head: ByteBudget,
            sealing: ByteBudget,
            merging: ByteBudget,
            cache: ByteBudget,
            blocks: ByteBudget,
            reads: ByteBudget
        ) {
            self.head = head
            self.sealing = sealing
            self.merging = merging
            self.cache = cache
            self.blocks = blocks
            self.reads = reads
        }
    }
}
