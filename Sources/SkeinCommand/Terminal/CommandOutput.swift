// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation

/// Where commands write. Answers go to standard output, everything else to standard error.
enum CommandOutput {
    static func write(_ lines: [String]) {
        guard !lines.isEmpty else { return }
        write(Data((lines.joined(separator: "\n") + "\n").utf8))
    }

    /// Bytes as they are. A reader that has gone (`skein query | head`) ends the command quietly.
    static func write(_ data: Data) {
        do {
            try FileHandle.standardOutput.write(contentsOf: data)
        } catch {
            exit(0)
        }
    }

    /// A line of a server, which goes on when nobody reads it.
    static func announce(_ line: String) { try? FileHandle.standardOutput.write(contentsOf: Data((line + "\n").utf8)) }
    /// A value as JSON, its members sorted.
    static func write(json value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        write(try encoder.encode(value) + Data("\n".utf8))
    }

    /// A line for people beside the answer.
    static func note(_ line: String) { try? FileHandle.standardError.write(contentsOf: Data((line + "\n").utf8)) }

    /// Writes over the last progress line; only for a terminal.
    static func progress(_ line: String) {
        try? FileHandle.standardError.write(contentsOf: Data("\r\u{1b}[K\(line)".utf8))
    }
}

/// Why a command could not do what it was asked, and the exit code that says so.
struct CommandFailure: Error, CustomStringConvertible {
    /// Whole sentences.
    var description: String
    /// 1: not done; 2: the query is wrong.
    var exitCode: Int32 = 1
    /// What the server said about it.
    var problem: Problem?
    /// The HTTP status of the server's answer, when there was one.
    var status: Int?
}

extension AsyncParsableCommand {
    /// Runs `body` and turns its failure into a message on standard error and an exit code.
    func reportingFailures(
        as name: String = Self._commandName,
        _ body: () async throws -> Void
    ) async throws {
        do {
            try await body()
        } catch let failure as CommandFailure {
            CommandOutput.note("skein \(name): \(failure.description)")
            throw ExitCode(failure.exitCode)
        }
    }
}
