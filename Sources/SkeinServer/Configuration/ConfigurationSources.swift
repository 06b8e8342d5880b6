// SPDX-License-Identifier: Apache-2.0
import Configuration
import Foundation
import SkeinReceivers
import SkeinStore
import Yams

/// Where settings come from: defaults < YAML file < environment < flags.
package struct ConfigurationSources: Sendable {
    /// Path of the YAML file, if there is one.
    package var file: String?
    /// The whole environment; only names with `SKEIN_` matter.
    package var environment: [String: String]
    /// By ``Setting/key``.
    package var flags: [String: String]

    package init(file: String? = nil, environment: [String: String] = [:], flags: [String: String] = [:]) {
        self.file = file
        self.environment = environment
        self.flags = flags
    }

    /// Reads and checks all of it.
    package func resolve() throws(ConfigurationError) -> Resolved {
        let fileValues = try file.map(Self.read) ?? [:]
        try Self.refuseUnknown(Array(flags.keys), known: Setting.all.map(\.key), of: "the flags")
        let reader = ConfigReader(providers: [
            Self.provider("flag", flags),
            Self.provider("environment", Self.byKey(environment)),
            Self.provider("file", fileValues),
        ])
        var resolved = Resolved()
        for setting in Setting.all {
            guard let text = reader.string(forKey: Self.configKey(setting.key)) else { continue }
            let source: String
            if flags[setting.key] != nil {
                source = setting.flag
            } else if environment[setting.variable] != nil {
                source = setting.variable
            } else {
                source = "\(setting.key) in \(file ?? "the file")"
            }
            try setting.apply(text, from: source, to: &resolved.configuration)
            resolved.sources[setting.key] = source
        }
        try resolved.configuration.check()
        resolved.warnings =
            unknownVariables + resolved.configuration.retentionRules.flatMap(\.warnings)
            + (resolved.configuration.sampling?.warnings ?? []) + (resolved.configuration.lateSampling?.warnings ?? [])
        if resolved.configuration.lateSampling == nil, let source = resolved.sources["late-sampling-after"] {
            resolved.warnings.append(
                "\(source) says when traces are sampled late, but none are: name their policies in late-sampling-config"
            )
        }
        resolved.warnings += resolved.configuration.storedSamplingWarnings
        return resolved
    }

    /// A configuration, and for each setting that is not at its default where it was set.
    package struct Resolved: Sendable {
        package var configuration = ServerConfiguration()
        /// What may be a mistake and does no harm, in whole sentences.
        package var warnings: [String] = []
        var sources: [String: String] = [:]

        /// The configuration as a YAML file with every setting explained.
        package var yaml: String {
            var text = "# Settings of `skein serve`: defaults < this file < environment < flags.\n"
            var isListening = false
            for setting in Setting.all {
                let parts = setting.key.split(separator: ".", maxSplits: 1)
                let indent = parts.count == 2 ? "  " : ""
                text += "\n"
                if parts.count == 2, !isListening { text += "\(parts[0]):\n" }
                isListening = parts.count == 2
                for line in Self.wrap(setting.help, width: 100) { text += "\(indent)# \(line)\n" }
                text += "\(indent)# Takes \(setting.form).\n"
                text += "\(indent)# Flag \(setting.flag), variable \(setting.variable), default "
                text += "\(setting.defaultText.isEmpty ? "empty" : setting.defaultText)"
                text += sources[setting.key].map { "; set by \($0).\n" } ?? ".\n"
                let value = setting.text(in: configuration)
                text += "\(indent)\(parts.last ?? ""): \(value.isEmpty ? "\"\"" : value)\n"
            }
            return text
        }

        private static func wrap(_ text: String, width: Int) -> [String] {
            var lines = [""]
            for word in text.split(separator: " ") {
                if lines[lines.count - 1].count + word.count >= width { lines.append("") }
                lines[lines.count - 1] += (lines[lines.count - 1].isEmpty ? "" : " ") + word
            }
            return lines
        }
    }

    /// The environment belongs to others too, so that an unknown name there is only worth a word.
    private var unknownVariables: [String] {
        let known = Setting.all.map(\.variable)
        return environment.keys.filter { $0.hasPrefix("SKEIN_") && !known.contains($0) }.sorted().compactMap { name in
            ConfigurationError.nearest(to: name, among: known).map {
                "\(name) in the environment is no setting and is ignored: did you mean \($0)?"
            }
        }
    }

    private static func configKey(_ key: String) -> ConfigKey { ConfigKey(key.split(separator: ".").map(String.init)) }

    private static func provider(_ name: String, _ values: [String: String]) -> InMemoryProvider {
        InMemoryProvider(
            name: name,
            values: Dictionary(
                uniqueKeysWithValues: values.map {
                    (AbsoluteConfigKey(configKey($0.key)), ConfigValue(.string($0.value), isSecret: false))
                }
            )
        )
    }

    private static func byKey(_ environment: [String: String]) -> [String: String] {
        var values: [String: String] = [:]
        for setting in Setting.all { values[setting.key] = environment[setting.variable] }
        return values
    }

    private static func refuseUnknown(
        _ names: [String],
        known: [String],
        of source: String
    ) throws(ConfigurationError) {
        for name in names.sorted() where !known.contains(name) {
            let hint = ConfigurationError.nearest(to: name, among: known).map { ": did you mean \($0)?" } ?? ""
            throw ConfigurationError(
                "\(name) in \(source) is no setting\(hint.isEmpty ? ": see skein serve --print-config" : hint)"
            )
        }
    }

    private static func read(_ path: String) throws(ConfigurationError) -> [String: String] {
        let root: Node?
        let text = try text(of: path)
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            throw ConfigurationError("the configuration file \(path) is no YAML: \(error)")
        }
        var values: [String: String] = [:]
        if let root { try flatten(root, [], path, into: &values) }
        try refuseUnknown(Array(values.keys), known: Setting.all.map(\.key), of: path)
        return values
    }

    static func text(of path: String) throws(ConfigurationError) -> String {
        do {
            return try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            let cause = (error as? CocoaError)?.underlying as? POSIXError
            let reason = cause.map { String(cString: strerror($0.code.rawValue)) } ?? "it is no UTF-8 text"
            throw ConfigurationError("the configuration file \(path) cannot be read: \(reason)")
        }
    }

    /// Scalars keep their text: YAML would make a boolean of `off`.
    private static func flatten(
        _ node: Node,
        _ path: [String],
        _ file: String,
        into values: inout [String: String]
    ) throws(ConfigurationError) {
        switch node {
        case .scalar(let scalar) where path.isEmpty && scalar.string.isEmpty: break
        case .scalar(let scalar) where !path.isEmpty: values[path.joined(separator: ".")] = scalar.string
        case .mapping(let mapping) where path.count < 4:
            for (key, value) in mapping { try flatten(value, path + [key.string ?? ""], file, into: &values) }
        default:
            let place = path.isEmpty ? "the top" : path.joined(separator: ".")
            throw ConfigurationError("\(place) of \(file) is neither text nor a mapping")
        }
    }
}

extension ServerConfiguration {
    /// What no single setting can see.
    func check() throws(ConfigurationError) {
        guard !listeners.isEmpty else { throw ConfigurationError("every listener is off: leave at least one on") }
        let most = MemoryPlan.requestBytesMax(of: memoryBytes)
        guard requestBytesMax <= most else {
            throw ConfigurationError(
                "request-bytes-max is \(Quantity.text(requestBytesMax)), but memory is \(Quantity.text(memoryBytes)), with "
                    + "which a request may have \(most >> 20)MiB at most: raise memory or lower request-bytes-max"
            )
        }
        if let after = storedSamplingAfter, let longest = longestRetention, after >= longest {
            let name = lateSampling == nil ? "spans_after of session_sampling" : "late-sampling-after"
            throw ConfigurationError(
                "\(name) is \(Quantity.text(after)), but retention is \(Quantity.text(longest)) at most, so that nothing would "
                    + "be left to sample: raise retention or lower \(name)"
            )
        }
        guard !insecureNoAuth else { return }
        for (name, address) in listeners.sorted(by: { $0.key.rawValue < $1.key.rawValue }) where !address.isLoopback {
            throw ConfigurationError(
                "listener \(name.rawValue) on \(address) could be reached from other machines, and Skein does not ask who "
                    + "they are: bind 127.0.0.1, or say --insecure-no-auth when the network is trusted"
            )
        }
    }

    /// How long the last spans are kept, by age or by a rule; `nil` when some are for ever.
    private var longestRetention: Duration? {
        guard var longest = retention else { return nil }
        for rule in retentionRules.map(\.rule) {
            guard let age = rule.ageNanos else { return nil }
            longest = max(longest, .seconds(Int64(age / 1_000_000_000)))
        }
        return longest
    }
}
