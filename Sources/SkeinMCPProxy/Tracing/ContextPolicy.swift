// SPDX-License-Identifier: Apache-2.0
package import SkeinMCP
import SkeinPropagation

/// Whose trace a call belongs to, and what of it a server may see.
package struct ContextPolicy: Sendable {
    /// Where a context may come from.
    package enum Source: String, CaseIterable, Sendable {
        /// `params._meta` of the message.
        case meta
        /// The headers of the HTTP request that brought it.
        case header
        /// The variables that this process was started with.
        case environment
    }

    /// The first that names a trace is followed; none is where this is empty.
    package var parents: [Source]
    package var baggage: BaggageFilter

    package init(parents: [Source] = Source.allCases, baggage: BaggageFilter = .all) {
        self.parents = parents
        self.baggage = baggage
    }

    /// Reads both; `nil` where one of them cannot be read.
    package init?(parents: String, baggage: String) {
        guard let parents = Self.parents(parents), let baggage = Self.baggage(baggage) else { return nil }
        self.init(parents: parents, baggage: baggage)
    }

    /// Reads `all`, `none`, or keys with commas between them; `nil` for anything else.
    package static func baggage(_ text: String) -> BaggageFilter? { BaggageFilter(text) }

    /// Reads `none`, or sources with commas between them, each once, the one that goes first before the others; `nil` for anything else.
    package static func parents(_ text: String) -> [Source]? {
        if text == "none" { return [] }
        let words = text.split(separator: ",", omittingEmptySubsequences: false)
        let sources = words.compactMap { Source(rawValue: String($0)) }
        return sources.count == words.count && Set(sources).count == words.count ? sources : nil
    }

    /// What is followed of a message's own context and those around it.
    func parent(meta: PropagatedContext, _ ambience: Ambience) -> PropagatedContext? {
        parents.lazy.map { source in
            switch source {
            case .meta: meta
            case .header: ambience.header
            case .environment: ambience.environment
            }
        }
        .first { $0.spanContext != nil }
    }
}
