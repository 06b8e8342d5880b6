// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import SkeinServer

/// `skein serve`: runs the server. Flags are only collected here; the server says what they mean.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the server: take spans in, keep them, answer queries, show the page.",
        discussion: """
            Listeners are \(ListenerName.allCases.map(\.rawValue).joined(separator: ", ")). Every setting can also be \
            given in the environment (SKEIN_DATA_DIR for --data-dir) or in a YAML file; flags win over the environment, \
            the environment over the file. `skein serve --print-config` explains them all.
            """
    )

    @Option(help: ArgumentHelp("Folder that holds the traces.", valueName: "path"))
    var dataDir: String?

    @OptionGroup(visibility: .hidden) var misnamed: MisnamedDataFolder

    @Option(help: ArgumentHelp("Where a listener waits; may be given several times.", valueName: "name=host:port|off"))
    var listen: [String] = []

    @Option(help: ArgumentHelp("A YAML file with settings.", valueName: "path"))
    var config: String?

    @Option(
        help: ArgumentHelp(
            "When senders are answered: after the disk has their spans, or sooner.",
            valueName: "always|interval=1s|os"
        )
    )
    var durability: String?

    @Option(help: ArgumentHelp("Delete traces older than this.", valueName: "30d|off"))
    var retention: String?

    @Option(
        help: ArgumentHelp("Keep traces that satisfy a condition for another time.", valueName: "90d: error = true; …")
    )
    var retentionRules: String?

    @Option(
        help: ArgumentHelp(
            "Keep only traces that the tail sampling policies in this file keep (YAML, as of an OpenTelemetry collector).",
            valueName: "file"
        )
    )
    var samplingConfig: String?

    @Option(
        help: ArgumentHelp(
            "Of traces older than --late-sampling-after keep only those of these policies.",
            valueName: "file"
        )
    )
    var lateSamplingConfig: String?

    @Option(help: ArgumentHelp("How long every trace is kept whole before late sampling.", valueName: "24h"))
    var lateSamplingAfter: String?

    @Option(help: ArgumentHelp("Delete sums by the minute older than this.", valueName: "400d|off"))
    var rollupRetention: String?

    @Option(help: ArgumentHelp("Delete the oldest traces above this size on disk.", valueName: "100GB|off"))
    var retentionBytes: String?

    @Option(help: ArgumentHelp("Memory to plan with.", valueName: "512MiB"))
    var memory: String?

    @Option(help: ArgumentHelp("Largest request, also after decompression.", valueName: "64MiB"))
    var requestBytesMax: String?

    @Option(help: ArgumentHelp("The longest a query may take.", valueName: "60s"))
    var queryTimeout: String?

    @Option(help: ArgumentHelp("Queries that run at once.", valueName: "16"))
    var queriesMax: String?

    @Option(help: ArgumentHelp("Live tails that are open at once.", valueName: "64"))
    var tailsMax: String?

    @Option(help: ArgumentHelp("Spans of a trace that is answered whole.", valueName: "200000"))
    var traceSpansMax: String?

    @Option(help: ArgumentHelp("Whether the Zipkin API compares ids of 128 bits whole.", valueName: "true"))
    var zipkinStrictTraceId: String?

    @Option(help: ArgumentHelp("Tags whose values Zipkin's page suggests, parted by commas.", valueName: "names"))
    var zipkinAutocompleteKeys: String?

    @Option(help: ArgumentHelp("Disk for spans that wait for a decision when memory is full.", valueName: "size|off"))
    var tailSpillBytesMax: String?

    @Option(help: ArgumentHelp("Attribute that says how spans were sampled.", valueName: "key[=ratio|=count]"))
    var spanWeightAttribute: String?

    @Option(help: ArgumentHelp("Sampling strategies that clients ask for, in Jaeger's format.", valueName: "path"))
    var samplingStrategies: String?

    @Option(help: ArgumentHelp("Sampled traces a second of each operation to lead clients to.", valueName: "1|off"))
    var samplingAdaptiveTarget: String?

    @Option(help: ArgumentHelp("Spans that each service may send in a second.", valueName: "n|off"))
    var serviceSpansPerSecondMax: String?

    @Option(help: ArgumentHelp("Bytes that each service may send in a second, decoded.", valueName: "size|off"))
    var serviceBytesPerSecondMax: String?

    @Option(help: ArgumentHelp("Spans that are taken of one trace.", valueName: "n|off"))
    var traceSpansTakenMax: String?

    @Option(help: ArgumentHelp("Attributes, events and links that are taken of a span.", valueName: "n"))
    var spanItemsMax: String?

    @Option(help: ArgumentHelp("The longest text of an attribute.", valueName: "size|off"))
    var valueBytesMax: String?

    @Option(help: ArgumentHelp("What is taken out before anything is kept.", valueName: "rules"))
    var scrubRules: String?

    @Option(help: ArgumentHelp("File with the secret key of the rules `hash`.", valueName: "path"))
    var scrubKeyFile: String?

    @Option(help: ArgumentHelp("Origins of pages that may send from a browser.", valueName: "origins"))
    var corsOrigins: String?

    @Option(help: ArgumentHelp("Silence after which an agent's session is abandoned.", valueName: "duration"))
    var worktraceIdleTimeout: String?

    @Option(help: ArgumentHelp("Keep or drop content that agents send.", valueName: "keep|drop"))
    var worktraceContent: String?

    @Option(help: ArgumentHelp("Most that is kept of one prompt, result or message.", valueName: "size"))
    var worktraceContentBytesMax: String?

    @Option(help: ArgumentHelp("List do-trace as one tool, or each action as its own.", valueName: "one|each"))
    var worktraceTools: String?

    @Option(help: ArgumentHelp("Write names that conventions only propose, too.", valueName: "on|off"))
    var worktraceDraftConventions: String?

    @Option(help: ArgumentHelp("Policy by which agents' sessions are kept.", valueName: "path"))
    var sessionSamplingConfig: String?

    @Option(help: ArgumentHelp("What models cost, where clients do not say.", valueName: "path"))
    var modelPrices: String?

    @Option(help: ArgumentHelp("Serve the page from this folder.", valueName: "path"))
    var webDir: String?

    @Option(help: ArgumentHelp("Path below which a proxy mounts the web listener.", valueName: "/path"))
    var basePath: String?

    @Option(help: ArgumentHelp("The least important messages that are logged.", valueName: "info"))
    var logLevel: String?

    @Flag(help: "Allow listeners that other machines can reach, although nobody has to say who they are.")
    var insecureNoAuth = false

    @Flag(help: "Show every setting with its meaning, value and source, and end.")
    var printConfig = false

    func run() async throws {
        // A server outlives whoever read its output.
        signal(SIGPIPE, SIG_IGN)
        let sources = ConfigurationSources(
            file: config,
            environment: ProcessInfo.processInfo.environment,
            flags: try flags()
        )
        do {
            let resolved = try sources.resolve()
            for warning in resolved.warnings { CommandOutput.note("skein serve: \(warning)") }
            if printConfig { return print(resolved.yaml, terminator: "") }
            try await Server(resolved.configuration).run { CommandOutput.announce($0) }
        } catch {
            CommandOutput.note("skein serve: \(error)")
            throw ExitCode.failure
        }
    }

    /// What was said on the command line, by the names of the settings.
    func flags() throws -> [String: String] {
        var flags: [String: String] = [:]
        flags["data-dir"] = dataDir
        flags["durability"] = durability
        flags["retention"] = retention
        flags["retention-rules"] = retentionRules
        flags["sampling-config"] = samplingConfig
        flags["late-sampling-config"] = lateSamplingConfig
        flags["late-sampling-after"] = lateSamplingAfter
        flags["rollup-retention"] = rollupRetention
        flags["retention-bytes"] = retentionBytes
        flags["memory"] = memory
        flags["request-bytes-max"] = requestBytesMax
        flags["query-timeout"] = queryTimeout
        flags["queries-max"] = queriesMax
        flags["tails-max"] = tailsMax
        flags["trace-spans-max"] = traceSpansMax
        flags["zipkin-strict-trace-id"] = zipkinStrictTraceId
        flags["zipkin-autocomplete-keys"] = zipkinAutocompleteKeys
        flags["span-weight-attribute"] = spanWeightAttribute
        flags["tail-spill-bytes-max"] = tailSpillBytesMax
        flags["sampling-strategies"] = samplingStrategies
        flags["sampling-adaptive-target"] = samplingAdaptiveTarget
        flags["service-spans-per-second-max"] = serviceSpansPerSecondMax
        flags["service-bytes-per-second-max"] = serviceBytesPerSecondMax
        flags["trace-spans-taken-max"] = traceSpansTakenMax
        flags["span-items-max"] = spanItemsMax
        flags["value-bytes-max"] = valueBytesMax
        flags["scrub-rules"] = scrubRules
        flags["scrub-key-file"] = scrubKeyFile
        flags["cors-origins"] = corsOrigins
        flags["worktrace-idle-timeout"] = worktraceIdleTimeout
        flags["worktrace-content"] = worktraceContent
        flags["worktrace-content-bytes-max"] = worktraceContentBytesMax
        flags["worktrace-tools"] = worktraceTools
        flags["worktrace-draft-conventions"] = worktraceDraftConventions
        flags["session-sampling-config"] = sessionSamplingConfig
        flags["model-prices"] = modelPrices
        flags["web-dir"] = webDir
        flags["base-path"] = basePath
        flags["log-level"] = logLevel
        if insecureNoAuth { flags["insecure-no-auth"] = "true" }
        for listener in listen {
            let parts = listener.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else {
                throw ValidationError("--listen takes NAME=HOST:PORT or NAME=off, not \"\(listener)\"")
            }
            flags["listen.\(parts[0])"] = String(parts[1])
        }
        return flags
    }
}
