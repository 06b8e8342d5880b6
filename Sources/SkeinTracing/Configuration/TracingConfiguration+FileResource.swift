// SPDX-License-Identifier: Apache-2.0
import SkeinModel

extension TracingConfiguration {
    /// Attributes that the file names replace all that were named before; so do its detectors.
    mutating func takeResource(_ part: FileReader.Part, _ reader: inout FileReader) {
        let parts = reader.map(part, known: ["attributes", "attributes_list", "detection", "schema_url"])
        if parts["attributes"] != nil || parts["attributes_list"] != nil {
            resourceAttributes = attributes(parts, &reader)
            if let name = resourceAttributes["service.name"] {
                serviceName = nil
                if case .string(let text) = name, !text.isEmpty { serviceName = text }
            }
        }
        reader.read(parts["schema_url"], as: .text, into: &resourceSchemaURL)
        if let detection = parts["detection"] { takeDetection(detection, &reader) }
    }

    private func attributes(
        _ parts: [String: FileReader.Part],
        _ reader: inout FileReader
    ) -> [String: AttributeValue] {
        var attributes: [String: AttributeValue] = [:]
        if let list = parts["attributes_list"], let text = reader.text(list) {
            do throws(KeyValueList.Failure) {
                attributes = try Self.attributes(text)
            } catch {
                reader.report(list, error.reason, instead: "none of its attributes is set")
            }
        }
        for element in reader.list(parts["attributes"]) {
            let pair = reader.map(element, known: ["name", "value", "type"])
            guard let name = reader.text(pair["name"]), !name.isEmpty else {
                reader.report(element, "it has no name")
                continue
            }
            var type = AttributeType.string
            reader.read(pair["type"], as: .choice, into: &type)
            // A value that is null may come of a variable that is not set.
            if let part = pair["value"], let value = value(part, type, of: name, &reader) { attributes[name] = value }
        }
        return attributes
    }

    private enum AttributeType: String, CaseIterable {
        case string, bool, int, double
        case strings = "string_array"
        case bools = "bool_array"
        case ints = "int_array"
        case doubles = "double_array"

        /// Of one element.
        var element: AttributeType {
            switch self {
            case .string, .strings: .string
            case .bool, .bools: .bool
            case .int, .ints: .int
            case .double, .doubles: .double
            }
        }
    }

    private func value(
        _ part: FileReader.Part,
        _ type: AttributeType,
        of name: String,
        _ reader: inout FileReader
    ) -> AttributeValue? {
        guard type == type.element else {
            let elements = reader.list(part)
            let values = elements.compactMap { value($0, type.element, of: name, &reader) }
            return values.count == elements.count && !values.isEmpty ? .array(values) : nil
        }
        guard let text = reader.text(part, "one \(type.rawValue)") else { return nil }
        let scalar: AttributeValue? =
            switch type.element {
            case .bool: ValueForm<Bool>.boolean.parse(text).map(AttributeValue.bool)
            case .int: Int64(text).map(AttributeValue.int)
            case .double: Double(text).map(AttributeValue.double)
            default: .string(text)
            }
        if scalar == nil {
            reader.report(part, value: text, "is not of the type \(type.rawValue)", instead: "\(name) is not set")
        }
        return scalar
    }

    private mutating func takeDetection(_ part: FileReader.Part, _ reader: inout FileReader) {
        let parts = reader.map(part, known: ["attributes", "detectors"])
        if let filter = parts["attributes"] {
            let lists = reader.map(filter, known: ["included", "excluded"])
            detectedAttributes = NameFilter(
                included: reader.texts(lists["included"]),
                excluded: reader.texts(lists["excluded"]) ?? []
            )
        }
        guard let list = parts["detectors"] else { return }
        detectors = []
        let known = ResourceDetectorName.allCases.map(\.rawValue)
        for element in reader.list(list) {
            guard let choice = reader.choice(element, of: known),
                let detector = ResourceDetectorName(rawValue: choice.name)
            else { continue }
            detectors.insert(detector)
            // There `host` is what is known of its system too (opentelemetry-configuration 1.0, `HostResourceDetector`).
            if detector == .host { detectors.insert(.os) }
        }
    }
}
