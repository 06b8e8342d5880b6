// SPDX-License-Identifier: Apache-2.0

/// Why a trace failed: the failed spans below which nothing else failed, and what they say of it.
struct FailureCauses {
    private let trace: TraceSkeleton
    private let rows: [Int]

    /// Causes that are shown.
    private static let shownMax = 10

    /// The causes in `trace`, which must be sound; the earliest ones when there are many.
    init(_ trace: TraceSkeleton) {
        self.trace = trace
        var hasFailedChild = [Bool](repeating: false, count: trace.spans.id.count)
        for row in trace.spans.id.indices where trace.spans.status[row] == 2 && trace.spans.parent[row] >= 0 {
            hasFailedChild[trace.spans.parent[row]] = true
        }
        rows = Array(
            trace.spans.id.indices.lazy.filter { trace.spans.status[$0] == 2 && !hasFailedChild[$0] }
                .prefix(Self.shownMax)
        )
    }

    /// Span ids to ask the server about.
    var ids: [String] { rows.map { trace.spans.id[$0] } }

    /// One line for each cause that says something.
    func lines(_ answer: Answer, on terminal: Terminal) -> [String] {
        var lines: [String] = []
        let glyphs = terminal.hasUnicode ? Glyphs.unicode : Glyphs.ascii
        for row in rows {
            guard let message = answer.spans.first(where: { $0.span.spanId == trace.spans.id[row] })?.span.message
            else {
                continue
            }
            let service = trace.services[trace.spans.service[row]]
            let name = "\(service.name) \(trace.operations[trace.spans.operation[row]])"
            lines.append(
                terminal.styled("\(glyphs.error) ", .error)
                    + terminal.styled(TerminalText.harmless(name), .service(service.color)) + "  "
                    + TerminalText.harmless(message)
            )
        }
        return lines.isEmpty ? [] : [""] + lines
    }

    /// The answer of `GET /api/skein/v1/traces/{id}/spans`, as far as it says why.
    struct Answer: Decodable {
        var spans: [Entry]

        struct Entry: Decodable {
            var span: Span
        }

        struct Span: Decodable {
            var spanId: String
            var status: Status?
            var events: [Event]?

            /// The exception that was recorded last, or else the message of the status.
            var message: String? {
                let exception = events?.last { $0.name == "exception" }
                let parts = ["exception.type", "exception.message"].compactMap { key in
                    exception?.attributes?.first { $0.key == key }?.value?.stringValue
                }
                if !parts.isEmpty { return parts.joined(separator: ": ") }
                return status?.message.flatMap { $0.isEmpty ? nil : $0 }
            }
        }

        struct Status: Decodable {
            var message: String?
        }

        struct Event: Decodable {
            var name: String?
            var attributes: [Attribute]?
        }

        struct Attribute: Decodable {
            var key: String
            var value: Value?
        }

        struct Value: Decodable {
            var stringValue: String?
        }
    }
}
