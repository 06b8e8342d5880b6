// SPDX-License-Identifier: Apache-2.0

extension SamplerConfiguration {
    /// What `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG` say; `present` where they say nothing.
    init(_ reader: inout EnvironmentReader, instead present: SamplerConfiguration) {
        self = present
        guard reader.text(Self.variable) != nil else {
            if let argument = reader.text(Self.argument) {
                reader.report(Self.argument, value: argument, "belongs to \(Self.variable), which is not set")
            }
            return
        }
        var name: Name?
        let form = ValueForm<Name?>(
            expected: ValueForm<Name>.choice.expected,
            parse: { text in ValueForm<Name>.choice.parse(text).map(Optional.some) },
            show: { _ in "what was set before" },
            words: Name.allCases.map(\.rawValue)
        )
        reader.read(Self.variable, as: form, into: &name)
        guard let name else { return }
        let root = Self.root(name, &reader)
        self = name.rawValue.hasPrefix("parentbased") ? .parentBased(root: root) : root
    }

    private static let variable = "OTEL_TRACES_SAMPLER"
    private static let argument = "OTEL_TRACES_SAMPLER_ARG"

    /// The last four are Skein's own.
    private enum Name: String, CaseIterable {
        case on = "always_on"
        case off = "always_off"
        case ratio = "traceidratio"
        case parentBasedOn = "parentbased_always_on"
        case parentBasedOff = "parentbased_always_off"
        case parentBasedRatio = "parentbased_traceidratio"
        case jaegerRemote = "jaeger_remote"
        case parentBasedJaegerRemote = "parentbased_jaeger_remote"
        case probability
        case parentBasedProbability = "parentbased_probability"
        case rateLimiting = "ratelimiting"
        case parentBasedRateLimiting = "parentbased_ratelimiting"
    }

    private static func root(_ name: Name, _ reader: inout EnvironmentReader) -> SamplerConfiguration {
        switch name {
        case .on, .parentBasedOn: return .alwaysOn
        case .off, .parentBasedOff: return .alwaysOff
        case .ratio, .parentBasedRatio, .probability, .parentBasedProbability:
            var ratio = 1.0
            reader.read(argument, as: .ratio, into: &ratio)
            return [.ratio, .parentBasedRatio].contains(name) ? .traceIDRatio(ratio) : .probability(ratio)
        case .rateLimiting, .parentBasedRateLimiting:
            var rate = 1.0
            reader.read(argument, as: .positive, into: &rate)
            return .rateLimiting(tracesPerSecond: rate)
        case .jaegerRemote, .parentBasedJaegerRemote: return jaegerRemote(&reader)
        }
    }

    /// `endpoint=…,pollingIntervalMs=…,initialSamplingRate=…`
    private static func jaegerRemote(_ reader: inout EnvironmentReader) -> SamplerConfiguration {
        var parts: [String: String] = [:]
        for member in reader.list(argument) ?? [] {
            let pair = member.split(separator: "=", maxSplits: 1).map { String(KeyValueList.trimmed($0)) }
            guard pair.count == 2, keys.contains(pair[0]) else {
                reader.report(
                    argument,
                    value: member,
                    "is not one of \(keys.map { "\($0)=…" }.joined(separator: ", "))"
                )
                continue
            }
            parts[pair[0]] = pair[1]
        }
        guard case .jaegerRemote(var endpoint, var interval, _) = Self.jaegerRemote else { return Self.jaegerRemote }
        var rate = 0.001
        // The members, as if each were a variable.
        func read<Value>(_ key: String, as form: ValueForm<Value>, into value: inout Value) {
            guard let text = parts[key] else { return }
            if let read = form.parse(text) {
                value = read
            } else {
                reader.report(
                    argument,
                    value: "\(key)=\(text)",
                    form.reason(text),
                    instead: "\(form.show(value)) is used"
                )
            }
        }
        read(keys[0], as: .endpoint(.http), into: &endpoint)
        read(keys[1], as: .milliseconds, into: &interval)
        read(keys[2], as: .ratio, into: &rate)
        return .jaegerRemote(endpoint: endpoint, pollingInterval: interval, initial: .traceIDRatio(rate))
    }

    private static let keys = ["endpoint", "pollingIntervalMs", "initialSamplingRate"]
}
