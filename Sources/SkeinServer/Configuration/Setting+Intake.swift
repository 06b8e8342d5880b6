// SPDX-License-Identifier: Apache-2.0
import SkeinPipeline
import SkeinReceivers

extension Setting {
    /// The settings of what may come in, and of what is taken out of it.
    static let intake: [Setting] = [
        limit(
            "service-spans-per-second-max",
            "Spans that each service may send in a second; a request with more is refused with 429 and may be sent again.",
            \.rates.spans,
            in: 1...1_000_000_000
        ),
        sizeLimit(
            "service-bytes-per-second-max",
            "Bytes that the spans of each service may take in a second, once they are decoded.",
            \.rates.bytes,
            in: 1 << 10...1 << 40
        ),
        limit(
            "trace-spans-taken-max",
            "Spans that are taken of one trace; those beyond are left out, counted and told.",
            \.traceSpansTakenMax,
            in: 1...1_000_000_000
        ),
        number(
            "span-items-max",
            "Attributes, events and links that are taken of a span; those beyond are left out and counted on it.",
            \.spanItemsMax,
            in: 1...10_000
        ),
        sizeLimit(
            "value-bytes-max",
            "The longest text of spans and log records; longer ones are cut and say how much is missing, bytes are cut.",
            \.valueBytesMax,
            in: 16...64 << 20
        ),
        Setting(
            "scrub-rules",
            "What is taken out of spans and logs before anything of them is kept: `drop: *.password; mask: user.email; "
                + "hash: user.id; detect: tokens, cards`.",
            form: "rules ACTION: NAME, NAME parted by `;`, or empty",
            reading: { text, configuration throws(ConfigurationError) in
                do throws(ScrubRules.Failure) {
                    configuration.scrubRules = try ScrubRules(parsing: text)
                } catch {
                    throw ConfigurationError(error.message)
                }
            },
            write: { $0.scrubRules.text }
        ),
        Setting(
            "scrub-key-file",
            "File with the secret key of the rules `hash` (HMAC-SHA-256): of 16 bytes or more. Who has it can find out which value "
                + "a hash stands for.",
            form: "a path, or empty",
            read: { text, configuration in
                configuration.scrubKeyFile = text.isEmpty ? nil : text
                return true
            },
            write: { $0.scrubKeyFile ?? "" }
        ),
        Setting(
            "cors-origins",
            "Origins of pages that may send to `otlp-http` and `zipkin` from a browser: `https://shop.example, "
                + "https://*.shop.example`, or `*` for any.",
            form: "origins SCHEME://HOST parted by commas, * or empty",
            read: { text, configuration in
                guard let origins = CrossOrigins(parsing: text) else { return false }
                configuration.corsOrigins = origins
                return true
            },
            write: { $0.corsOrigins.text }
        ),
    ]

    /// A number that may be off.
    private static func limit(
        _ key: String,
        _ help: String,
        _ path: any WritableKeyPath<ServerConfiguration, Int?> & Sendable,
        in bounds: ClosedRange<Int>
    ) -> Setting {
        Setting(
            key,
            help,
            form: "a number of \(bounds.lowerBound) to \(bounds.upperBound), or off",
            read: { text, configuration in
                let value = Int(text)
                guard text == "off" || value.map(bounds.contains) == true else { return false }
                configuration[keyPath: path] = value
                return true
            },
            write: { $0[keyPath: path].map { "\($0)" } ?? "off" }
        )
    }

    /// A size that may be off.
    static func sizeLimit(
        _ key: String,
        _ help: String,
        _ path: any WritableKeyPath<ServerConfiguration, Int?> & Sendable,
        in bounds: ClosedRange<Int>
    ) -> Setting {
        Setting(
            key,
            help,
            form: "a size of \(Quantity.text(bounds.lowerBound)) to \(Quantity.text(bounds.upperBound)), or off",
            read: { text, configuration in
                let value = Quantity.size(text)
                guard text == "off" || value.map(bounds.contains) == true else { return false }
                configuration[keyPath: path] = value
                return true
            },
            write: { $0[keyPath: path].map(Quantity.text) ?? "off" }
        )
    }
}
