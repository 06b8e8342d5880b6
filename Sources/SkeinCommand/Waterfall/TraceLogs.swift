// SPDX-License-Identifier: Apache-2.0

/// Log records of a trace, a line each: when, how severe, which service, and what.
struct TraceLogs: Decodable {
    var resources: [Resource]
    var logs: [Entry]
    var truncated: Bool

    struct Resource: Decodable { var attributes: [Attribute]? }

    struct Entry: Decodable {
        var resource: Int
        var logRecord: Record
    }

    /// OTLP's `LogRecord`, as far as it is shown.
    struct Record: Decodable {
        var timeUnixNano: String
        var severityNumber: Int?
        var severityText: String?
        var eventName: String?
        var body: Value?
        var attributes: [Attribute]?
    }

    struct Attribute: Decodable {
        var key: String
        var value: Value?
    }

    /// OTLP's `AnyValue`, as text.
    struct Value: Decodable {
        var text: String

        private enum Key: String, CodingKey, CaseIterable {
            case stringValue, boolValue, intValue, doubleValue, bytesValue, arrayValue, kvlistValue
        }

        private struct Values: Decodable { var values: [Value]? }
        private struct Pairs: Decodable { var values: [Attribute]? }

        init(from decoder: any Decoder) throws {
            let form = try decoder.container(keyedBy: Key.self)
            if let text = try? form.decode(String.self, forKey: .stringValue) {
                self.text = text
            } else if let pairs = try? form.decode(Pairs.self, forKey: .kvlistValue) {
                text = TraceLogs.text(of: pairs.values)
            } else if let list = try? form.decode(Values.self, forKey: .arrayValue) {
                text = "[" + (list.values ?? []).map(\.text).joined(separator: ", ") + "]"
            } else if let flag = try? form.decode(Bool.self, forKey: .boolValue) {
                text = "\(flag)"
            } else {
                let number = try? form.decode(Double.self, forKey: .doubleValue)
                let other = [Key.intValue, .doubleValue, .bytesValue].lazy.compactMap { key in
                    try? form.decode(String.self, forKey: key)
                }
                text = number.map { "\($0)" } ?? other.first ?? ""
            }
        }
    }

    private static func text(of pairs: [Attribute]?) -> String {
        (pairs ?? []).map { "\($0.key)=\($0.value?.text ?? "")" }.joined(separator: " ")
    }

    /// One line for each record; `startUnixNanos` is the trace's beginning.
    func lines(startUnixNanos: UInt64, on terminal: Terminal) -> [String] {
        guard !logs.isEmpty else { return ["", "No log record of this trace is stored."] }
        let rows = logs.map { row($0, startUnixNanos, terminal) }
        let width = rows.map(\.when.count).max() ?? 0
        let lines = rows.map { row in
            String(repeating: " ", count: width - row.when.count) + row.when + "  " + row.rest
        }
        return [""] + lines + (truncated ? ["There are more log records: ask the API, or for one span."] : [])
    }

    private func row(_ entry: Entry, _ start: UInt64, _ terminal: Terminal) -> (when: String, rest: String) {
        let record = entry.logRecord
        let time = UInt64(record.timeUnixNano) ?? 0
        let when = time >= start ? "+\(Figures.duration(time - start))" : "-\(Figures.duration(start - time))"
        let severity = (record.severityText?.isEmpty == false ? record.severityText : nil) ?? Self.word(record)
        let isError = (record.severityNumber ?? 0) >= 17
        let service =
            resources.indices.contains(entry.resource)
            ? resources[entry.resource].attributes?.first { $0.key == "service.name" }?.value?.text : nil
        let words = [record.eventName, record.body?.text, Self.text(of: record.attributes)]
            .compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: "  ")
        let level = terminal.styled(TerminalText.harmless(severity), isError ? .error : .dim)
        return (when, "\(level)  \(TerminalText.harmless(service ?? "-"))  \(TerminalText.harmless(words))")
    }

    /// The severity in a word, by its number.
    private static func word(_ record: Record) -> String {
        let words = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"]
        guard let number = record.severityNumber, (1...24).contains(number) else { return "-" }
        return words[(number - 1) / 4]
    }
}
