// SPDX-License-Identifier: Apache-2.0
import SkeinAPI

extension Setting {
    /// The settings of what agents tell of their own work.
    static let work: [Setting] = [
        Setting(
            "worktrace-idle-timeout",
            "How long a session of an agent may be silent before it counts as abandoned; what comes next undoes it.",
            form: "a duration of 1s to 24h such as 15m",
            read: { text, configuration in
                guard let value = Quantity.duration(text), value >= .seconds(1), value <= .seconds(86_400) else {
                    return false
                }
                configuration.workIdleTimeout = value
                return true
            },
            write: { Quantity.text($0.workIdleTimeout) }
        ),
        Setting(
            "worktrace-content",
            "What becomes of prompts, arguments, results and texts of messages that agents send, to the WorkTrace API or in spans "
                + "and logs: `keep` them, or `drop` them and keep of tools' arguments and results a hash and a length.",
            words: ("drop", "keep"),
            of: \.workContent.isKept
        ),
        Setting(
            "worktrace-content-bytes-max",
            "The most that is kept of one prompt, result or message; longer ones are cut.",
            form: "a size of 1KiB to 1MiB",
            read: { text, configuration in
                guard let value = Quantity.size(text), (1 << 10...1 << 20).contains(value) else { return false }
                configuration.workContent.byteCountMax = value
                return true
            },
            write: { Quantity.text($0.workContent.byteCountMax) }
        ),
        Setting(
            "worktrace-tools",
            "How agents see `do-trace` at `/mcp`: as `one` tool that takes an action, which costs a model fewest tokens, or `each` "
                + "action as a tool of its own, such as `do-trace-log-step`.",
            words: ("one", "each"),
            of: \.workOptions.listsActions
        ),
        Setting(
            "worktrace-draft-conventions",
            "Whether spans of WorkTrace also carry names that OpenTelemetry only proposes: `gen_ai.transfer.mode` and "
                + "`gen_ai.transfer.target.name` on handoffs and spawns. They are understood in any case.",
            words: ("off", "on"),
            of: \.workOptions.writesDrafts
        ),
        Setting(
            "session-sampling-config",
            "Of sessions of agents, keep only those with all their steps that the policy in this file keeps, by the priority of "
                + "their task, and of the others their totals, also of sessions that come as spans where it says `spans_after`: the "
                + "block `session_sampling`, as YAML; read again when it changes.",
            form: "a path, or empty",
            reading: { text, configuration throws(ConfigurationError) in
                configuration.sessionSampling = text.isEmpty ? nil : try SessionSamplingFile(path: text)
            },
            write: { $0.sessionSampling?.path ?? "" }
        ),
        Setting(
            "model-prices",
            "What models cost, for calls whose client does not say: the list `model_prices` in this file, as YAML; read again when it "
                + "changes.",
            form: "a path, or empty",
            reading: { text, configuration throws(ConfigurationError) in
                configuration.modelPrices = text.isEmpty ? nil : try ModelPriceFile(path: text)
            },
            write: { $0.modelPrices?.path ?? "" }
        ),
    ]
}
