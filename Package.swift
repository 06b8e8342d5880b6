// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

// The floors of the house. A module may import the modules its row names, the packages its row names, and nothing
// else; `Tests/SkeinTidyTests` reads this table and holds every `import` in `Sources/` to it.

/// One row: a module, what it is built of, and what it may import.
struct Module {
    enum Kind { case library, c, system(pkgConfig: String, apt: String, brew: String), executable, fuzz }
    var name: String
    var kind: Kind = .library
    var imports: [String] = []
    var products: [String] = []
    /// Part of the house that needs no outside package; `SKEIN_CORE=1 swift build` builds only these, in seconds.
    var isCore: Bool { products.isEmpty }
}

let zstd = Module.Kind.system(pkgConfig: "libzstd", apt: "libzstd-dev", brew: "zstd")
let deflate = Module.Kind.system(pkgConfig: "libdeflate", apt: "libdeflate-dev", brew: "libdeflate")

let modules: [Module] = [
    // ground
    Module(name: "SkeinBase"),
    Module(name: "SkeinModel", imports: ["SkeinBase"]),
    Module(name: "CZstd", kind: zstd),
    Module(name: "CDeflate", kind: deflate),
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
    Module(name: "SkeinPipeline", imports: ["SkeinBase", "SkeinModel", "SkeinStore"]),
    Module(
        name: "SkeinTracing",
        imports: ["SkeinBase", "SkeinModel", "SkeinPropagation"],
        products: ["Tracing", "Instrumentation"]
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
            "SkeinBase", "SkeinModel", "SkeinWire", "SkeinStore", "SkeinTraceQL", "SkeinAnalysis", "SkeinPipeline",
            "SkeinWeb",
        ]
    ),
    // roof
    Module(
        name: "SkeinServer",
        imports: [
            "SkeinBase", "SkeinCompression", "SkeinModel", "SkeinWeb", "SkeinWire", "SkeinStore", "SkeinEngine",
            "SkeinTraceQL", "SkeinAnalysis", "SkeinPipeline", "SkeinReceivers", "SkeinAPI",
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
            "SkeinAnalysis", "SkeinServer",
        ],
        products: ["ArgumentParser", "AsyncHTTPClient", "Logging", "NIOCore", "NIOHTTP1", "ServiceLifecycle"]
    ),
    // beside
    Module(
        name: "SkeinBenchmarks",
        kind: .executable,
        imports: ["SkeinBase", "SkeinModel", "SkeinWire", "SkeinStore", "SkeinEngine", "SkeinPipeline"]
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
            "SkeinPipeline", "SkeinPropagation", "SkeinTestKit",
        ]
    ),
]

let tests: [Module] = [
    Module(name: "SkeinTidyTests"),
    Module(
        name: "SkeinCoreTests",
        imports: [
            "SkeinBase", "SkeinModel", "SkeinCompression", "SkeinPropagation", "SkeinWire", "SkeinStore", "SkeinEngine",
            "SkeinTraceQL", "SkeinAnalysis", "SkeinPipeline", "SkeinAPI", "SkeinWeb", "SkeinTestKit", "SkeinSimulation",
        ]
    ),
    Module(
        name: "SkeinServerTests",
        imports: [
            "SkeinBase", "SkeinModel", "SkeinCompression", "SkeinWire", "SkeinStore", "SkeinEngine", "SkeinTraceQL",
            "SkeinAnalysis", "SkeinPipeline", "SkeinReceivers", "SkeinAPI", "SkeinServer", "SkeinTestKit", "SkeinWeb",
        ],
        products: [
            "NIOCore", "NIOPosix", "NIOHTTP1", "NIOHTTP2", "NIOHPACK", "AsyncHTTPClient", "Logging", "ServiceLifecycle",
        ]
    ),
    Module(
        name: "SkeinTracingTests",
        imports: ["SkeinBase", "SkeinModel", "SkeinPropagation", "SkeinTracing"],
        products: ["Tracing", "Instrumentation"]
    ),
    Module(
        name: "SkeinCommandTests",
        imports: ["SkeinBase", "SkeinModel", "SkeinServer", "SkeinCommand"],
        products: ["ArgumentParser"]
    ),
]

let packages: [String: (url: String, from: Version, products: [String])] = [
    "swift-nio": ("apple/swift-nio", "2.101.2", ["NIOCore", "NIOPosix", "NIOHTTP1"]),
    "swift-nio-http2": ("apple/swift-nio-http2", "1.46.0", ["NIOHTTP2", "NIOHPACK"]),
    "async-http-client": ("swift-server/async-http-client", "1.37.0", ["AsyncHTTPClient"]),
    "swift-service-lifecycle": ("swift-server/swift-service-lifecycle", "2.13.0", ["ServiceLifecycle", "UnixSignals"]),
    "swift-argument-parser": ("apple/swift-argument-parser", "1.8.2", ["ArgumentParser"]),
    "swift-distributed-tracing": (
        "apple/swift-distributed-tracing", "1.7.3", ["Tracing", "Instrumentation"]
    ),
    "swift-log": ("apple/swift-log", "1.16.2", ["Logging"]),
    "swift-configuration": ("apple/swift-configuration", "1.4.0", ["Configuration"]),
    "swift-crypto": ("apple/swift-crypto", "4.5.2", ["Crypto"]),
    "Yams": ("jpsim/Yams", "6.2.2", ["Yams"]),
]

/// The decoders under libFuzzer, which only `scripts/fuzz.sh` builds: with `--sanitize fuzzer`, all modules watched.
let fuzzing = Context.environment["SKEIN_FUZZ"] != nil
let coreOnly = fuzzing || Context.environment["SKEIN_CORE"] != nil
/// `SKEIN_SDK=1 swift build` builds only the SDK and its tests.
let sdkOnly = Context.environment["SKEIN_SDK"] != nil
let sdk: Set = ["SkeinBase", "SkeinModel", "SkeinPropagation", "SkeinTracing", "SkeinTracingTests"]
func isPresent(_ module: Module) -> Bool {
    if case .fuzz = module.kind { return fuzzing }
    return sdkOnly ? sdk.contains(module.name) : !coreOnly || module.isCore
}
let present = modules.filter(isPresent)
let presentTests = tests.filter(isPresent)
let presentProducts = Set((present + presentTests).flatMap(\.products))

func dependencies(_ module: Module) -> [Target.Dependency] {
    module.imports.map { .target(name: $0) }
        + module.products.compactMap { product in
            packages.first { $0.value.products.contains(product) }.map { .product(name: product, package: $0.key) }
        }
}

let settings: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
    ] + (fuzzing ? [.define("SKEIN_FUZZ")] : [])

let package = Package(
    name: "skein",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "skein", targets: ["SkeinCommand"])].filter { _ in
        present.contains { $0.name == "SkeinCommand" }
    },
    dependencies: packages.values.filter { !presentProducts.isDisjoint(with: $0.products) }
        .sorted { $0.url < $1.url }
        .map { .package(url: "https://github.com/\($0.url).git", from: $0.from) },
    targets: present.map { module in
        switch module.kind {
        case .library: .target(name: module.name, dependencies: dependencies(module), swiftSettings: settings)
        case .executable:
            .executableTarget(name: module.name, dependencies: dependencies(module), swiftSettings: settings)
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
