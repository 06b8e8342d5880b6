// SPDX-License-Identifier: Apache-2.0
import SkeinPipeline

extension Setting {
    /// The settings of what waits, of weights and of what clients are told.
    static let sampling: [Setting] = [
        sizeLimit(
            "tail-spill-bytes-max",
            "Disk that spans may take, in the data folder and beside `retention-bytes`, while they wait for the decision about "
                + "their trace and memory is full; with `off`, or beyond, traces are decided early.",
            \.tailSpillBytesMax,
            in: 64 << 20...1 << 50
        ),
        Setting(
            "late-sampling-config",
            "Of traces that have left the hot window, keep only those that the policies in this file keep, whole and with weights: "
                + "the block `tail_sampling` of an OpenTelemetry collector, as YAML. Everything is stored until then.",
            form: "a path, or empty",
            reading: { text, configuration throws(ConfigurationError) in
                configuration.lateSampling = text.isEmpty ? nil : try LateSamplingFile(path: text)
            },
            write: { $0.lateSampling?.path ?? "" }
        ),
        Setting(
            "late-sampling-after",
            "The hot window: how long after its last spans came a trace is decided by `late-sampling-config`.",
            form: "a duration of at least 10s such as 12h or 2d",
            read: { text, configuration in
                guard let value = Quantity.duration(text), value >= .seconds(10) else { return false }
                configuration.lateSamplingAfter = value
                return true
            },
            write: { Quantity.text($0.lateSamplingAfter) }
        ),
        Setting(
            "span-weight-attribute",
            "Attribute of spans or resources that says how they were sampled before they came, beside `tracestate` and "
                + "Jaeger's tags: `sampling.ratio` holds the share that was kept (0.25 weighs 4), `SampleRate=count` of how many "
                + "one was kept (4 weighs 4).",
            form: "a key, or a key and `=ratio` or `=count`, or empty",
            read: { text, configuration in
                guard !text.isEmpty else {
                    configuration.weightAttribute = nil
                    return true
                }
                let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
                guard !parts[0].isEmpty, let form = WeightAttribute.Form(rawValue: parts.count > 1 ? parts[1] : "ratio")
                else { return false }
                configuration.weightAttribute = WeightAttribute(key: parts[0], form: form)
                return true
            },
            write: { configuration in
                configuration.weightAttribute.map { $0.form == .ratio ? $0.key : "\($0.key)=\($0.form)" } ?? ""
            }
        ),
        Setting(
            "sampling-strategies",
            "File of sampling strategies in Jaeger's JSON format, which clients ask for; read again when it changes. Without "
                + "one they are told to sample one trace in a thousand.",
            form: "a path, or empty",
            read: { text, configuration in
                configuration.samplingStrategies = text.isEmpty ? nil : text
                return true
            },
            write: { $0.samplingStrategies ?? "" }
        ),
        Setting(
            "sampling-adaptive-target",
            "Sampled traces a second of each operation that clients are led to, by shares found anew every minute from the root "
                + "spans that came; for services that the file of strategies does not name.",
            form: "a number from 0.001 to 1000000, or off",
            read: { text, configuration in
                guard text != "off" else {
                    configuration.samplingAdaptiveTarget = nil
                    return true
                }
                guard let value = Double(text), (0.001...1_000_000).contains(value) else { return false }
                configuration.samplingAdaptiveTarget = value
                return true
            },
            write: { $0.samplingAdaptiveTarget.map { "\($0)" } ?? "off" }
        ),
    ]
}
