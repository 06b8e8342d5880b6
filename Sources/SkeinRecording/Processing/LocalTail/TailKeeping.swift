// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinPropagation

/// Why the spans of a trace are kept that was decided after they had ended, shared by all of them.
final class TailKeeping: Sendable {
    /// What becomes of the threshold that a trace state says.
    enum Threshold: Hashable, Sendable {
        case asItIs
        /// It is erased: the trace was kept for what it is, and stands for itself.
        case erased
        /// The trace was kept by this threshold alone, and all traces were there to be kept.
        case set(UInt64)
        /// The trace was kept by this threshold, and what did not pass its own was not there.
        case raised(UInt64)

        func apply(to state: inout TraceState) {
            switch self {
            case .asItIs: break
            case .erased: state.setSamplingThreshold(nil)
            case .set(let threshold): state.setSamplingThreshold(threshold)
            case .raised(let threshold): state.setSamplingThreshold(max(threshold, state.samplingThreshold ?? 0))
            }
        }
    }

    /// The name of the policy, and why the trace was decided before its time.
    let reason: String
    /// The span that says the reason: a local root, or the first that ended where none has.
    let reasonSpanID: SpanID
    let threshold: Threshold

    init(reason: String, reasonSpanID: SpanID, threshold: Threshold) {
        self.reason = reason
        self.reasonSpanID = reasonSpanID
        self.threshold = threshold
    }
}
