// SPDX-License-Identifier: Apache-2.0
import Logging
import SkeinModel
import SkeinRecording

extension TracingConfiguration {
    /// Most bytes of the file.
    static let fileByteCountMax = 1 << 20

    /// Takes over what the text of a file says (opentelemetry-configuration 0.4 and 1.0). A section that is there replaces what
    /// was said before; of a file that is no YAML nothing is taken.
    mutating func take(_ text: String, path: String, environment: [String: String]) -> [ConfigurationProblem] {
        var reader = FileReader(path: path)
        var tree = ConfigurationTree(environment: environment)
        do throws(ConfigurationTree.Failure) {
            let root = try tree.read(text)
            for fault in tree.faults {
                reader.report(line: fault.line, "a value", "it \(fault.reason)", instead: "it is empty")
            }
            take(FileReader.Part(name: "the file", node: root, line: root.line), &reader)
        } catch {
            reader.report(line: error.line, "the whole file", error.reason)
        }
        return reader.problems
    }

    /// The file may have parts of others, such as `meter_provider`.
    private mutating func take(_ root: FileReader.Part, _ reader: inout FileReader) {
        let sections = [
            "file_format", "disabled", "log_level", "attribute_limits", "resource", "propagator", "tracer_provider",
        ]
        let parts = reader.map(root, known: sections + ["meter_provider", "logger_provider"], isOpen: true)
        checkFormat(parts["file_format"], root, &reader)
        reader.read(parts["disabled"], as: .boolean, into: &isDisabled)
        reader.read(parts["log_level"], as: .fileLogLevel, into: &logLevel)
        if let resource = parts["resource"] { takeResource(resource, &reader) }
        if let propagator = parts["propagator"] { takePropagator(propagator, &reader) }
        takeProvider(parts["tracer_provider"], general: parts["attribute_limits"], &reader)
    }

    private func checkFormat(_ part: FileReader.Part?, _ root: FileReader.Part, _ reader: inout FileReader) {
        guard let part, let text = reader.text(part) else {
            reader.report(
                line: root.line,
                "file_format",
                "it is missing: write file_format: \"1.0\"",
                instead: "1.0 is used"
            )
            return
        }
        let isKnown = text == "0.4" || text == "1" || text.hasPrefix("1.")
        if !isKnown { reader.report(part, value: text, "is not 0.4 or 1.0", instead: "the file is read as 1.0") }
    }

    private mutating func takePropagator(_ part: FileReader.Part, _ reader: inout FileReader) {
        let problemCount = reader.problems.count
        let parts = reader.map(part, known: ["composite", "composite_list"])
        let known = PropagatorFormat.allCases.map(\.rawValue)
        var formats: [PropagatorFormat] = []
        for element in reader.list(parts["composite"]) {
            if let choice = reader.choice(element, of: known), let format = PropagatorFormat(rawValue: choice.name) {
                formats.append(format)
            }
        }
        if let list = parts["composite_list"], let text = reader.text(list) {
            let names = text.split(separator: ",").map { KeyValueList.trimmed($0).lowercased() }
            for name in names where !name.isEmpty && name != "none" {
                let form = ValueForm<PropagatorFormat>.choice
                if let format = form.parse(name) {
                    formats.append(format)
                } else {
                    reader.report(list, value: name, form.reason(name))
                }
            }
        }
        // What cannot be read leaves what was there.
        if !formats.isEmpty || reader.problems.count == problemCount { propagators = formats.uniqued }
    }

    private mutating func takeProvider(
        _ part: FileReader.Part?,
        general: FileReader.Part?,
        _ reader: inout FileReader
    ) {
        let parts = part.map {
            reader.map($0, known: ["processors", "limits", "sampler", "tracer_configurator", "id_generator"])
        }
        // What is no map is no section.
        if let part, case .map = part.node.content {
            let standard = TracingConfiguration()
            (processors, limits, sampler) = (standard.processors, standard.limits, standard.sampler)
        }
        limits.take(parts?["limits"], general: general, &reader)
        guard let parts else { return }
        if let list = parts["processors"] {
            let problemCount = reader.problems.count
            let read = reader.list(list).compactMap { SpanProcessorConfiguration($0, &reader) }
            if !read.isEmpty || reader.problems.count == problemCount { processors = read }
        }
        if let part = parts["sampler"], let read = SamplerConfiguration(part, &reader) { sampler = read }
        for name in ["tracer_configurator", "id_generator"] {
            if let other = parts[name] { reader.report(other, "it is not supported") }
        }
    }
}

extension Array where Element: Hashable {
    /// Each once, where it stands for the first time.
    var uniqued: [Element] {
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}

extension ValueForm where Value == Logger.Level {
    /// The levels of OpenTelemetry, of which each has four shades (`warn`, `warn2`, …).
    fileprivate static var fileLogLevel: Self {
        let plain = logLevel
        return Self(
            expected: plain.expected,
            parse: { text in
                plain.parse(text)
                    ?? (["2", "3", "4"].contains { text.hasSuffix($0) } ? plain.parse(String(text.dropLast())) : nil)
            },
            show: plain.show,
            words: plain.words
        )
    }
}

extension SpanLimits {
    /// What is said of spans wins over what is said of all; what the latter does not say is as the specification says.
    fileprivate mutating func take(_ part: FileReader.Part?, general: FileReader.Part?, _ reader: inout FileReader) {
        if general != nil {
            let standard = SpanLimits()
            attributeCount = standard.attributeCount
            attributeValueLength = standard.attributeValueLength
        }
        let common = ["attribute_count_limit", "attribute_value_length_limit"]
        let own = [
            "event_count_limit", "link_count_limit", "event_attribute_count_limit", "link_attribute_count_limit",
        ]
        for (part, known) in [(general, common), (part, common + own)] {
            guard let part else { continue }
            let parts = reader.map(part, known: known)
            reader.read(parts["attribute_count_limit"], as: .limit, into: &attributeCount)
            reader.read(parts["attribute_value_length_limit"], as: .limit, into: &attributeValueLength)
            reader.read(parts["event_count_limit"], as: .limit, into: &eventCount)
            reader.read(parts["link_count_limit"], as: .limit, into: &linkCount)
            reader.read(parts["event_attribute_count_limit"], as: .limit, into: &attributeCountPerEvent)
            reader.read(parts["link_attribute_count_limit"], as: .limit, into: &attributeCountPerLink)
        }
    }
}
