// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import SkeinBase

/// `skein services`: lists the services, or what one of them does.
struct Services: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the services that sent spans, or the operations of one of them."
    )

    @Argument(help: "A service, to list its operations.")
    var service: String?

    @Flag(help: "Print the server's answer as it is.")
    var json = false

    @OptionGroup var address: ServerAddress

    func run() async throws {
        try await reportingFailures {
            let client = try ServerClient(address.server)
            let terminal = Terminal.standardOutput()
            guard let service else {
                let path = "/api/skein/v1/services"
                let body = try await client.get(path)
                if json { return CommandOutput.write(body + Data("\n".utf8)) }
                return show(try ServerClient.decode(ServicesAnswer.self, body, from: path), on: terminal)
            }
            let path = "/api/skein/v1/services/\(ServerClient.encoded(service))/operations"
            let body = try await client.get(path)
            if json { return CommandOutput.write(body + Data("\n".utf8)) }
            let answer = try ServerClient.decode(OperationsAnswer.self, body, from: path)
            guard !answer.operations.isEmpty else { throw try await unknown(service, client) }
            show(answer, on: terminal)
        }
    }

    /// What to say of a service of which nothing is stored.
    private func unknown(_ service: String, _ client: ServerClient) async throws(CommandFailure) -> CommandFailure {
        let known = try await client.get(ServicesAnswer.self, "/api/skein/v1/services").services.map(\.name)
        let near = Spelling.nearest(to: service, among: known).map { "did you mean \($0)?" }
        let rest = near ?? "`skein services` lists those that sent one."
        let text = "No span of a service \(service) is stored; \(rest)"
        return CommandFailure(description: TerminalText.harmless(text))
    }

    private func show(_ answer: ServicesAnswer, on terminal: Terminal) {
        guard !answer.services.isEmpty else {
            return CommandOutput.note("No service has sent a span yet. `skein load` sends some.")
        }
        let dot = terminal.hasUnicode ? "●" : "*"
        CommandOutput.write(
            answer.services.map {
                "\(terminal.styled(dot, .service(max($0.color, 0)))) \(TerminalText.harmless($0.name))"
            }
        )
        if answer.next != nil { noteMore(answer.services.count) }
    }

    private func show(_ answer: OperationsAnswer, on terminal: Terminal) {
        var table = Table([.init(title: "OPERATION", isElastic: true), .init(title: "KIND")])
        for operation in answer.operations { table.add([.init(operation.name), .init(operation.kind, .dim)]) }
        CommandOutput.write(table.lines(on: terminal))
        if answer.next != nil { noteMore(answer.operations.count) }
    }

    private func noteMore(_ count: Int) { CommandOutput.note("There are more than these \(Figures.count(count)).") }

    private struct ServicesAnswer: Decodable {
        var services: [Service]
        var next: String?
        struct Service: Decodable {
            var name: String
            var color: Int
        }
    }

    private struct OperationsAnswer: Decodable {
        var operations: [Operation]
        var next: String?
        struct Operation: Decodable {
            var name: String
            var kind: String
        }
    }
}
