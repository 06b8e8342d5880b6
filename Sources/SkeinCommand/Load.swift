// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation

/// `skein load`: sends the traffic of a made-up shop.
struct Load: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Send the traffic of a made-up shop over OTLP/HTTP.",
        discussion: """
            Eleven services with failures, slow requests, events and links between traces. The same --seed makes the \
            same traces. Ends after --traces, or after --seconds.

            Exit code 1 when a span was not accepted.
            """
    )

    @Option(help: ArgumentHelp("Where to send spans.", valueName: "url"))
    var endpoint = "http://127.0.0.1:4318"

    @Option(help: ArgumentHelp("How many traces to send.", valueName: "n"))
    var traces: Int?

    @Option(help: ArgumentHelp("How long to send; 10 unless --traces says otherwise.", valueName: "seconds"))
    var seconds: Double?

    @Option(help: ArgumentHelp("Spans per second; 0 sends as fast as the server takes them.", valueName: "n"))
    var rate = 1_000

    @Option(help: ArgumentHelp("Requests under way at once.", valueName: "n"))
    var concurrency = 4

    @Option(help: ArgumentHelp("What decides the traces; by default each run differs.", valueName: "number"))
    var seed: UInt64?

    func validate() throws {
        if traces != nil, seconds != nil { throw ValidationError("give --traces or --seconds, not both") }
        if let traces, traces < 1 { throw ValidationError("--traces takes 1 or more, not \(traces)") }
        if let seconds, !(seconds > 0 && seconds <= 1e6) {
            throw ValidationError("--seconds takes more than 0 and at most 1000000, not \(seconds)")
        }
        guard rate >= 0 else { throw ValidationError("--rate takes 0 or more, not \(rate)") }
        guard (1...256).contains(concurrency) else {
            throw ValidationError("--concurrency takes 1 to 256, not \(concurrency)")
        }
        guard Self.url(endpoint) != nil else {
            throw ValidationError("--endpoint takes an address such as http://127.0.0.1:4318, not \"\(endpoint)\"")
        }
    }

    func run() async throws {
        try await reportingFailures {
            let run = LoadRun(
                url: Self.url(endpoint) ?? endpoint,
                traces: traces,
                seconds: seconds ?? 10,
                rate: rate,
                concurrency: concurrency,
                seed: seed ?? UInt64.random(in: 0 ... .max)
            )
            let showsProgress = Terminal.isStandardErrorShown
            let report = await run.run { report in
                if showsProgress { CommandOutput.progress(report.progress) }
            }
            if showsProgress { CommandOutput.progress("") }
            if report.acceptedSpans == 0, let reason = report.failures.keys.sorted().first {
                throw CommandFailure(
                    description:
                        "Nothing was accepted: \(reason). Start a server with `skein serve`, or name yours with --endpoint."
                )
            }
            CommandOutput.write(report.summary(on: .standardOutput()))
            if !report.isClean { throw ExitCode.failure }
        }
    }

    /// The address of the trace endpoint: OTLP's own path unless another one is given (OTLP exporter specification).
    static func url(_ endpoint: String) -> String? {
        let text = endpoint.contains("://") ? endpoint : "http://" + endpoint
        guard let url = URL(string: text), let scheme = url.scheme, ["http", "https"].contains(scheme),
            url.host()?.isEmpty == false
        else { return nil }
        guard url.path().isEmpty || url.path() == "/" else { return text }
        return (text.hasSuffix("/") ? String(text.dropLast()) : text) + "/v1/traces"
    }
}
