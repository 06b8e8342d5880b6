// SPDX-License-Identifier: Apache-2.0

/// What makes no sense in a configuration, and what is done in its place. To be told once, at the start.
public struct ConfigurationProblem: Hashable, Sendable {
    /// Where it stands.
    public enum Place: Hashable, Sendable {
        /// A field of the configuration, wherever it was set.
        case field
        case environment
        /// Lines count from 1.
        case file(path: String, line: Int)
    }

    public var place: Place
    /// The variable of the environment, the key of the file, or the field.
    public var name: String
    /// As it is written, shortened; `nil` where it may be a secret, or there is none.
    public var value: String?
    /// What is wrong: a whole sentence, or, where there is a value, what follows it in one.
    public var reason: String
    /// What holds instead; `nil` where that needs no word.
    public var instead: String?

    public init(_ place: Place, _ name: String, value: String? = nil, reason: String, instead: String? = nil) {
        self.place = place
        self.name = name
        self.value = value.map(Self.shown)
        self.reason = reason
        self.instead = instead
    }

    /// Most characters of a value that are shown.
    private static let valueLengthMax = 120

    /// Short, on one line, and without what may be a secret in an address.
    private static func shown(_ value: String) -> String {
        // Cut first, a long password would hide the end by which it is known.
        let safe = value.withoutAddressSecrets(mark: "…")
        let text = String(safe.prefix(valueLengthMax).map { $0.isNewline ? " " : $0 })
        return text.count < safe.count ? text + "…" : text
    }
}

extension ConfigurationProblem: CustomStringConvertible {
    /// One sentence that names the place, the value, what is allowed and what holds.
    public var description: String {
        let place =
            switch place {
            case .field: "\(name) of the configuration"
            case .environment: name
            case .file(let path, let line): "line \(line) of \(path): \(name)"
            }
        return "\(place) is ignored: \(value.map { "\"\($0)\" " } ?? "")\(reason)\(instead.map { "; \($0)" } ?? "")"
    }
}
