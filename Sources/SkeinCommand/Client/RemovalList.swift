// SPDX-License-Identifier: Apache-2.0

/// The record of removals, newest first, as far as it is listed.
struct RemovalList: Decodable {
    var removals: [Removal]
    var next: String?

    struct Removal: Decodable {
        var number: Int
        var action: String
        var keys: [String]?
        var q: String
        var by: String
        var startUnixNano: String?
        var endUnixNano: String?
        var requestedUnixNano: String
        var finishedUnixNano: String?
        var failure: String?
        var traces: Int
        var spans: Int

        /// What became of it: `done`, `failed`, or `not finished` when it is under way or was at a stop.
        var state: String { failure != nil ? "failed" : finishedUnixNano != nil ? "done" : "not finished" }

        /// The condition, the keys of a redaction, and the limits of time.
        var subject: String {
            var text = q
            if let keys { text += "; keys \(keys.joined(separator: ", "))" }
            if let startUnixNano { text += "; from \(Self.time(startUnixNano))" }
            if let endUnixNano { text += "; to \(Self.time(endUnixNano))" }
            return text
        }

        private static func time(_ unixNano: String) -> String { Figures.time(UInt64(unixNano) ?? 0) }
    }

    /// A row for each removal, then why some failed.
    func lines(on terminal: Terminal) -> [String] {
        var table = Table([
            .init(title: "NO.", alignment: .right), .init(title: "WHEN (UTC)"), .init(title: "ACTION"),
            .init(title: "STATE"), .init(title: "TRACES", alignment: .right), .init(title: "SPANS", alignment: .right),
            .init(title: "BY", isElastic: true), .init(title: "WHAT", isElastic: true),
        ])
        for removal in removals {
            let style: Terminal.Style = removal.state == "done" ? .plain : removal.failure == nil ? .warning : .error
            table.add([
                .init("\(removal.number)"),
                .init(Figures.time(UInt64(removal.requestedUnixNano) ?? 0), .dim),
                .init(removal.action),
                .init(removal.state, style),
                .init(Figures.count(removal.traces)),
                .init(Figures.count(removal.spans)),
                .init(removal.by),
                .init(removal.subject),
            ])
        }
        let failures = removals.compactMap { removal in
            removal.failure.map { "Removal \(removal.number) failed: \(TerminalText.harmless($0))" }
        }
        return table.lines(on: terminal) + failures
    }
}
