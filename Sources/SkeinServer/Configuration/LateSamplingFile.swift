// SPDX-License-Identifier: Apache-2.0
package import SkeinPipeline

/// A file with the policies of late sampling; read and checked. It is a file of tail sampling, of which what is said of waiting
/// means nothing.
package struct LateSamplingFile: Sendable {
    package let path: String
    package let policies: SamplingPolicySet
    /// What stands in the file and means nothing, in whole sentences.
    let warnings: [String]

    /// Reads the file at `path`.
    package init(path: String) throws(ConfigurationError) {
        let file = try SamplingFile(try ConfigurationSources.text(of: path), path: path, stage: .late)
        guard file.head.isEmpty else {
            throw ConfigurationError(
                "\(path) has a block head_sampling, which leaves out spans as they come: name the file in sampling-config, and "
                    + "leave here the policies of whole traces"
            )
        }
        guard let tail = file.tail else {
            throw ConfigurationError("\(path) has no policies: start with `tail_sampling:` and its policies")
        }
        self.path = path
        policies = tail.policies
        var warnings = file.warnings
        if !tail.settings.isDefault {
            warnings.append(
                "\(path): late sampling has nothing to wait for; decision_wait, num_traces, decision_cache and what else is said "
                    + "beside the policies means nothing, but for sample_on_first_match."
            )
        }
        self.warnings = warnings
    }
}

extension TailSamplingSettings {
    /// Whether the file says nothing of waiting.
    fileprivate var isDefault: Bool { self == TailSamplingSettings() }
}
