// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// What becomes of a trace, and why.
package struct SamplingDecision: Hashable, Sendable {
    package var isKept: Bool
    /// The number of the policy that decided; `nil` when none kept the trace.
    package var policy: Int?
    /// The part of ``policy`` that decided, where it has parts that differ; by number.
    package var part: Int?
    /// The threshold that the trace passed (``SkeinModel/SamplingThreshold``); 0 when it was not thinned by threshold alone.
    package var threshold: UInt64
    /// 1 divided by the probability of what kept the trace otherwise, times what it stands for of traces for which there was
    /// no room; 1 or more.
    package var factor: Double

    package init(
        isKept: Bool,
        policy: Int? = nil,
        part: Int? = nil,
        threshold: UInt64 = 0,
        factor: Double = 1
    ) {
        self.isKept = isKept
        self.policy = policy
        self.part = part
        self.threshold = threshold
        self.factor = factor
    }

    /// The trace goes, since no policy kept it.
    package static let dropped = SamplingDecision(isKept: false)

    /// By how much the weight of a span grows whose `tracestate` says that it passed `earlier` before.
    package func weightFactor(after earlier: UInt64) -> Double {
        factor * SamplingThreshold.weightFactor(of: threshold, after: earlier)
    }
}

/// What one policy says of a trace.
enum SamplingVerdict: Hashable, Sendable {
    case keep(SamplingShare)
    /// These go, whatever others keep.
    case drop(SamplingShare)
    /// An inverted policy would keep the trace, unless others would not.
    case invertedKeep
    /// An inverted policy says that the trace goes, whatever others keep.
    case invertedDrop

    /// Whether it keeps or drops the trace by itself.
    var holds: Bool {
        switch self {
        case .keep(let share), .drop(let share): share.holds
        case .invertedKeep, .invertedDrop: true
        }
    }

    /// What is kept of traces like this one, seen as a part of another policy.
    var share: SamplingShare {
        switch self {
        case .keep(let share): share
        case .invertedKeep: .all
        case .drop, .invertedDrop: .none
        }
    }
}

/// How large a part of traces alike a policy is for.
struct SamplingShare: Hashable, Sendable {
    /// Those that it is for wherever there is room.
    var chance: Chance
    /// Whether this trace is one of them, and there was room.
    var holds: Bool
    /// Which part of a policy decided.
    var part: Int?

    static let all = SamplingShare(chance: .always, holds: true)
    static let none = SamplingShare(chance: .never, holds: false)

    /// Those that both are for.
    static func && (one: SamplingShare, other: SamplingShare) -> SamplingShare {
        SamplingShare(
            chance: one.chance && other.chance,
            holds: one.holds && other.holds,
            part: one.part ?? other.part
        )
    }

    static prefix func ! (share: SamplingShare) -> SamplingShare {
        SamplingShare(chance: !share.chance, holds: !share.holds)
    }
}

/// What the policies of a set say of a trace together.
struct SamplingOutcome {
    /// Of traces like this one, those that any policy keeps wherever there is room.
    private(set) var keeps = Chance.never
    /// Those that go, whatever others keep.
    private(set) var drops = Chance.never
    /// The policy that keeps this trace, of several the one that keeps most; one without a limit before any with one.
    private(set) var kept: (policy: Int, part: Int?, neededRoom: Bool)?
    private(set) var droppedBy: Int?
    /// Whether it depends on room what goes: then one that stays stands for those that do not.
    private(set) var dropsAskedForRoom = false
    /// The first inverted policy that would keep the trace.
    private(set) var inverted: Int?
    /// Whether a policy does not keep it.
    private(set) var isPassed = false
    private var keptChance = Chance.never

    /// Adds what the policy of this number says; those that ask for room come last.
    mutating func add(_ verdict: SamplingVerdict, of policy: Int, asksForRoom: Bool) {
        switch verdict {
        case .invertedDrop:
            drops = .always
            droppedBy = droppedBy ?? policy
        case .invertedKeep: inverted = inverted ?? policy
        case .drop(let share):
            drops = drops || share.chance
            dropsAskedForRoom = dropsAskedForRoom || asksForRoom
            if share.holds { droppedBy = droppedBy ?? policy } else { isPassed = true }
        case .keep(let share):
            keeps = keeps || share.chance
            guard share.holds else {
                isPassed = true
                return
            }
            guard kept == nil || !asksForRoom && share.chance.probability() > keptChance.probability() else { return }
            kept = (policy, share.part, asksForRoom)
            keptChance = share.chance
        }
    }
}
