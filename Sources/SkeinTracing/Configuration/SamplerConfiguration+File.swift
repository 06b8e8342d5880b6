// SPDX-License-Identifier: Apache-2.0
import Tracing

extension SamplerConfiguration {
    /// `nil` for what is no sampler.
    init?(_ part: FileReader.Part, _ reader: inout FileReader) {
        let known = [
            "always_on", "always_off", "trace_id_ratio_based", "probability", "parent_based", "jaeger_remote",
            "composite",
        ]
        guard let choice = reader.choice(part, of: known) else { return nil }
        switch choice.name {
        case "composite":
            guard let read = ComposableConfiguration(choice, &reader) else { return nil }
            self = .composite(read)
        case "jaeger_remote": self = Self.jaegerRemote(choice, &reader)
        case "parent_based": self = Self.parentBased(choice, &reader)
        case "probability": self = .probability(choice.ratio(&reader))
        case "trace_id_ratio_based": self = .traceIDRatio(choice.ratio(&reader))
        case "always_off": self = .alwaysOff
        default: self = .alwaysOn
        }
    }

    private static func parentBased(_ choice: FileReader.Part, _ reader: inout FileReader) -> SamplerConfiguration {
        let slots = [
            "remote_parent_sampled", "remote_parent_not_sampled", "local_parent_sampled", "local_parent_not_sampled",
        ]
        let parts = reader.map(choice, known: ["root"] + slots)
        let read = slots.map { slot in parts[slot].flatMap { Self($0, &reader) } }
        return .parentBased(
            root: parts["root"].flatMap { Self($0, &reader) } ?? .alwaysOn,
            remoteParentSampled: read[0],
            remoteParentNotSampled: read[1],
            localParentSampled: read[2],
            localParentNotSampled: read[3]
        )
    }

    private static func jaegerRemote(_ choice: FileReader.Part, _ reader: inout FileReader) -> SamplerConfiguration {
        guard case .jaegerRemote(var endpoint, var interval, var initial) = Self.jaegerRemote else { return .alwaysOn }
        let parts = reader.map(choice, known: ["endpoint", "interval", "initial_sampler"])
        reader.read(parts["endpoint"], as: .endpoint(.http), into: &endpoint)
        reader.read(parts["interval"], as: .milliseconds, into: &interval)
        if let part = parts["initial_sampler"], let read = Self(part, &reader) { initial = read }
        return .jaegerRemote(endpoint: endpoint, pollingInterval: interval, initial: initial)
    }
}

extension FileReader.Part {
    /// The share of a sampler.
    fileprivate func ratio(_ reader: inout FileReader) -> Double {
        var ratio = 1.0
        reader.read(reader.map(self, known: ["ratio"])["ratio"], as: .ratio, into: &ratio)
        return ratio
    }
}

extension ComposableConfiguration {
    /// `nil` for what is no sampler.
    fileprivate init?(_ part: FileReader.Part, _ reader: inout FileReader) {
        let known = ["always_on", "always_off", "probability", "parent_threshold", "rule_based"]
        guard let choice = reader.choice(part, of: known) else { return nil }
        switch choice.name {
        case "always_off": self = .alwaysOff
        case "probability": self = .probability(choice.ratio(&reader))
        case "parent_threshold":
            let root = reader.map(choice, known: ["root"])["root"]
            self = .parentThreshold(root: root.flatMap { Self($0, &reader) } ?? .alwaysOn)
        case "rule_based":
            let list = reader.map(choice, known: ["rules"])["rules"]
            self = .rules(reader.list(list).compactMap { SamplingRule($0, &reader) })
        default: self = .alwaysOn
        }
    }
}

extension SamplingRule {
    /// `nil` where it has no sampler, or asks for what cannot be read: it would fit more than was meant.
    fileprivate init?(_ part: FileReader.Part, _ reader: inout FileReader) {
        let problemCount = reader.problems.count
        let parts = reader.map(
            part,
            known: ["attribute_values", "attribute_patterns", "span_kinds", "parent", "sampler"]
        )
        guard let sampler = parts["sampler"].flatMap({ ComposableConfiguration($0, &reader) }) else {
            if reader.problems.count == problemCount { reader.report(part, "it has no sampler") }
            return nil
        }
        self.init(sampler: sampler)
        if let test = parts["attribute_values"] {
            let fields = reader.map(test, known: ["key", "values"])
            attributes.append(
                AttributeTest(key: reader.text(fields["key"]) ?? "", values: reader.texts(fields["values"]) ?? [])
            )
        }
        if let test = parts["attribute_patterns"] {
            let fields = reader.map(test, known: ["key", "included", "excluded"])
            attributes.append(
                AttributeTest(
                    key: reader.text(fields["key"]) ?? "",
                    patterns: NameFilter(
                        included: reader.texts(fields["included"]),
                        excluded: reader.texts(fields["excluded"]) ?? []
                    )
                )
            )
        }
        for element in reader.list(parts["span_kinds"]) {
            if let name = reader.choice(element, of: Self.kinds.map(\.name))?.name,
                let kind = Self.kinds.first(where: { $0.name == name })?.kind
            {
                kinds.insert(kind)
            }
        }
        for element in reader.list(parts["parent"]) {
            let name = reader.choice(element, of: Parent.allCases.map(\.rawValue))?.name
            if let parent = name.flatMap(Parent.init(rawValue:)) { parents.insert(parent) }
        }
        if attributes.contains(where: \.key.isEmpty) { reader.report(part, "it asks for an attribute without a key") }
        guard reader.problems.count == problemCount else { return nil }
    }

    private static let kinds: [(name: String, kind: SpanKind)] = [
        ("internal", .internal), ("server", .server), ("client", .client), ("producer", .producer),
        ("consumer", .consumer),
    ]
}
