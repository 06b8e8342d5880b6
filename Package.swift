// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
import CompilerPluginSupport
import PackageDescription

// The floors of the house. A module may import the modules its row names, the packages its row names, and nothing
// else; `Tests/SkeinTidyTests` reads this table and holds every `import` in `Sources/` to it.

/// One row: a module, what it is built of, and what it may import.
struct Module {
    enum Kind {
        case library, c, system(pkgConfig: String, apt: String, brew: String), executable, macro, fuzz, example
    }
    var name: String
    var kind: Kind = .library
    var imports: [String] = []
    var products: [String] = []
    /// Part of the house that needs no outside package; `SKEIN_CORE=1 swift build` builds only these, in seconds.
    var isCore: Bool { products.isEmpty }
}

let zstd = Module.Kind.system(pkgConfig: "libzstd", apt: "libzstd-dev", brew: "zstd")
let deflate = Module.Kind.system(pkgConfig: "libdeflate", apt: "libdeflate-dev", brew: "libdeflate")
let zlib = Module.Kind.system(pkgConfig: "zlib", apt: "zlib1g-dev", brew: "zlib")

let modules: [Module] = [
    // ground
    Module(name: "SkeinBase"),
    Module(name: "SkeinModel", imports: ["SkeinBase"]),
    Module(name: "CZstd", kind: zstd),
    Module(name: "CDeflate", kind: deflate),
    Module(name: "CZlib", kind: zlib),
    Module(name: "SkeinCompression", imports: ["SkeinBase", "CZstd", "CDeflate"]),
    Module(name: "CSkeinWeb", kind: .c),
    Module(name: "SkeinWeb", imports: ["CSkeinWeb"]),
    // contracts
    Module(name: "SkeinPropagation", imports: ["SkeinBase", "SkeinModel"]),
    Module(name: "SkeinWire", imports: ["SkeinBase", "SkeinModel"]),
    Module(name: "SkeinStore", imports: ["SkeinBase", "SkeinModel"]),
    // organs
    Module(name: "SkeinEngine", imports: ["SkeinBase", "SkeinCompression", "SkeinModel", "SkeinStore"]),
    Module(name: "SkeinTraceQL", imports: ["SkeinBase", "SkeinModel", "SkeinStore"]),
    Module(name: "SkeinAnalysis", imports: ["SkeinBase", "SkeinModel"]),
    Module(name: "SkeinAgents", imports: ["SkeinBase", "SkeinModel", "SkeinWire"]),
    Module(name: "SkeinMCP", imports: ["SkeinBase", "SkeinModel", "SkeinWire"]),
    Module(name: "SkeinPipeline", imports: ["SkeinBase", "SkeinModel", "SkeinStore"]),
    Module(
        name: "SkeinRecording",
        imports: ["SkeinBase", "SkeinModel", "SkeinPropagation"],
        products: ["Tracing", "Instrumentation", "CoreMetrics"]
    ),
    // doors
    Module(
        name: "SkeinReceivers",
        imports: ["SkeinBase", "SkeinCompression", "SkeinModel", "SkeinWire", "SkeinPipeline"],
        products: [
            "NIOCore", "NIOPosix", "NIOHTTP1", "NIOHTTP2", "NIOHPACK", "ServiceLifecycle",
        ]
    ),
    Module(
        name: "SkeinAPI",
        imports: [
            "SkeinBase", "SkeinModel", "SkeinPropagation", "SkeinWire", "SkeinStore", "SkeinTraceQL", "SkeinAnalysis",
            "SkeinAgents", "SkeinPipeline", "SkeinWeb",
        ]
    ),
    // library
    Module(
        name: "SkeinExport",
        imports: ["SkeinBase", "SkeinModel", "SkeinPropagation", "SkeinWire", "SkeinRecording"],
        products: ["Tracing"]
    ),
    Module(
        name: "SkeinTracing",
        imports: [
            "SkeinBase", "SkeinModel", "SkeinPropagation", "SkeinWire", "SkeinRecording", "SkeinExport", "CZlib",
        ],
        products: [
            "Tracing", "Instrumentation", "Logging", "Metrics", "ServiceLifecycle", "UnixSignals", "AsyncHTTPClient",
            "NIOCore", "NIOFoundationCompat", "NIOHTTP1", "NIOPosix", "NIOSSL", "Yams", "GRPCCore",
            "GRPCNIOTransportHTTP2",
        ]
    ),
    Module(
        name: "SkeinHTTPClient",
        imports: ["SkeinModel", "SkeinPropagation", "SkeinRecording"],
        products: ["Tracing", "AsyncHTTPClient", "Logging", "NIOCore", "NIOHTTP1"]
    ),
    Module(
        name: "SkeinHummingbird",
        imports: ["SkeinModel", "SkeinPropagation", "SkeinRecording"],
        products: ["Tracing", "Hummingbird", "HTTPTypes", "NIOCore"]
    ),
    Module(
        name: "SkeinGRPC",
        imports: ["SkeinModel", "SkeinPropagation", "SkeinRecording"],
        products: ["Tracing", "GRPCCore"]
    ),
    Module(
        name: "SkeinGRDB",
        imports: ["SkeinModel", "SkeinPropagation", "SkeinRecording"],
        products: ["Tracing", "GRDB"]
    ),
    Module(
        name: "SkeinMacroPlugin",
        kind: .macro,
        products: ["SwiftSyntaxMacros", "SwiftCompilerPlugin", "SwiftSyntax", "SwiftSyntaxBuilder", "SwiftDiagnostics"]
    ),
    Module(name: "SkeinMacros", imports: ["SkeinModel", "SkeinRecording", "SkeinMacroPlugin"], products: ["Tracing"]),
    Module(
        name: "TraceContextService",
        kind: .executable,
        imports: ["SkeinBase", "SkeinModel", "SkeinPropagation", "SkeinRecording", "SkeinTracing", "SkeinHTTPClient"],
        products: ["Tracing", "AsyncHTTPClient", "ArgumentParser", "NIOCore", "NIOHTTP1", "NIOPosix"]
    ),
    Module(
        name: "SpanEmitter",
        kind: .executable,
        imports: ["SkeinBase", "SkeinModel", "SkeinPropagation", "SkeinRecording", "SkeinTracing"],
        products: ["Tracing", "Logging"]
    ),
    Module(
        name: "SkeinMCPProxy",
        imports: [
            "SkeinBase", "SkeinModel", "SkeinMCP", "SkeinPropagation", "SkeinPipeline", "SkeinReceivers",
            "SkeinRecording", "SkeinTracing",
        ],
        products: [
            "Tracing", "Logging", "AsyncHTTPClient", "NIOCore", "NIOHTTP1", "ServiceLifecycle", "UnixSignals",
        ]
    ),
    // roof
    Module(
        name: "SkeinServer",
        imports: [
            "SkeinBase", "SkeinCompression", "SkeinModel", "SkeinWeb", "SkeinWire", "SkeinStore", "SkeinEngine",
            "SkeinTraceQL", "SkeinAnalysis", "SkeinAgents", "SkeinPipeline", "SkeinReceivers", "SkeinAPI",
        ],
        products: [
            "NIOCore", "NIOHTTP1", "Logging", "ServiceLifecycle", "UnixSignals", "Configuration", "Yams", "Crypto",
        ]
    ),
    Module(
        name: "SkeinCommand",
        kind: .executable,
        imports: [
            "SkeinBase", "SkeinCompression", "SkeinModel", "SkeinWire", "SkeinStore", "SkeinEngine", "SkeinTraceQL",
            "SkeinAnalysis", "SkeinReceivers", "SkeinMCPProxy", "SkeinServer",
        ],
        products: ["ArgumentParser", "AsyncHTTPClient", "Logging", "NIOCore", "NIOHTTP1", "ServiceLifecycle"]
    ),
    // beside
    Module(
        name: "SkeinBenchmarks",
        kind: .executable,
        imports: ["SkeinBase", "SkeinModel", "SkeinWire", "SkeinStore", "SkeinEngine", "SkeinPipeline"]
    ),
    Module(
        name: "OrderService",
        kind: .example,
        imports: ["SkeinTracing", "SkeinHTTPClient", "SkeinHummingbird"],
        products: ["AsyncHTTPClient", "Hummingbird", "Logging"]
    ),
    Module(
        name: "InventoryService",
        kind: .example,
        imports: ["SkeinTracing", "SkeinHummingbird"],
        products: ["Hummingbird", "Logging"]
    ),
    Module(name: "CSkeinAllocations", kind: .c),
    Module(
        name: "SkeinRecordingBenchmarks",
        kind: .executable,
        imports: [
            "SkeinBase", "SkeinModel", "SkeinPropagation", "SkeinRecording", "SkeinExport", "CSkeinAllocations",
        ],
        products: ["Tracing", "Instrumentation"]
    ),
    Module(name: "SkeinTestKit", imports: ["SkeinBase", "SkeinModel", "SkeinStore"]),
    Module(
        name: "SkeinSimulation",
        kind: .executable,
        imports: ["SkeinBase", "SkeinModel", "SkeinStore", "SkeinEngine", "SkeinTestKit"]
    ),
    Module(
        name: "SkeinFuzz",
        kind: .fuzz,
        imports: [
            "SkeinBase", "SkeinModel", "SkeinCompression", "SkeinWire", "SkeinStore", "SkeinEngine", "SkeinTraceQL",
            "SkeinPipeline", "SkeinPropagation", "SkeinMCP", "SkeinTestKit",
        ]
    ),
]

let tests: [Module] = [
    Module(name: "SkeinTidyTests"),
    Module(
        name: "SkeinCoreTests",
        imports: [
            "SkeinBase", "SkeinModel", "SkeinCompression", "SkeinPropagation", "SkeinWire", "SkeinStore", "SkeinEngine",
            "SkeinTraceQL", "SkeinAnalysis", "SkeinAgents", "SkeinMCP", "SkeinPipeline", "SkeinAPI", "SkeinWeb",
            "SkeinTestKit", "SkeinSimulation",
        ]
    ),
    Module(
        name: "SkeinServerTests",
        imports: [
            "SkeinBase", "SkeinModel", "SkeinCompression", "SkeinWire", "SkeinStore", "SkeinEngine", "SkeinTraceQL",
            "SkeinAnalysis", "SkeinAgents", "SkeinPipeline", "SkeinReceivers", "SkeinAPI", "SkeinServer",
            "SkeinTestKit", "SkeinWeb",
        ],
        products: [
            "NIOCore", "NIOPosix", "NIOHTTP1", "NIOHTTP2", "NIOHPACK", "AsyncHTTPClient", "Logging", "ServiceLifecycle",
        ]
    ),
    Module(
        name: "SkeinRecordingTests",
        imports: ["SkeinBase", "SkeinModel", "SkeinPropagation", "SkeinWire", "SkeinRecording", "SkeinExport"],
        products: ["Tracing", "Instrumentation", "CoreMetrics", "MetricsTestKit"]
    ),
    Module(
        name: "SkeinTracingTests",
        imports: [
            "SkeinBase", "SkeinModel", "SkeinPropagation", "SkeinWire", "SkeinRecording", "SkeinExport", "SkeinTracing",
        ],
        products: [
            "Tracing", "Instrumentation", "Logging", "Metrics", "MetricsTestKit", "ServiceLifecycle",
            "AsyncHTTPClient", "NIOCore", "NIOHTTP1", "NIOPosix", "GRPCCore", "GRPCNIOTransportHTTP2",
        ]
    ),
    Module(
        name: "SkeinInstrumentationTests",
        imports: [
            "SkeinBase", "SkeinModel", "SkeinPropagation", "SkeinRecording", "SkeinTracing", "SkeinHTTPClient",
            "SkeinHummingbird", "SkeinGRPC", "SkeinGRDB", "SkeinMacros",
        ],
        products: [
            "Tracing", "Instrumentation", "Logging", "AsyncHTTPClient", "NIOCore", "NIOHTTP1", "NIOPosix",
            "Hummingbird", "HummingbirdTesting", "HTTPTypes", "GRPCCore", "GRPCInProcessTransport", "GRDB",
        ]
    ),
    Module(
        name: "SkeinCommandTests",
        imports: ["SkeinBase", "SkeinModel", "SkeinServer", "SkeinCommand"],
        products: ["ArgumentParser"]
    ),
]

/// A package, and the trait of ours that it is for; packages without a trait are always there.
struct Outside {
    var url: String
    var from: Version
    var products: [String]
    var trait: String?
}

let packages: [Outside] = [
    Outside(
        url: "apple/swift-nio",
        from: "2.101.2",
        products: ["NIOCore", "NIOPosix", "NIOHTTP1", "NIOFoundationCompat"]
    ),
    Outside(url: "apple/swift-nio-http2", from: "1.46.0", products: ["NIOHTTP2", "NIOHPACK"]),
    Outside(url: "apple/swift-nio-ssl", from: "2.37.6", products: ["NIOSSL"]),
    Outside(url: "swift-server/async-http-client", from: "1.37.0", products: ["AsyncHTTPClient"]),
    Outside(
        url: "swift-server/swift-service-lifecycle",
        from: "2.13.0",
        products: ["ServiceLifecycle", "UnixSignals"]
    ),
    Outside(url: "apple/swift-argument-parser", from: "1.8.2", products: ["ArgumentParser"]),
    Outside(url: "apple/swift-distributed-tracing", from: "1.7.3", products: ["Tracing", "Instrumentation"]),
    Outside(url: "apple/swift-log", from: "1.16.2", products: ["Logging"]),
    Outside(url: "apple/swift-metrics", from: "2.13.0", products: ["CoreMetrics", "Metrics", "MetricsTestKit"]),
    Outside(url: "apple/swift-configuration", from: "1.4.0", products: ["Configuration"]),
    Outside(url: "apple/swift-crypto", from: "4.5.2", products: ["Crypto"]),
    Outside(url: "jpsim/Yams", from: "6.2.2", products: ["Yams"]),
    Outside(
        url: "hummingbird-project/hummingbird",
        from: "2.28.1",
        products: ["Hummingbird", "HummingbirdTesting"],
        trait: "Hummingbird"
    ),
    Outside(url: "apple/swift-http-types", from: "1.8.0", products: ["HTTPTypes"], trait: "Hummingbird"),
    Outside(
        url: "grpc/grpc-swift-2",
        from: "2.4.3",
        products: ["GRPCCore", "GRPCInProcessTransport"],
        trait: "GRPC"
    ),
    Outside(
        url: "grpc/grpc-swift-nio-transport",
        from: "2.9.2",
        products: ["GRPCNIOTransportHTTP2"],
        trait: "GRPC"
    ),
    Outside(url: "groue/GRDB.swift", from: "7.10.0", products: ["GRDB"], trait: "GRDB"),
    Outside(
        url: "swiftlang/swift-syntax",
        from: "603.0.1",
        products: [
            "SwiftSyntax", "SwiftSyntaxBuilder", "SwiftSyntaxMacros", "SwiftCompilerPlugin", "SwiftDiagnostics",
        ],
        trait: "Macros"
    ),
]

/// The decoders under libFuzzer, which only `scripts/fuzz.sh` builds: with `--sanitize fuzzer`, all modules watched.
let fuzzing = Context.environment["SKEIN_FUZZ"] != nil
let coreOnly = fuzzing || Context.environment["SKEIN_CORE"] != nil
/// `SKEIN_SDK=1 swift build` builds only the SDK and its tests, `SKEIN_SDK=recording` only that part of it which needs no
/// network.
let sdkOnly = Context.environment["SKEIN_SDK"]
let recording: Set = [
    "SkeinBase", "SkeinModel", "SkeinPropagation", "SkeinWire", "SkeinRecording", "SkeinExport",
    "SkeinRecordingTests", "CSkeinAllocations", "SkeinRecordingBenchmarks",
]
let sdk = recording.union([
    "CZlib", "SkeinTracing", "SkeinHTTPClient", "SkeinHummingbird", "SkeinGRPC", "SkeinGRDB", "SkeinMacroPlugin",
    "SkeinMacros", "TraceContextService", "SpanEmitter", "OrderService", "InventoryService", "SkeinTracingTests",
    "SkeinInstrumentationTests",
])
func isPresent(_ module: Module) -> Bool {
    switch module.kind {
    case .fuzz: return fuzzing
    case .example where Context.environment["SKEIN_EXAMPLES"] == nil: return false
    default: break
    }
    if let sdkOnly { return (sdkOnly == "recording" ? recording : sdk).contains(module.name) }
    return !coreOnly || module.isCore
}
let present = modules.filter(isPresent)
let presentTests = tests.filter(isPresent)
let presentProducts = Set((present + presentTests).flatMap(\.products))
let presentPackages = packages.filter { !presentProducts.isDisjoint(with: $0.products) }

func dependencies(_ module: Module) -> [Target.Dependency] {
    module.imports.map { .target(name: $0) }
        + module.products.compactMap { product in
            packages.first { $0.products.contains(product) }.map { package in
                let name = String(package.url.split(separator: "/")[1])
                return if let trait = package.trait {
                    .product(name: product, package: name, condition: .when(traits: [trait]))
                } else {
                    .product(name: product, package: name)
                }
            }
        }
}

let settings: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
    ] + (fuzzing ? [.define("SKEIN_FUZZ")] : [])

/// What others may depend on: the command, and the libraries that a service imports.
let products: [(name: String, module: String)] = [
    ("skein", "SkeinCommand"),
    ("trace-context-service", "TraceContextService"),
    ("SkeinTracing", "SkeinTracing"),
    ("SkeinHTTPClient", "SkeinHTTPClient"),
    ("SkeinHummingbird", "SkeinHummingbird"),
    ("SkeinGRPC", "SkeinGRPC"),
    ("SkeinGRDB", "SkeinGRDB"),
    ("SkeinMacros", "SkeinMacros"),
]

let package = Package(
    name: "skein",
    platforms: [.macOS(.v15)],
    products: products.compactMap { product in
        present.first { $0.name == product.module }.map { module in
            if case .executable = module.kind {
                .executable(name: product.name, targets: [module.name])
            } else {
                .library(name: product.name, targets: [module.name])
            }
        }
    },
    // What a service does not ask for it neither fetches nor compiles.
    traits: presentPackages.contains { $0.trait != nil }
        ? [
            .trait(name: "Hummingbird", description: "SkeinHummingbird: middleware for Hummingbird 2"),
            .trait(name: "GRPC", description: "OTLP over gRPC, and SkeinGRPC: interceptors for grpc-swift 2"),
            .trait(name: "GRDB", description: "SkeinGRDB: statements of GRDB 7"),
            .trait(name: "Macros", description: "SkeinMacros: @Traced"),
        ] : [],
    dependencies: presentPackages.sorted { $0.url < $1.url }
        .map { .package(url: "https://github.com/\($0.url).git", from: $0.from) },
    targets: present.map { module in
        switch module.kind {
        case .library: .target(name: module.name, dependencies: dependencies(module), swiftSettings: settings)
        case .executable:
            .executableTarget(name: module.name, dependencies: dependencies(module), swiftSettings: settings)
        // Only with the trait Hummingbird, and with the settings of a package that somebody begins.
        case .example:
            .executableTarget(
                name: module.name,
                dependencies: dependencies(module),
                path: "Examples/\(module.name)"
            )
        case .macro: .macro(name: module.name, dependencies: dependencies(module), swiftSettings: settings)
        case .fuzz:
            .executableTarget(
                name: module.name,
                dependencies: dependencies(module),
                path: "Fuzz",
                exclude: ["Corpus"],
                swiftSettings: settings
            )
        case .c: .target(name: module.name)
        case .system(let pkgConfig, let apt, let brew):
            .systemLibrary(name: module.name, pkgConfig: pkgConfig, providers: [.apt([apt]), .brew([brew])])
        }
    } + presentTests.map { .testTarget(name: $0.name, dependencies: dependencies($0), swiftSettings: settings) },
    swiftLanguageModes: [.v6]
)
