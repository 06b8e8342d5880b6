// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation

/// `skein status`: what a server says of itself.
struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what a server holds, how long it keeps it, and how it does.",
        discussion: "Exit code 1 when the server tells of problems. `skein doctor` looks further."
    )

    @Flag(help: "Print the server's answer as it is.")
    var json = false

    @OptionGroup var address: ServerAddress

    func run() async throws {
        try await reportingFailures {
            let client = try ServerClient(address.server)
            let body = try await client.get(ServerStatusAnswer.path)
            let answer = try ServerClient.decode(ServerStatusAnswer.self, body, from: ServerStatusAnswer.path)
            if json {
                CommandOutput.write(body + Data("\n".utf8))
            } else {
                CommandOutput.write(Self.lines(answer, of: client.server, on: .standardOutput()))
            }
            if !answer.problems.isEmpty { throw ExitCode.failure }
        }
    }

    static func lines(_ answer: ServerStatusAnswer, of server: String, on terminal: Terminal) -> [String] {
        func row(_ subject: String, _ text: String, _ style: Terminal.Style = .plain) -> String {
            terminal.styled(TerminalText.fitted(subject, 12), .dim)
                + terminal.styled(TerminalText.harmless(text), style)
        }
        func time(_ text: String?) -> String { text.flatMap { UInt64($0) }.map(Figures.time) ?? "" }
        var lines = [row("server", "Skein \(answer.version) at \(server)")]
        if let folder = answer.dataDirectory { lines.append(row("data folder", folder)) }
        let span = "\(Figures.count(answer.spans, "span")) stored"
        let range = "\(time(answer.oldestTimeUnixNano)) to \(time(answer.newestTimeUnixNano)) UTC"
        lines.append(row("spans", answer.spans > 0 ? "\(span), \(range)" : span))
        for listener in answer.listeners { lines.append(row("listener", "\(listener.name) \(listener.address)")) }
        lines.append(row("retention", age(answer.retention.ageSeconds)))
        if let bytes = answer.retention.bytes {
            lines.append(row("retention", "at most \(Figures.bytes(bytes)) on the disk"))
        }
        for (index, rule) in (answer.retention.rules ?? []).enumerated() {
            lines.append(row("rule \(index + 1)", "\(age(rule.ageSeconds)): \(rule.q)"))
        }
        lines.append(row("health", answer.health, answer.problems.isEmpty ? .good : .error))
        return lines + answer.problems.map { row("problem", $0, .error) }
    }

    private static func age(_ seconds: UInt64?) -> String {
        seconds.map { "kept for \(Figures.duration($0.multipliedReportingOverflow(by: 1_000_000_000).partialValue))" }
            ?? "kept for ever"
    }
}
