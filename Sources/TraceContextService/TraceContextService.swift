// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import AsyncHTTPClient
import Foundation
import SkeinTracing

/// The service that the conformance suite of W3C Trace Context drives: it is told whom to call, and the suite looks at the
/// headers of these calls.
@main struct TraceContextService: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace-context-service",
        abstract: "The service that the W3C Trace Context conformance suite drives.",
        discussion: """
            POST /test takes [{"url": "http://…", "arguments": …}, …]. The arguments of each entry are posted to its url as \
            JSON, one after the other, with headers that carry on what those of the request carried. The environment \
            says how (OTEL_PROPAGATORS, OTEL_TRACES_SAMPLER, …); spans go nowhere unless OTEL_TRACES_EXPORTER is set.
            """
    )

    @Option(help: "The port to listen on; 0 takes a free one.")
    var port: Int

    @Option(help: "The address to listen on.")
    var host = "127.0.0.1"

    func validate() throws {
        guard (0...65_535).contains(port) else { throw ValidationError("--port takes 0 to 65535, not \(port)") }
    }

    func run() async throws {
        var tracing = TracingConfiguration()
        tracing.processors = []
        tracing.hasStrictSpanIDs = true
        try await Skein.run(service: "trace-context-service", tracing) { [host, port] in
            do {
                // The suite looks at each call, and not at where an answer might send it.
                var client = HTTPClient.Configuration(redirectConfiguration: .disallow)
                client.connectionPool.retryConnectionEstablishment = false
                try await HTTPClient.withHTTPClient(configuration: client) { client in
                    let calls = CallService(client: client)
                    try await HTTPServer(answer: calls.answer).run(host: host, port: port) { address in
                        FileHandle.standardOutput.write(Data("listening on \(address)\n".utf8))
                    }
                }
            } catch is CancellationError {
                // SIGTERM or SIGINT.
            }
        }
    }
}
