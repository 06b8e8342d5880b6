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
        /// Age at which some thousand spans in memory make a block.
        public var headAge = Duration.seconds(600)
        /// Time without appends after which some thousand spans in memory make a block.
        public var headIdle = Duration.seconds(15)
        /// Bytes of row groups that a merge holds in memory, unless one trace needs more.
        public var mergeByteCount = 32 << 20
        /// Called on no particular thread when nobody has sent spans for a while, once until somebody does.
        public var onIdle: @Sendable () -> Void = {}
        /// Memory for decoded parts of blocks.
        public var cacheByteCount = 64 << 20
        /// Stored spans of a trace that is given out whole; a larger one is read in windows.
        public var traceSpanCountMax = 2_000_000
        /// Bytes that such a trace, or spans of it asked for by id, may take, at most 3 GiB.
        public var traceByteCountMax = 1 << 30
        /// Bytes of spans that bring a window of a trace to its end.
        public var windowByteCountMax = 16 << 20
        /// Where the time comes from.
        public var clock: any WallClock = SystemClock()
        /// Where files are kept.
        package var disk: any Disk = PosixDisk()

        /// A configuration with defaults for all but the folder.
        public init(directory: String) { self.directory = directory }

        var compactionPlan: CompactionPlan {
            CompactionPlan(retentionAgeNanos: retentionAge?.nanos, retentionByteCount: retentionByteCount)
        }

        var headLimits: HeadLimits {
            HeadLimits(
                spanCount: headSpanCount,
                byteCount: Quota.headByteCount(headByteCount, quota: retentionByteCount)
            )
        }

        var quota: Quota? {
            retentionByteCount.map { Quota(byteCount: $0, headByteCount: headLimits.byteCount) }
        }
    }
}
