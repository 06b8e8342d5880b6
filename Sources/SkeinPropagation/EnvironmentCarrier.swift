// SPDX-License-Identifier: Apache-2.0

/// The context in environment variables, for processes that start others (OpenTelemetry, "Environment Variables as Context
/// Propagation Carriers"): header names in upper case, with `_` for what a variable's name cannot hold.
public struct EnvironmentCarrier: PropagationSource, PropagationTarget {
    public private(set) var variables: [String: String]

    /// A carrier of these variables.
    public init(_ variables: [String: String] = [:]) { self.variables = variables }

    public func value(_ name: String) -> String? { variables[Self.variable(name)] }

    public mutating func set(_ name: String, _ value: String) { variables[Self.variable(name)] = value }

    private static func variable(_ name: String) -> String {
        String(decoding: name.uppercased().utf8.map { isAllowed($0) ? $0 : UInt8(ascii: "_") }, as: UTF8.self)
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        (0x41...0x5a).contains(byte) || (0x30...0x39).contains(byte)
    }
}
