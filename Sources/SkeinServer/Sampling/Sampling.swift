// SPDX-License-Identifier: Apache-2.0
import Logging
import ServiceLifecycle
import SkeinBase
import SkeinPipeline

/// All of a server that weighs and thins spans on their way in, or tells clients how to.
struct Sampling: Sendable {
    /// In the order in which the pipeline runs them.
    let stages: [any IntakeStage]
    let answers: SamplingAnswers
    private let file: StrategiesFile?

    /// Reads the files that `configuration` names.
    init(
        _ configuration: ServerConfiguration,
        clock: any WallClock,
        telemetry: Telemetry,
        logger: Logger
    ) throws(ConfigurationError) {
        let adaptive = configuration.samplingAdaptiveTarget.map {
            AdaptiveSampling(.init(targetPerSecond: $0), clock: clock, telemetry: telemetry)
        }
        answers = SamplingAnswers(adaptive: adaptive)
        let weights = SpanWeights(attribute: configuration.weightAttribute)
        // Shares are found of what clients sent, before anything of it is left out here.
        var stages: [any IntakeStage] = [weights]
        if let adaptive { stages.append(adaptive) }
        if let rules = configuration.sampling?.head, !rules.isEmpty {
            stages.append(HeadSampler(rules, clock: clock, telemetry: telemetry))
        }
        self.stages = stages
        let answers = answers
        file = configuration.samplingStrategies.map {
            StrategiesFile($0, answers, telemetry: telemetry, logger: logger)
        }
        try file?.load()
    }

    /// What has to run beside the listeners.
    var services: [any Service] { file.map { [$0] } ?? [] }
}
