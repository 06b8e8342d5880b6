// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// What the member `ot` says of sampling (OpenTelemetry, "TraceState: Probability Sampling"). Its other fields stay as they are.
extension TraceState {
    private static let key = "ot"

    /// Spans were sampled whose randomness is at least this, from 0 to 2^56 - 1; `nil` when nothing is said of it.
    public var samplingThreshold: UInt64? { read(SamplingThreshold.threshold(ofMember:)) }

    /// In place of the randomness of the trace id, from 0 to 2^56 - 1; `nil` when nothing is said of it.
    public var samplingRandomness: UInt64? { read(SamplingThreshold.randomness(ofMember:)) }

    /// Says the threshold, which is below 2^56, or none, and moves what is changed to the front. What is as it should be stays
    /// where it is.
    public mutating func setSamplingThreshold(_ threshold: UInt64?) {
        guard threshold != samplingThreshold else { return }
        var present = self[Self.key] ?? ""
        let value = present.withUTF8 {
            SamplingThreshold.rewriting(member: UnsafeRawBufferPointer($0), threshold: threshold)
        }
        if value.isEmpty { remove(Self.key) } else { set(Self.key, String(decoding: value, as: UTF8.self)) }
    }

    /// Says threshold, below 2^56 or none, and randomness in the place of what was said of them.
    package mutating func setSampling(threshold: UInt64?, randomness: UInt64) {
        let digits = String(randomness & (SamplingThreshold.end - 1), radix: 16)
        let field = "rv:" + String(repeating: "0", count: 14 - digits.count) + digits
        let fields = (self[Self.key] ?? "").split(separator: ";")
        let others = fields.filter { !$0.hasPrefix("rv:") && !$0.hasPrefix("th:") }
        var present = ([field] + others.map(String.init)).joined(separator: ";")
        let value = present.withUTF8 {
            SamplingThreshold.rewriting(member: UnsafeRawBufferPointer($0), threshold: threshold)
        }
        set(Self.key, String(decoding: value, as: UTF8.self))
    }

    private func read(_ body: (UnsafeRawBufferPointer) -> UInt64?) -> UInt64? {
        guard !members.isEmpty, var value = self[Self.key] else { return nil }
        return value.withUTF8 { body(UnsafeRawBufferPointer($0)) }
    }
}
