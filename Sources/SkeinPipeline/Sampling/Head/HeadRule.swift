// SPDX-License-Identifier: Apache-2.0
package import SkeinBase

/// What is done at the door with spans that a rule is about.
package struct HeadRule: Hashable, Sendable {
    /// The value of the label `rule` of what it leaves out.
    package var name: String
    package var match = Match()
    package var sampler: Sampler

    package init(name: String, match: Match = Match(), sampler: Sampler) {
        self.name = name
        self.match = match
        self.sampler = sampler
    }

    /// Which of the spans stay.
    package enum Sampler: Hashable, Sendable {
        case alwaysOn
        case alwaysOff
        /// This share of what comes, from 0 to 1, by threshold and randomness of the trace
        /// (``SkeinModel/SamplingThreshold``).
        case probabilistic(Double)
        /// This share of the traces that come, by a hash of their ids and the salt, for ids that are not random.
        case hashed(Double, salt: String)
        /// So many traces a second, above 0.
        case rateLimiting(Double)
    }

    /// What a span must have, all of it.
    package struct Match: Hashable, Sendable {
        /// Of its resource.
        package var service: Wildcard?
        package var operation: Wildcard?
        /// Attributes of the span or, where it has none of that key, of its resource.
        package var attributes: [Attribute] = []
        /// Bounds of the attribute `sampling.priority`, in which OpenTracing clients say how much they want a span kept.
        package var priority: ClosedRange<Double>?

        package init() {}

        /// Whether every span that matches `other` matches this too.
        package func covers(_ other: Match) -> Bool {
            let isPriorityCovered =
                priority.map { mine in
                    other.priority.map { mine.contains($0.lowerBound) && mine.contains($0.upperBound) } ?? false
                } ?? true
            return isPriorityCovered && Self.covers(service, other.service) && Self.covers(operation, other.operation)
                && attributes.allSatisfy(other.attributes.contains)
        }

        private static func covers(_ one: Wildcard?, _ other: Wildcard?) -> Bool {
            guard let one else { return true }
            return one.covers(other ?? Wildcard("*"))
        }

        /// Whether every span matches.
        package var isUniversal: Bool { self == Match() }
    }

    /// A key and its value as text; numbers and truth values are compared by their text too.
    package struct Attribute: Hashable, Sendable {
        package var key: String
        package var value: String

        package init(key: String, value: String) {
            self.key = key
            self.value = value
        }
    }
}
