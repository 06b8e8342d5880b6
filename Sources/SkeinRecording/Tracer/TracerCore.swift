// SPDX-License-Identifier: Apache-2.0
import SkeinBase
package import SkeinModel
import SkeinPropagation
import Synchronization

/// What all spans of a tracer have in common.
package final class TracerCore: Sendable {
    let sampler: any Sampler
    let processor: SpanProcessors
    /// What makes the spans.
    package let resource: Resource
    let propagator: any Propagator
    let limits: SpanLimits
    let ids: any IDGenerator
    let clock: any WallClock
    /// Whether spans that are not sampled have ids of their own although their parent is not sampled either.
    let hasStrictSpanIDs: Bool
    /// Whether errors are recorded with the stack of who records them.
    let recordsStackTraces: Bool
    private let localRules: LocalSamplingRules
    let metrics: SpanMetrics?
    /// Whether no span is made, and contexts stay as they are.
    let isPassing: Bool
    /// Whether somebody flushes in the background, and whether it was asked for again meanwhile.
    private let flushing = Mutex<(isUnderWay: Bool, again: Bool)>((false, false))
    /// Whether the sampler has every span recorded, so that processors may decide about all.
    let recordsAll: Bool

    init(
        sampler: any Sampler,
        processors: [any SpanProcessor],
        resource: Resource,
        propagator: any Propagator,
        limits: SpanLimits,
        ids: any IDGenerator,
        clock: any WallClock,
        hasStrictSpanIDs: Bool,
        recordsStackTraces: Bool = false,
        isPassing: Bool = false
    ) {
        self.sampler = sampler
        processor = SpanProcessors(processors)
        self.resource = resource
        self.propagator = propagator
        self.limits = limits
        self.ids = ids
        self.clock = clock
        self.hasStrictSpanIDs = hasStrictSpanIDs
        self.recordsStackTraces = recordsStackTraces && StackTrace.isAvailable
        self.isPassing = isPassing
        recordsAll = sampler is AlwaysRecordSampler
        metrics = SpanMetrics.ifAnybodyListens()
        localRules =
            hasStrictSpanIDs
            ? sampler.localRules.subtracting(.childrenOfDroppedAreDropped) : sampler.localRules
    }

    /// Whether a span that starts in the context of `parent` is not recorded and changes nothing.
    func drops(childOf parent: SpanIdentity) -> Bool {
        parent.suppressesTracing || localRules.contains(.childrenOfDroppedAreDropped) && parent.isDroppedHere
    }

    /// Flushes on a thread of its own: one, however often it is asked for.
    func flushInBackground() {
        let mustStart = flushing.withLock { flushing in
            defer { flushing = (true, flushing.isUnderWay) }
            return !flushing.isUnderWay
        }
        guard mustStart else { return }
        let hasStarted = OwnThread.start { [self] in
            repeat {
                _ = processor.forceFlush(by: .now + .seconds(30))
            } while flushing.withLock { flushing in
                defer { flushing = (flushing.again, false) }
                return flushing.again
            }
        }
        if !hasStarted { flushing.withLock { $0 = (false, false) } }
    }

    /// Whether a span that starts in the context of `parent` is sampled without asking.
    func samples(childOf parent: SpanIdentity) -> Bool {
        localRules.contains(.childrenOfSampledAreSampled) && parent.recording?.isSampled ?? false
    }
}
