// SPDX-License-Identifier: Apache-2.0
import Logging
import SkeinAPI
import SkeinEngine
import SkeinReceivers

/// One setting: how it is called in each of the three places it may come from, what it means, and how its text is read.
package struct Setting: Sendable {
    /// As in the YAML file; `a.b` is `b` below `a`.
    package let key: String
    /// What it does, in one or two sentences.
    package let help: String
    /// Form, unit and bounds of its value.
    package let form: String
    private let read: @Sendable (String, inout ServerConfiguration) throws(ConfigurationError) -> Bool
    private let write: @Sendable (ServerConfiguration) -> String

    init(
        _ key: String,
        _ help: String,
        form: String,
        read: @escaping @Sendable (String, inout ServerConfiguration) -> Bool,
        write: @escaping @Sendable (ServerConfiguration) -> String
    ) {
        self.key = key
        self.help = help
        self.form = form
        self.read = read
        self.write = write
    }

    /// A setting of two words, one for `false` and one for `true`.
    init(
        _ key: String,
        _ help: String,
        words: (off: String, on: String),
        of value: WritableKeyPath<ServerConfiguration, Bool> & Sendable
    ) {
        self.init(
            key,
            help,
            form: "\(words.off) or \(words.on)",
            read: { text, configuration in
                guard text == words.off || text == words.on else { return false }
                configuration[keyPath: value] = text == words.on
                return true
            },
            write: { $0[keyPath: value] ? words.on : words.off }
        )
    }

    /// A setting whose text is long enough that a reader says what is wrong with it, instead of what is right.
    init(
        _ key: String,
        _ help: String,
        form: String,
        reading read: @escaping @Sendable (String, inout ServerConfiguration) throws(ConfigurationError) -> Void,
        write: @escaping @Sendable (ServerConfiguration) -> String
    ) {
        self.key = key
        self.help = help
        self.form = form
        self.read = { text, configuration throws(ConfigurationError) in
            try read(text, &configuration)
            return true
        }
        self.write = write
    }

    /// The environment variable, such as `SKEIN_LISTEN_OTLP_HTTP`.
    package var variable: String {
        "SKEIN_" + key.map { $0 == "." || $0 == "-" ? "_" : $0.uppercased() }.joined()
    }

    /// The flag, such as `--listen otlp-http=` or `--data-dir`.
    package var flag: String {
        let parts = key.split(separator: ".", maxSplits: 1)
        return parts.count == 2 ? "--\(parts[0]) \(parts[1])=" : "--\(key)"
    }

    /// The default, as text.
    package var defaultText: String { write(ServerConfiguration()) }

    /// The value in `configuration`, as text that ``apply(_:from:to:)`` takes.
    package func text(in configuration: ServerConfiguration) -> String { write(configuration) }

    /// Puts `text` into `configuration`; `source` says in an error where the text stood.
    func apply(_ text: String, from source: String, to configuration: inout ServerConfiguration)
        throws(ConfigurationError)
    {
        let isGood: Bool
        do throws(ConfigurationError) {
            isGood = try read(text, &configuration)
        } catch {
            throw ConfigurationError("\(source): \(error.message)")
        }
        guard isGood else {
            throw ConfigurationError("\(source) is \"\(text)\": it has to be \(form)")
        }
    }

    /// Every setting there is, in the order they are shown.
    package static let all: [Setting] =
        [
            Setting(
                "data-dir",
                "Folder that holds the traces; made when missing. One process at a time may use it.",
                form: "a path",
                read: { text, configuration in
                    configuration.dataDirectory = text
                    return !text.isEmpty
                },
                write: { $0.dataDirectory }
            )
        ] + ListenerName.allCases.map(listener) + [
            Setting(
                "insecure-no-auth",
                "Allow listeners that other machines can reach, although Skein does not ask who they are.",
                form: "true or false",
                read: { text, configuration in
                    guard let value = Bool(text) else { return false }
                    configuration.insecureNoAuth = value
                    return true
                },
                write: { "\($0.insecureNoAuth)" }
            ),
            Setting(
                "durability",
                "When a sender is answered: `always` after its spans are on the disk; `interval=…` at once, with at most "
                    + "that much lost in a power cut; `os` at once, with the disk left to the operating system. A crash of "
                    + "the process alone loses nothing in any of them.",
                form: "always, interval=DURATION with 1ms to 1h, or os",
                read: readDurability,
                write: { configuration in
                    switch configuration.durability {
                    case .always: "always"
                    case .interval(let interval): "interval=\(Quantity.text(interval))"
                    case .os: "os"
                    }
                }
            ),
            Setting(
                "retention",
                "Delete traces that came longer ago than this; `off` keeps them for good.",
                form: "a duration of at least 1m such as 12h or 30d, or off",
                read: { text, configuration in
                    let value = Quantity.duration(text)
                    guard text == "off" || value.map({ $0 >= .seconds(60) }) == true else { return false }
                    configuration.retention = value
                    return true
                },
                write: { $0.retention.map(Quantity.text) ?? "off" }
            ),
            Setting(
                "retention-rules",
                "Keep traces with certain spans for another time than `retention`: `90d: error = true; 1d: name = \"health\"`. "
                    + "Of several rules the first that a trace satisfies decides.",
                form: "rules AGE: CONDITION parted by `;`, AGE a duration of at least 1m or off, or empty",
                reading: { text, configuration throws(ConfigurationError) in
                    do throws(RetentionRuleText.Failure) {
                        configuration.retentionRules = try RetentionRuleText.parse(text)
                    } catch {
                        throw ConfigurationError(error.message)
                    }
                },
                write: { $0.retentionRules.map(\.text).joined(separator: "; ") }
            ),
            Setting(
                "sampling-config",
                "Keep only traces that the policies in this file keep: the block `tail_sampling` of an OpenTelemetry collector, as "
                    + "YAML. Spans wait in memory until their trace was decided. A block `head_sampling` leaves out spans as they come.",
                form: "a path, or empty",
                reading: { text, configuration throws(ConfigurationError) in
                    configuration.sampling = text.isEmpty ? nil : try SamplingFile(path: text)
                },
                write: { $0.sampling?.path ?? "" }
            ),
            Setting(
                "rollup-retention",
                "Delete sums by the minute, from which statistics and the service graph come, that came longer ago than "
                    + "this; `off` keeps them for good. They outlive the traces, by the hour from 30 days on, and take little "
                    + "room.",
                form: "a duration of at least 1m such as 90d, or off",
                read: { text, configuration in
                    let value = Quantity.duration(text)
                    guard text == "off" || value.map({ $0 >= .seconds(60) }) == true else { return false }
                    configuration.rollupRetention = value
                    return true
                },
                write: { $0.rollupRetention.map(Quantity.text) ?? "off" }
            ),
            Setting(
                "retention-bytes",
                "Delete the oldest traces before the data folder takes more than this, log and sums included; `off` for no "
                    + "bound. Room for what is being written is kept free, up to a third of a small one.",
                form: "a size of at least 64MiB such as 100GB, or off",
                read: { text, configuration in
                    let value = Quantity.size(text)
                    guard text == "off" || value.map({ $0 >= 64 << 20 }) == true else { return false }
                    configuration.retentionBytes = value
                    return true
                },
                write: { $0.retentionBytes.map(Quantity.text) ?? "off" }
            ),
            size(
                "memory",
                "Memory that all of the server shares: the newest spans, requests in flight, background work, caches and "
                    + "queries. Who finds none is asked to come again.",
                \.memoryBytes,
                in: 128 << 20...1 << 40
            ),
            Setting(
                "request-bytes-max",
                "Largest request, as sent and after decompression; larger ones are refused for good. The default is 64MiB, or "
                    + "what less `memory` than 450MiB allows: 33MiB of 256MiB, 12MiB of 128MiB.",
                form: "a size of 64KiB to 256MiB",
                read: { text, configuration in
                    guard let value = Quantity.size(text), (64 << 10...256 << 20).contains(value) else { return false }
                    configuration.requestBytesMaxSet = value
                    return true
                },
                write: { Quantity.text($0.requestBytesMax) }
            ),
            Setting(
                "query-timeout",
                "The longest a query may take before it is stopped.",
                form: "a duration of 1s to 1h",
                read: { text, configuration in
                    guard let value = Quantity.duration(text), value >= .seconds(1), value <= .seconds(3600) else {
                        return false
                    }
                    configuration.queryTimeout = value
                    return true
                },
                write: { Quantity.text($0.queryTimeout) }
            ),
            number(
                "queries-max",
                "Queries that run at once; above that askers are told to come again.",
                \.queriesMax,
                in: 1...1000
            ),
            number(
                "tails-max",
                "Live tails that are open at once; above that askers are told to come again. They are not queries, and have "
                    + "no time-out.",
                \.tailsMax,
                in: 1...1000
            ),
            number(
                "trace-spans-max",
                "Spans of a trace that is answered whole, each of about half a kilobyte while it is; larger traces are read "
                    + "page by page.",
                \.traceSpansMax,
                in: 1_000...10_000_000
            ),
            Setting(
                "zipkin-strict-trace-id",
                "Whether the Zipkin API compares trace ids of 128 bits whole. With `false` traces that share the lower 64 bits are "
                    + "one, as they are where a client on the way cut the id; asking for one then looks at the ids of all.",
                form: "true or false",
                read: { text, configuration in
                    guard let value = Bool(text) else { return false }
                    configuration.zipkin.strictTraceID = value
                    return true
                },
                write: { "\($0.zipkin.strictTraceID)" }
            ),
            Setting(
                "zipkin-autocomplete-keys",
                "Tags whose values Zipkin's page suggests; without any those of spans that are most in use.",
                form: "names parted by commas, or empty",
                read: { text, configuration in
                    let keys = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
                    guard text.isEmpty || !keys.contains("") else { return false }
                    configuration.zipkin.autocompleteKeys = text.isEmpty ? nil : keys
                    return true
                },
                write: { $0.zipkin.autocompleteKeys?.joined(separator: ",") ?? "" }
            ),
        ] + intake + work + sampling + [
            Setting(
                "web-dir",
                "Serve the page from this folder instead of from inside the binary: for whoever edits it.",
                form: "a path, or empty",
                read: { text, configuration in
                    configuration.webDirectory = text.isEmpty ? nil : text
                    return true
                },
                write: { $0.webDirectory ?? "" }
            ),
            Setting(
                "base-path",
                "Path below which a proxy mounts the web listener.",
                form: "empty, or a path such as /skein",
                read: { text, configuration in
                    let path = text.hasSuffix("/") ? String(text.dropLast()) : text
                    let isPlain = path.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "?") }
                    guard path.isEmpty || path.hasPrefix("/"), isPlain else { return false }
                    configuration.basePath = path
                    return true
                },
                write: { $0.basePath }
            ),
            Setting(
                "log-level",
                "The least important messages that are logged.",
                form: "one of \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))",
                read: { text, configuration in
                    guard let value = Logger.Level(rawValue: text) else { return false }
                    configuration.logLevel = value
                    return true
                },
                write: { $0.logLevel.rawValue }
            ),
        ]

    private static func listener(_ name: ListenerName) -> Setting {
        Setting(
            "listen.\(name.rawValue)",
            "Where the listener \(name.rawValue) waits.",
            form: "HOST:PORT (an IPv6 host in brackets, port 0 for any free one), or off",
            read: { text, configuration in
                let address = ListenAddress(text)
                guard text == "off" || address != nil else { return false }
                configuration.listeners[name] = address
                return true
            },
            write: { $0.listeners[name]?.description ?? "off" }
        )
    }

    static func number(
        _ key: String,
        _ help: String,
        _ path: any WritableKeyPath<ServerConfiguration, Int> & Sendable,
        in bounds: ClosedRange<Int>
    ) -> Setting {
        Setting(
            key,
            help,
            form: "a number of \(bounds.lowerBound) to \(bounds.upperBound)",
            read: { text, configuration in
                guard let value = Int(text), bounds.contains(value) else { return false }
                configuration[keyPath: path] = value
                return true
            },
            write: { "\($0[keyPath: path])" }
        )
    }

    private static func size(
        _ key: String,
        _ help: String,
        _ path: any WritableKeyPath<ServerConfiguration, Int> & Sendable,
        in bounds: ClosedRange<Int>
    ) -> Setting {
        Setting(
            key,
            help,
            form: "a size of \(Quantity.text(bounds.lowerBound)) to \(Quantity.text(bounds.upperBound))",
            read: { text, configuration in
                guard let value = Quantity.size(text), bounds.contains(value) else { return false }
                configuration[keyPath: path] = value
                return true
            },
            write: { Quantity.text($0[keyPath: path]) }
        )
    }

    @Sendable
    private static func readDurability(_ text: String, _ configuration: inout ServerConfiguration) -> Bool {
        switch text {
        case "always": configuration.durability = .always
        case "os": configuration.durability = .os
        default:
            guard text.hasPrefix("interval="), let interval = Quantity.duration(String(text.dropFirst(9))),
                interval >= .milliseconds(1), interval <= .seconds(3600)
            else { return false }
            configuration.durability = .interval(interval)
        }
        return true
    }
}
