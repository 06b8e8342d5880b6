// SPDX-License-Identifier: Apache-2.0

/// Variables of the environment, and what is wrong with them. An empty one is as one that is not set (OpenTelemetry
/// environment variables, "Parsing Empty Value").
struct EnvironmentReader {
    let environment: [String: String]
    private(set) var problems: [ConfigurationProblem] = []

    init(_ environment: [String: String]) { self.environment = environment }

    /// Without blanks around it; `nil` when it is not set or empty.
    func text(_ name: String) -> String? {
        let text = environment[name].map { String(KeyValueList.trimmed($0)) }
        return text?.isEmpty == false ? text : nil
    }

    /// Sets `value` to that of the first of `names` that is set and can be read.
    mutating func read<Value>(_ names: String..., as form: ValueForm<Value>, into value: inout Value) {
        var unreadable: [(name: String, text: String)] = []
        for name in names {
            guard let text = text(name) else { continue }
            if let read = form.parse(text) {
                value = read
                break
            }
            unreadable.append((name, text))
        }
        for (name, text) in unreadable {
            report(
                name,
                value: form.isSecret ? nil : text,
                form.reason(text),
                instead: "\(form.show(value)) is used"
            )
        }
    }

    /// A list, without blanks around its members and without empty ones; `nil` when it is not set or empty.
    func list(_ name: String) -> [String]? {
        let list = text(name)?.split(separator: ",").map { String(KeyValueList.trimmed($0)) }.filter { !$0.isEmpty }
        return list?.isEmpty == false ? list : nil
    }

    /// A list of words, each once. `none` alone makes an empty one. `nil` when it is not set, or no word of it is known.
    mutating func words<Value: Equatable>(_ name: String, as form: ValueForm<Value>, instead: String) -> [Value]? {
        guard let words = list(name) else { return nil }
        if words.count == 1, words[0].lowercased() == "none" { return [] }
        var values: [Value] = []
        var unknown: [String] = []
        for word in words {
            if let value = form.parse(word) {
                if !values.contains(value) { values.append(value) }
            } else {
                unknown.append(word)
            }
        }
        for word in unknown {
            let reason =
                word.lowercased() == "none" ? "stands alone or not at all" : form.reason(word) + ", none"
            report(name, value: word, reason, instead: values.isEmpty ? instead : "the others are used")
        }
        return values.isEmpty ? nil : values
    }

    /// Reports once what is wrong with a variable.
    mutating func report(_ name: String, value: String? = nil, _ reason: String, instead: String? = nil) {
        let problem = ConfigurationProblem(.environment, name, value: value, reason: reason, instead: instead)
        if !problems.contains(problem) { problems.append(problem) }
    }
}
