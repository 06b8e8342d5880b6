// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation

/// `skein usage`: what each service takes of the store.
struct Usage: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show how many spans and bytes each service takes, most first.",
        discussion: """
            The bytes of a block are shared out among its services by spans. Spans that are in memory count as what they \
            will take in a block.
            """
    )

    @Argument(help: "Only these services; all when left out.")
    var services: [String] = []

    @Flag(help: "Print the server's answer as it is.")
    var json = false

    @OptionGroup var address: ServerAddress

    func run() async throws {
        try await reportingFailures {
            let path = "/api/skein/v1/usage"
            let body = try await ServerClient(address.server).get(path, services.map { ("service", $0) })
            if json { return CommandOutput.write(body + Data("\n".utf8)) }
            show(try ServerClient.decode(Answer.self, body, from: path), on: .standardOutput())
        }
    }

    private func show(_ answer: Answer, on terminal: Terminal) {
        guard !answer.services.isEmpty else {
            if !services.isEmpty { return CommandOutput.note("No span of such a service is stored.") }
            return CommandOutput.note("No service has sent a span yet. `skein load` sends some.")
        }
        let total = answer.services.reduce(0) { $0 + $1.bytes }
        var table = Table([
            .init(title: "SERVICE", isElastic: true), .init(title: "SPANS", alignment: .right),
            .init(title: "BYTES", alignment: .right), .init(title: "SHARE", alignment: .right),
        ])
        for service in answer.services {
            let share = Double(service.bytes) / Double(max(total, 1)) * 100
            table.add([
                .init(service.name.map { $0.isEmpty ? "(no service name)" : $0 } ?? "(all other services)"),
                .init(Figures.count(service.spans)),
                .init(Figures.bytes(UInt64(max(service.bytes, 0)))),
                .init(String(format: "%.1f %%", share), .dim),
            ])
        }
        if answer.next == nil {
            table.add([
                .init("total", .bold), .init(Figures.count(answer.services.reduce(0) { $0 + $1.spans })),
                .init(Figures.bytes(total)), .init("", .dim),
            ])
        }
        CommandOutput.write(table.lines(on: terminal))
        if answer.next != nil {
            CommandOutput.note("There are more than these \(Figures.count(answer.services.count)).")
        }
    }

    private struct Answer: Decodable {
        var services: [Service]
        var next: String?

        struct Service: Decodable {
            /// Empty for spans without one; `nil` for services beyond those that are told apart.
            var name: String?
            var spans: Int
            var bytes: Int
        }
    }
}
