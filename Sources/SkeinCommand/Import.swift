// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import SkeinWire

/// `skein import`: sends the traces of files to a server.
struct Import: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Send the traces of files to a server.",
        discussion: """
            Takes OTLP JSON, Jaeger JSON, Zipkin JSON and plain JSON of spans, as one document or as JSON lines, plain or \
            packed with gzip or zstd, and tells them apart by what is in them. Files may be of any size.

            Examples:
              skein import traces.json more.jsonl.gz
              skein import - --service shop < spans.jsonl
              skein import old/*.json --dry-run

            What cannot be read is left out, counted with its reason, and the rest is sent. Sending a file again stores \
            nothing twice. Exit codes: 0 when everything is stored; 1 when something was left out or refused, unless \
            --lenient says that what is left out is no failure.
            """
    )

    @Argument(help: ArgumentHelp("Files to read; - is standard input.", valueName: "file"))
    var files: [String]

    @Option(help: ArgumentHelp("Where to send spans: the server's OTLP/HTTP address.", valueName: "url"))
    var serverOtlp = "http://127.0.0.1:4318"

    @Option(help: ArgumentHelp("The form of the files: auto, otlp, jaeger, zipkin or plain.", valueName: "form"))
    var format = "auto"

    @Option(help: ArgumentHelp("The service of spans that name none.", valueName: "name"))
    var service: String?

    @Flag(help: "Read everything, send nothing, and report.")
    var dryRun = false

    @Flag(help: "End with exit code 0 although something was left out.")
    var lenient = false

    @Flag(help: "Print the report as JSON.")
    var json = false

    func validate() throws {
        guard format == "auto" || TraceFileFormat(rawValue: format) != nil else {
            let names = TraceFileFormat.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--format takes auto, \(names), not \"\(format)\"")
        }
        guard Load.url(serverOtlp) != nil else {
            throw ValidationError("--server-otlp takes an address such as http://127.0.0.1:4318, not \"\(serverOtlp)\"")
        }
        if let service, service.isEmpty { throw ValidationError("--service takes a name") }
        guard files.filter({ $0 == "-" }).count <= 1 else {
            throw ValidationError("standard input can be read once; give - once")
        }
    }

    func run() async throws {
        try await reportingFailures {
            let sender =
                dryRun ? nil : SpanSender(url: Load.url(serverOtlp) ?? serverOtlp, attemptsMax: 10, isImport: true)
            let run = ImportRun(sender: sender, format: TraceFileFormat(rawValue: format), serviceName: service)
            let terminal = Terminal.standardError()
            var line = ProgressLine()
            let report = try await run.run(files) { progress in line.show { progress.line(on: terminal) } }
            line.end()
            if json {
                try CommandOutput.write(json: report)
            } else {
                CommandOutput.write(report.summary(on: .standardOutput()))
            }
            guard report.isWhole, lenient || report.skippedCount == 0 else { throw ExitCode.failure }
        }
    }
}
