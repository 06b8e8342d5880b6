// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinEngine
import SkeinReceivers
import SkeinServer
import Testing

struct ConfigurationTests {
    private func resolve(
        file: String? = nil,
        environment: [String: String] = [:],
        flags: [String: String] = [:]
    ) throws -> ServerConfiguration {
        var path: String?
        if let file {
            let url = FileManager.default.temporaryDirectory.appending(path: "skein-\(UUID().uuidString).yaml")
            try Data(file.utf8).write(to: url)
            path = url.path()
        }
        defer { if let path { try? FileManager.default.removeItem(atPath: path) } }
        return try ConfigurationSources(file: path, environment: environment, flags: flags).resolve().configuration
    }

    @Test func `by default everything listens on this machine only`() throws {
        let configuration = try resolve()
        #expect(configuration.listeners.count == ListenerName.allCases.count)
        #expect(configuration.listeners.values.allSatisfy { $0.isLoopback })
        #expect(configuration.listeners[.web]?.port == 16686)
        #expect(configuration.durability == .always)
        #expect(configuration.memoryBytes == 512 << 20)
    }

    @Test func `flags win over the environment and that over the file`() throws {
        let file = """
            data-dir: /from/file
            retention: 1h
            memory: 256MiB
            listen:
              web: 127.0.0.1:1
              otlp-http: off
            """
        let configuration = try resolve(
            file: file,
            environment: ["SKEIN_RETENTION": "2h", "SKEIN_MEMORY": "384MiB", "SKEIN_LISTEN_OTLP_GRPC": "[::1]:3"],
            flags: ["memory": "1GiB"]
        )
        #expect(configuration.dataDirectory == "/from/file")
        #expect(configuration.retention == .seconds(7200))
        #expect(configuration.memoryBytes == 1 << 30)
        #expect(configuration.listeners[.web] == ListenAddress(host: "127.0.0.1", port: 1))
        #expect(configuration.listeners[.otlpHTTP] == nil)
        #expect(configuration.listeners[.otlpGRPC] == ListenAddress(host: "::1", port: 3))
    }

    @Test func `an empty file changes nothing`() throws {
        #expect(try resolve(file: "").dataDirectory == "./data")
        #expect(try resolve(file: "# only words\n").dataDirectory == "./data")
    }

    @Test(arguments: [
        ("retention-bytes", "100GB", "retention-bytes", "100GB"), ("retention", "off", "retention", "off"),
        ("durability", "interval=250ms", "durability", "interval=250ms"), ("retention", "90m", "retention", "90m"),
        ("query-timeout", "1.5m", "query-timeout", "90s"), ("base-path", "/a/b/", "base-path", "/a/b"),
        ("listen.web", "localhost:0", "listen.web", "localhost:0"), ("log-level", "debug", "log-level", "debug"),
        ("trace-spans-max", "50000", "trace-spans-max", "50000"),
    ])
    func `values are read and written back`(_ key: String, _ text: String, _ written: String, _ result: String) throws {
        let configuration = try resolve(flags: [key: text])
        let setting = try #require(Setting.all.first { $0.key == written })
        #expect(setting.text(in: configuration) == result)
    }

    @Test(arguments: [
        ("memory", "a lot"), ("memory", "1MiB"), ("retention", "30"), ("retention", "1s"), ("durability", "never"),
        ("durability", "interval=0s"), ("listen.web", "16686"), ("listen.web", "::1:80"), ("listen.web", "a:99999"),
        ("query-timeout", "-1s"), ("queries-max", "0"), ("log-level", "loud"), ("insecure-no-auth", "maybe"),
        ("base-path", "skein"), ("data-dir", ""), ("retention-bytes", "99999999999999999999GB"),
        ("trace-spans-max", "999"), ("trace-spans-max", "10000001"),
    ])
    func `a bad value is refused with its place and what is allowed`(_ key: String, _ text: String) throws {
        let error = try #require(throws: ConfigurationError.self) { try resolve(flags: [key: text]) }
        let setting = try #require(Setting.all.first { $0.key == key })
        #expect(error.message.contains("\"\(text)\""))
        #expect(error.message.contains(setting.flag))
        #expect(error.message.contains(setting.form))
    }

    @Test func `an unknown key names the nearest known one`() throws {
        let flag = try #require(throws: ConfigurationError.self) { try resolve(flags: ["listen.otlp-htp": "off"]) }
        #expect(flag.message.contains("did you mean listen.otlp-http?"))
        let file = try #require(throws: ConfigurationError.self) { try resolve(file: "retentoin: 1d") }
        #expect(file.message.contains("did you mean retention?"))
        let far = try #require(throws: ConfigurationError.self) { try resolve(file: "kafka: 1") }
        #expect(far.message.contains("--print-config"))
        let warned = try ConfigurationSources(environment: ["SKEIN_DATADIR": "x", "SKEIN_BROWSER_PATH_OF_TESTS": "y"])
            .resolve().warnings
        #expect(warned.count == 1 && warned[0].contains("SKEIN_DATA_DIR"))
    }

    @Test func `a file that is no mapping is refused`() {
        for text in ["- a", "just words", "listen: [1, 2]", "a: {b: {c: {d: {e: f}}}}", "\t: :"] {
            #expect(throws: ConfigurationError.self) { try resolve(file: text) }
        }
        #expect(throws: ConfigurationError.self) { try ConfigurationSources(file: "/not/there").resolve() }
    }

    @Test(arguments: ["0.0.0.0:1", "[::]:1", "192.168.1.4:1", "example.org:1", "127.evil.example:1"])
    func `a listener that others can reach has to be asked for twice`(_ address: String) throws {
        let error = try #require(throws: ConfigurationError.self) { try resolve(flags: ["listen.web": address]) }
        #expect(error.message.contains("--insecure-no-auth"))
        let open = try resolve(flags: ["listen.web": address, "insecure-no-auth": "true"])
        #expect(open.listeners[.web]?.isLoopback == false)
    }

    @Test func `at least one listener stays on and requests fit the memory`() throws {
        let off = Dictionary(uniqueKeysWithValues: ListenerName.allCases.map { ("listen.\($0.rawValue)", "off") })
        #expect(throws: ConfigurationError.self) { try resolve(flags: off) }
        let error = try #require(throws: ConfigurationError.self) {
            try resolve(flags: ["memory": "128MiB", "request-bytes-max": "64MiB"])
        }
        #expect(error.message.contains("raise memory"))
        #expect(error.message.contains("128MiB") && error.message.contains("64MiB"))
    }

    @Test(arguments: [("128MiB", 12), ("256MiB", 33), ("450MiB", 64), ("512MiB", 64), ("1TiB", 64)])
    func `the largest request follows the memory unless it is said`(_ memory: String, _ most: Int) throws {
        #expect(try resolve(flags: ["memory": memory]).requestBytesMax == most << 20)
        let said = try resolve(flags: ["memory": memory, "request-bytes-max": "4MiB"])
        #expect(said.requestBytesMax == 4 << 20)
        #expect(throws: ConfigurationError.self) {
            try resolve(flags: ["memory": memory, "request-bytes-max": "\(2 * most + 129)MiB"])
        }
    }

    @Test func `what is printed reads back as the same configuration`() throws {
        let flags = ["listen.web": "off", "durability": "os", "web-dir": "web", "retention-bytes": "10GB"]
        let yaml = try ConfigurationSources(flags: flags).resolve().yaml
        let again = try resolve(file: yaml)
        for setting in Setting.all {
            #expect(yaml.contains(setting.variable))
            if let text = flags[setting.key] { #expect(setting.text(in: again) == text) }
        }
        #expect(yaml.contains("set by --web-dir"))
    }

    @Test func `the documentation speaks of every setting as it is`() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "docs/configuration.md"), encoding: .utf8)
        for setting in Setting.all {
            let standard = setting.defaultText.isEmpty ? "empty" : "`\(setting.defaultText)`"
            let row = "| `\(setting.key)` | `\(setting.flag)` | `\(setting.variable)` | \(standard) | \(setting.form) |"
            #expect(text.contains(row), "docs/configuration.md lacks: \(row)")
        }
    }
}
