// SPDX-License-Identifier: Apache-2.0
import SkeinAPI
import SkeinAgents
import SkeinBase
import SkeinPipeline
import SkeinStore

/// What is decided about traces once they are stored.
extension ServerConfiguration {
    /// When it is decided: as late sampling says where it has policies, else as the policy for sessions does; `nil` for never.
    var storedSamplingAfter: Duration? {
        if lateSampling != nil { return lateSamplingAfter }
        return sessionSampling?.policy.spansAfterNanos.map { .nanoseconds(Int64(clamping: $0)) }
    }

    /// What two settings say differently.
    var storedSamplingWarnings: [String] {
        guard lateSampling != nil, let nanos = sessionSampling?.policy.spansAfterNanos,
            Duration.nanoseconds(Int64(clamping: nanos)) != lateSamplingAfter
        else { return [] }
        return [
            "stored traces are decided about late-sampling-after, which is \(Quantity.text(lateSamplingAfter)): spans_after of "
                + "session_sampling does not count beside it"
        ]
    }

    /// The policies for stored traces: `sessions` for those in which agents run, if the policy speaks of such.
    func storedSampling(
        _ sessions: PrioritySampling?,
        prices: ModelPriceBook,
        telemetry: Telemetry
    ) throws -> LateSampling? {
        guard let after = storedSamplingAfter else { return nil }
        let policies = lateSampling.map { LatePolicies($0.policies, telemetry: telemetry) }
        if let sessions, sessions.current?.spansAfterNanos != nil {
            let sampler = try StoredSessionSampler(sessions, others: policies, prices: prices)
            return LateSampling(hotWindow: after, sampler: sampler)
        }
        return policies.map { LateSampling(hotWindow: after, sampler: $0) }
    }
}
