// SPDX-License-Identifier: Apache-2.0
package import Logging
package import SkeinAPI
package import SkeinEngine
package import SkeinPipeline
package import SkeinReceivers

/// Everything that can be set about a server, with its defaults. What each field means, its bounds, variable and flag
/// stand in ``Setting/all``, from which `skein serve --print-config` and the checks are made.
package struct ServerConfiguration: Sendable {
    /// Where the traces are kept.
    package var dataDirectory = "./data"
    /// Open listeners; one that is missing is off.
    package var listeners: [ListenerName: ListenAddress] = Dictionary(
        uniqueKeysWithValues: ListenerName.allCases.map { ($0, $0.defaultAddress) }
    )
    /// Whether listeners may be reached from other machines although nobody has to say who they are.
    package var insecureNoAuth = false
    /// When a sender gets its answer.
    package var durability = Durability.always
    /// Traces older than this, by the time they came, are deleted; `nil` keeps them for good.
    package var retention: Duration? = .seconds(30 * 86_400)
    /// How long traces that satisfy a condition are kept instead, the first that holds deciding.
    package var retentionRules: [RetentionRuleText] = []
    /// Which traces are kept at all; `nil` keeps every one.
    package var sampling: SamplingFile?
    /// Which traces are kept once they have left the hot window; `nil` keeps every one.
    package var lateSampling: LateSamplingFile?
    /// `nil` to keep all sessions of agents.
    package var sessionSampling: SessionSamplingFile?
    /// The hot window: from when the last spans of a trace came to its late decision.
    package var lateSamplingAfter = Duration.seconds(86_400)
    /// Bytes on the disk for spans that wait for the decision about their trace; `nil` for none.
    package var tailSpillBytesMax: Int? = 4 << 30
    /// Sums by the minute that came longer ago than this are deleted; `nil` keeps them for good.
    package var rollupRetention: Duration? = .seconds(400 * 86_400)
    /// The oldest traces are deleted when all take more bytes than this; `nil` for no bound.
    package var retentionBytes: Int?
    /// Bytes of memory the server plans with.
    package var memoryBytes = 512 << 20
    /// Largest request in bytes, as sent and after decompression; `nil` for as much as the memory allows, up to 64 MiB.
    package var requestBytesMaxSet: Int?
    package var requestBytesMax: Int {
        requestBytesMaxSet ?? min(64 << 20, (MemoryPlan.requestBytesMax(of: memoryBytes) >> 20) << 20)
    }
    /// The longest a query may take.
    package var queryTimeout = Duration.seconds(60)
    /// Queries that run at once.
    package var queriesMax = 16
    /// Live tails that are open at once.
    package var tailsMax = 64
    /// How long a session of an agent may be silent before it counts as abandoned.
    package var workIdleTimeout = Duration.seconds(15 * 60)
    /// What becomes of content that agents send with their steps and messages.
    package var workContent = WorkContent()
    package var workOptions = WorkOptions()
    /// What models cost, where clients do not say.
    package var modelPrices: ModelPriceFile?
    /// Stored spans of a trace that is answered whole.
    package var traceSpansMax = 200_000
    /// How the Zipkin API compares ids, and what it suggests.
    package var zipkin = ZipkinSettings()
    /// What each service may send.
    package var rates = RateLimits.Rates()
    /// Spans that are taken of one trace; `nil` for all.
    package var traceSpansTakenMax: Int?
    /// Attributes, events and links that are taken of a span.
    package var spanItemsMax = 10_000
    /// Bytes of the longest text of an attribute; `nil` for any.
    package var valueBytesMax: Int?
    /// What is taken out before anything is kept.
    package var scrubRules = ScrubRules()
    /// File with the key of hashes.
    package var scrubKeyFile: String?
    /// Pages of other origins that may send.
    package var corsOrigins = CrossOrigins()
    /// The attribute that says how spans were sampled before they came.
    package var weightAttribute: WeightAttribute?
    /// Path of a file of strategies in Jaeger's format.
    package var samplingStrategies: String?
    /// Sampled traces a second of each operation that adaptive sampling aims at; `nil` for none.
    package var samplingAdaptiveTarget: Double?
    /// Folder to serve the page from instead of the one inside the binary.
    package var webDirectory: String?
    /// Path below which a proxy mounts the web listener; empty or starting with `/`, never ending with one.
    package var basePath = ""
    package var logLevel = Logger.Level.info

    /// The defaults.
    package init() {}
}

/// The listeners there are.
package enum ListenerName: String, CaseIterable, Hashable, Sendable {
    case web
    case tempo
    case zipkin
    case jaegerQueryGRPC = "jaeger-query-grpc"
    case otlpGRPC = "otlp-grpc"
    case otlpHTTP = "otlp-http"
    case jaegerCompact = "jaeger-compact"
    case jaegerBinary = "jaeger-binary"
    case jaegerHTTP = "jaeger-http"
    case jaegerGRPC = "jaeger-grpc"
    case jaegerSampling = "jaeger-sampling"
    case jaegerSamplingGRPC = "jaeger-sampling-grpc"

    /// Where it listens unless told otherwise: the port that clients expect, on this machine only.
    package var defaultAddress: ListenAddress {
        let port =
            switch self {
            case .web: 16686
            case .tempo: 3200
            case .zipkin: 9411
            case .jaegerQueryGRPC: 16685
            case .otlpGRPC: 4317
            case .otlpHTTP: 4318
            case .jaegerCompact: 6831
            case .jaegerBinary: 6832
            case .jaegerHTTP: 14268
            case .jaegerGRPC: 14250
            case .jaegerSampling: 5778
            case .jaegerSamplingGRPC: 5779
            }
        return ListenAddress(host: "127.0.0.1", port: port)
    }

    /// What an address of this listener is written as.
    package func url(_ address: ListenAddress) -> String {
        switch self {
        case .web, .tempo, .zipkin, .otlpHTTP, .jaegerHTTP, .jaegerSampling: "http://\(address)"
        case .jaegerQueryGRPC, .otlpGRPC, .jaegerGRPC, .jaegerSamplingGRPC: "grpc://\(address)"
        case .jaegerCompact, .jaegerBinary: "udp://\(address)"
        }
    }

    /// Whether it takes datagrams, and answers nobody.
    package var isUDP: Bool { self == .jaegerCompact || self == .jaegerBinary }
}
