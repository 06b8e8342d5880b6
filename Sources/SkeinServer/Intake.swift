// SPDX-License-Identifier: Apache-2.0
import Crypto
import Foundation
import SkeinAPI
import SkeinAgents
import SkeinBase
import SkeinPipeline

/// What is done to spans on their way to the store, as the configuration says: limits first, then what sampling does, then
/// what is taken out of those that are left.
struct Intake {
    let traceLimit: TraceSpanLimit?
    let stages: [any IntakeStage]
    /// What is done to log records: the same but for sampling, of which a service may send as many as of spans.
    let logStages: [any IntakeStage]

    init(
        _ configuration: ServerConfiguration,
        sampling: [any IntakeStage],
        clock: any WallClock,
        telemetry: Telemetry
    ) throws(ConfigurationError) {
        var stages: [any IntakeStage] = []
        var logStages: [any IntakeStage] = []
        if configuration.rates != RateLimits.Rates() {
            stages.append(RateLimits(configuration.rates, clock: clock))
            logStages.append(RateLimits(configuration.rates, of: "log records", clock: clock))
        }
        traceLimit = configuration.traceSpansTakenMax.map { TraceSpanLimit(spanCountMax: $0) }
        stages += sampling
        // Of a secret that is cut nobody would know any more that it was one, and the hash of what an agent said is to be one
        // of what may be known.
        if let scrubber = try Self.scrubber(configuration, telemetry) {
            stages.append(scrubber)
            logStages.append(scrubber)
        }
        stages.append(ContentStage(configuration.workContent, of: .spans, telemetry: telemetry))
        logStages.append(ContentStage(configuration.workContent, of: .logRecords, telemetry: telemetry))
        if let most = configuration.valueBytesMax {
            let limit = ValueLimit(byteCountMax: most, telemetry: telemetry)
            stages.append(limit)
            logStages.append(limit)
        }
        self.stages = stages
        self.logStages = logStages
    }

    private static func scrubber(
        _ configuration: ServerConfiguration,
        _ telemetry: Telemetry
    ) throws(ConfigurationError) -> Scrubber? {
        let rules = configuration.scrubRules
        guard !rules.isEmpty else { return nil }
        guard rules.needsHash else { return Scrubber(rules, telemetry: telemetry) { _ in "" } }
        guard let path = configuration.scrubKeyFile else {
            throw ConfigurationError(
                "scrub-rules has a rule hash, which needs a key: name its file with scrub-key-file"
            )
        }
        guard let bytes = FileManager.default.contents(atPath: path), bytes.count >= 16 else {
            throw ConfigurationError("scrub-key-file is \"\(path)\": it has to be a file of 16 bytes or more")
        }
        let key = SymmetricKey(data: bytes)
        return Scrubber(rules, telemetry: telemetry) { value in
            let code = HMAC<Crypto.SHA256>.authenticationCode(for: value, using: key)
            // 64 bits tell values apart, and are short enough to read.
            return "hash:" + Hex.string(code.prefix(8).reduce(0) { $0 << 8 | UInt64($1) })
        }
    }
}
