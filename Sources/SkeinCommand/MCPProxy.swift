// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import SkeinMCPProxy
import SkeinReceivers
import SkeinServer

/// `skein mcp-proxy`: stands between a client of the Model Context Protocol and its server, and reports every call of a tool.
struct MCPProxy: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mcp-proxy",
        abstract: "Trace an MCP server that cannot trace itself: one span per tools/call.",
        usage: """
            skein mcp-proxy [--otlp <url>] [--service <name>] -- <command> [<argument> ...]
            skein mcp-proxy [--otlp <url>] [--service <name>] --listen <host:port> --upstream <url>
            """,
        discussion: """
            The first form starts a server and stands on its pipes: put it in front of the command in a client's \
            configuration. The second one listens for HTTP and passes requests on. Messages pass as they are, but for the \
            trace context in params._meta of tools/call. Arguments and results are not kept.

            A call belongs to the trace that its _meta names, or else the header traceparent, or else the variable \
            TRACEPARENT, or else begins one (--parent). OTEL_* variables hold here too.

            Exit code: that of the server, or 128 and the number of the signal that ended it; 127 when there is no such \
            command, 126 when it cannot be run.
            """
    )

    @Option(
        help: ArgumentHelp(
            "Where to send spans; OTEL_EXPORTER_OTLP_ENDPOINT by default, else http://localhost:4318.",
            valueName: "url"
        )
    )
    var otlp: String?

    @Option(
        help: ArgumentHelp(
            "The service that reports the spans; OTEL_SERVICE_NAME by default, else mcp-proxy.",
            valueName: "name"
        )
    )
    var service: String?

    @Option(help: ArgumentHelp("Where to wait for clients over HTTP.", valueName: "host:port"))
    var listen: String?

    @Option(help: ArgumentHelp("The server's address over HTTP.", valueName: "url"))
    var upstream: String?

    @Option(
        help: ArgumentHelp(
            "Whose trace a call belongs to, of several the first that names one: meta, header, environment; or none.",
            valueName: "source,..."
        )
    )
    var parent = "meta,header,environment"

    @Option(
        help: ArgumentHelp(
            "Members of baggage that the server may see; all by default, but none where --upstream is another machine.",
            valueName: "key,...|all|none"
        )
    )
    var baggage: String?

    @Option(help: ArgumentHelp("Largest request over HTTP; 413 answers a larger one.", valueName: "size"))
    var maxBody = "256MiB"

    @Option(
        help: ArgumentHelp(
            "Memory for requests over HTTP, in which each counts twice; 429 answers what finds none.",
            valueName: "size"
        )
    )
    var maxMemory = "1GiB"

    @Flag(help: "Say on standard error whenever spans cannot be sent, not only the first time.")
    var verbose = false

    @Argument(parsing: .postTerminator, help: ArgumentHelp("The server to start.", valueName: "command"))
    var command: [String] = []

    func validate() throws {
        if let otlp, Load.url(otlp) == nil {
            throw ValidationError("--otlp takes an address such as http://127.0.0.1:4318, not \"\(otlp)\"")
        }
        if let service, service.isEmpty { throw ValidationError("--service takes a name, not nothing") }
        if let listen, ListenAddress(listen) == nil {
            throw ValidationError("--listen takes HOST:PORT such as 127.0.0.1:8090, not \"\(listen)\"")
        }
        if let upstream, Upstream(upstream) == nil {
            throw ValidationError("--upstream takes an address such as http://127.0.0.1:8000/mcp, not \"\(upstream)\"")
        }
        if ContextPolicy.parents(parent) == nil {
            throw ValidationError(
                "--parent takes some of meta, header and environment with commas between them, each once, or none, "
                    + "not \"\(parent)\""
            )
        }
        if let baggage, ContextPolicy.baggage(baggage) == nil {
            throw ValidationError("--baggage takes keys with commas between them, all or none, not \"\(baggage)\"")
        }
        let body = try size(maxBody, of: "--max-body"), memory = try size(maxMemory, of: "--max-memory")
        if memory / 2 < body {
            throw ValidationError(
                "--max-memory \(maxMemory) has no room for a request of --max-body \(maxBody), which counts twice: "
                    + "give at least twice as much"
            )
        }
        switch (command.isEmpty, upstream, listen) {
        case (false, nil, nil): break
        case (true, .some, .some): break
        case (false, _, _):
            throw ValidationError("give a command behind --, or --listen and --upstream, not both")
        case (true, nil, nil):
            throw ValidationError(
                "give the server to start behind --, as in `skein mcp-proxy -- npx some-server`, or --listen HOST:PORT "
                    + "and --upstream URL"
            )
        case (true, .some, nil): throw ValidationError("--upstream needs --listen HOST:PORT too")
        case (true, nil, .some): throw ValidationError("--listen needs --upstream URL too")
        }
    }

    private func size(_ text: String, of option: String) throws -> Int {
        guard let size = Quantity.size(text), size > 0 else {
            throw ValidationError("\(option) takes a size such as 64MiB, not \"\(text)\"")
        }
        return size
    }

    /// What is on this machine is trusted with what agents tell each other.
    private func policy(isNear: Bool) throws -> ContextPolicy {
        // Both were read by `validate`.
        guard let policy = ContextPolicy(parents: parent, baggage: baggage ?? (isNear ? "all" : "none")) else {
            throw ExitCode.validationFailure
        }
        return policy
    }

    func run() async throws {
        let say: @Sendable (String) -> Void = { CommandOutput.note("skein mcp-proxy: \($0)") }
        let tracing = ProxyTracing(
            endpoint: otlp.flatMap(Load.url),
            service: service,
            isVerbose: verbose,
            say: say
        )
        let environment = ProcessInfo.processInfo.environment
        if let listen, let upstream {
            return try await proxyHTTP(from: listen, to: upstream, tracing, environment, say)
        }
        let proxy = StdioProxy(
            command: command,
            tracing: tracing,
            environment: environment,
            policy: try policy(isNear: true)
        )
        let code: Int32
        do throws(StdioProxy.Failure) {
            code = try await proxy.run()
        } catch {
            say(error.message)
            code = error.exitCode
        }
        throw ExitCode(code)
    }

    private func proxyHTTP(
        from listen: String,
        to upstream: String,
        _ tracing: ProxyTracing,
        _ environment: [String: String],
        _ say: (String) -> Void
    ) async throws {
        // Both were read by `validate`.
        guard let address = ListenAddress(listen), let upstream = Upstream(upstream) else {
            throw ExitCode.validationFailure
        }
        if !address.isLoopback {
            say("\(listen) can be reached by other machines, and the proxy lets everybody through who gets there")
        }
        let proxy = HTTPProxy(
            listen: address,
            upstream: upstream,
            tracing: tracing,
            environment: environment,
            policy: try policy(isNear: upstream.isLoopback),
            most: .init(
                bodyBytesMax: try size(maxBody, of: "--max-body"),
                memoryBytesMax: try size(maxMemory, of: "--max-memory")
            )
        )
        do {
            try await proxy.run { CommandOutput.announce("skein mcp-proxy listens on http://\($0)") }
        } catch {
            say("\(error)")
            throw ExitCode.failure
        }
    }
}
