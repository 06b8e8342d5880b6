// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinTraceQL

/// Says which attributes of a question no stored span carries: a name that is an attribute because it is nothing else may
/// be a slip of the pen.
struct NameHints {
    private let store: any SpanStore

    init(_ store: any SpanStore) { self.store = store }

    /// Whole sentences about the attributes of a condition.
    func hints(for predicate: SpanPredicate) async throws(StoreError) -> [String] {
        var hints: [String] = []
        for (scope, key) in predicate.attributes.prefix(Self.countMax) {
            if let hint = try await hint(scope, key, words: scope == .any ? TraceQL.names : []) { hints.append(hint) }
        }
        return hints
    }

    /// Also of the keys that are to be redacted.
    func hints(for removal: Removal) async throws(StoreError) -> [String] {
        var hints = try await hints(for: removal.predicate)
        guard case .redact(let keys) = removal.action else { return hints }
        for key in keys.prefix(Self.countMax) {
            if let hint = try await hint(nil, key, words: []), !hints.contains(hint) { hints.append(hint) }
        }
        return hints
    }

    /// Names that are looked up for one question, and stored keys that a slip is compared with.
    private static let countMax = 20
    private static let keyCountMax = 10_000

    /// What to say of a key; nothing when a span carries it. Without a scope it may be carried anywhere.
    private func hint(_ scope: AttributeScope?, _ key: String, words: [String]) async throws(StoreError) -> String? {
        func isMeant(_ stored: AttributeKey) -> Bool {
            switch scope {
            case nil: true
            case .any: stored.scope == .span || stored.scope == .resource
            case let scope: stored.scope == scope
            }
        }
        // `service.name` is known whether or not a span has one.
        if key.isExactly("service.name"), scope == nil || scope == .any || scope == .resource { return nil }
        let same = try await store.attributeKeys(prefix: key, limit: AttributeScope.allCases.count).names
            .filter { $0.name.isExactly(key) }
        if same.contains(where: isMeant) { return nil }
        let subject = "No stored span carries \(Self.name(scope, key))"
        if let other = same.first { return "\(subject); did you mean \(Self.name(other.scope, key))?" }
        let stored = try await store.attributeKeys(prefix: "", limit: Self.keyCountMax).names.filter(isMeant)
        let near = Spelling.nearest(to: key, among: words + stored.map(\.name))
        guard let near else { return "\(subject)." }
        return "\(subject); did you mean \(words.contains(near) ? near : Self.name(scope, near))?"
    }

    private static func name(_ scope: AttributeScope?, _ key: String) -> String {
        guard let scope, scope != .any else { return key }
        return "\(scope.rawValue).\(key)"
    }
}
