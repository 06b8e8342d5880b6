// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// What becomes of a trace, and why.
package struct SamplingDecision: Hashable, Sendable {
    package var isKept: Bool
    /// The number of the policy that decided; `nil` when none kept the trace.
    package var policy: Int?
    /// The part of ``policy`` that decided, where it has parts that differ; by number.
    package var part: Int?
    /// The threshold that the trace passed (``SkeinModel/SamplingThreshold``); 0 when it was not thinned by threshold.
    package var threshold: UInt64
    /// 1 divided by the probability of what kept the trace otherwise, 1 or more.
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

    /// How many traces this one stands for, as far as the decision goes.
    package var rate: Double { SamplingThreshold.weight(ofThreshold: threshold) * factor }
}

/// What one policy says of a trace.
enum SamplingVerdict: Hashable, Sendable {
    /// The trace goes, whatever others say.
    case drop
    /// An inverted policy says that the trace goes, whatever others keep.
    case invertedDrop
    case keep(SamplingShare)
    /// An inverted policy would keep the trace, unless others would not.
    case invertedKeep
    case pass

    /// What is kept of traces like this one, seen as a part of another policy; `nil` for nothing.
    var share: SamplingShare? {
        switch self {
        case .keep(let share): share
        case .invertedKeep: .all
        case .drop, .invertedDrop, .pass: nil
        }
    }
}

/// How large a part of traces alike is kept.
struct SamplingShare: Hashable, Sendable {
    var threshold: UInt64 = 0
    var factor = 1.0
    /// Which part of a policy decided.
    var part: Int?

    static let all = SamplingShare()

    var rate: Double { SamplingThreshold.weight(ofThreshold: threshold) * factor }

    /// What is kept when both have to keep it: of thresholds the higher one, which passes none that the lower one does not.
    func and(_ other: SamplingShare) -> SamplingShare {
        SamplingShare(
            threshold: max(threshold, other.threshold),
            factor: factor * other.factor,
            part: part ?? other.part
        )
    }
}
