// SPDX-License-Identifier: Apache-2.0

/// Names that are taken: those of `included` without those of `excluded`. In a pattern `?` stands for a character and `*` for
/// any number of them (opentelemetry-configuration 1.0, `IncludeExclude`).
public struct NameFilter: Hashable, Sendable {
    /// `nil` for all.
    public var included: [String]?
    public var excluded: [String]

    public init(included: [String]? = nil, excluded: [String] = []) {
        self.included = included
        self.excluded = excluded
    }

    /// Whether `name` is taken.
    package func takes(_ name: String) -> Bool {
        (included.map { $0.contains { Self.matches(name, pattern: $0) } } ?? true)
            && !excluded.contains { Self.matches(name, pattern: $0) }
    }

    /// Takes at most as many steps as the product of both lengths.
    private static func matches(_ name: String, pattern: String) -> Bool {
        let (name, pattern) = (Array(name), Array(pattern))
        var (i, j) = (0, 0)
        // Where to go on when what follows the last star does not fit.
        var retry: (name: Int, pattern: Int)?
        while i < name.count {
            if j < pattern.count, pattern[j] == "*" {
                retry = (i, j)
                j += 1
            } else if j < pattern.count, pattern[j] == "?" || pattern[j] == name[i] {
                i += 1
                j += 1
            } else if let last = retry {
                retry = (last.name + 1, last.pattern)
                (i, j) = (last.name + 1, last.pattern + 1)
            } else {
                return false
            }
        }
        return pattern[j...].allSatisfy { $0 == "*" }
    }
}
