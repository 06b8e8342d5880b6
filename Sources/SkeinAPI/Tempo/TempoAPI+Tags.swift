// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import SkeinTraceQL

/// Names and values that queries are completed with.
extension TempoAPI {
    static func tagNames(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let answer = try await tagNames(try TempoTagNamesRequest(call), isScoped: false, api, call)
        return try .message(answer, MessageForm(call), AnswerRoom(api.answers))
    }

    static func scopedTagNames(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let answer = try await tagNames(try TempoTagNamesRequest(call), isScoped: true, api, call)
        return try .message(answer, MessageForm(call), AnswerRoom(api.answers))
    }

    static func tagValues(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let request = try TempoTagValuesRequest(call, isScoped: false)
        let answer = try await tagValues(request, isTyped: false, api, call)
        return try .message(answer, MessageForm(call), AnswerRoom(api.answers))
    }

    static func typedTagValues(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let request = try TempoTagValuesRequest(call, isScoped: true)
        let answer = try await tagValues(request, isTyped: true, api, call)
        return try .message(answer, MessageForm(call), AnswerRoom(api.answers))
    }

    // MARK: Names

    static func tagNames(
        _ request: TempoTagNamesRequest,
        isScoped: Bool,
        _ api: API,
        _ call: APICall
    ) async throws(APIError) -> TempoTagNamesAnswer {
        let names = request.scope == .intrinsic ? [:] : try await attributeNames(request, api, call)
        var scopes: [TempoTagNames.Scope] = []
        for scope in TempoTagNames.scopes {
            guard let tags = names[scope], !tags.isEmpty else { continue }
            scopes.append(
                .init(name: scope.rawValue, tags: request.limit > 0 ? Array(tags.prefix(request.limit)) : tags)
            )
        }
        // In the list without scopes nobody could tell them from attributes.
        if request.scope == .intrinsic || (request.scope == .all && isScoped) {
            scopes.append(.init(name: "intrinsic", tags: TempoTagNames.intrinsics))
        }
        return TempoTagNamesAnswer(scopes: scopes, isScoped: isScoped)
    }

    /// By scope, ordered by name.
    private static func attributeNames(
        _ request: TempoTagNamesRequest,
        _ api: API,
        _ call: APICall
    ) async throws(APIError) -> [AttributeScope: [String]] {
        let stored = try await api.ask(call) { store throws(StoreError) in
            try await store.attributeKeys(prefix: "", limit: .max).names
        }
        var names: [AttributeScope: [String]] = [:]
        for key in stored where request.includes(key.scope) { names[key.scope, default: []].append(key.name) }
        guard let predicate = TraceQL.lenientConditions(request.query) else { return names }
        // Of events and links there are no columns to look at: theirs are listed whatever the query says.
        let counted = [AttributeScope.resource, .span, .instrumentation].filter(request.includes)
        let query = TableQuery(range: request.range, predicate: predicate, columns: .all)
        let fold = TempoNameFold(scopes: counted)
        let found = try await api.ask(call) { store throws(StoreError) in try await store.fold(query, by: fold) }
        for scope in counted { names[scope]?.removeAll { !found.contains(.attribute(scope, $0)) } }
        return names
    }

    // MARK: Values

    static func tagValues(
        _ request: TempoTagValuesRequest,
        isTyped: Bool,
        _ api: API,
        _ call: APICall
    ) async throws(APIError) -> TempoTagValuesAnswer {
        let field: SpanField
        switch request.source {
        case .keywords(let words): return TempoTagValuesAnswer(keywords: words, isTyped: isTyped)
        case .nothing: return TempoTagValuesAnswer(keywords: [], isTyped: isTyped)
        case .field(let of), .root(let of): field = of
        }
        var isRoot = false
        if case .root = request.source { isRoot = true }
        let values: [AttributeValue]
        if let predicate = TraceQL.lenientConditions(request.query) {
            let fold = TempoValueFold(field: field, ofRoot: isRoot)
            let query = TableQuery(
                range: request.range,
                predicate: predicate,
                needsWholeTraces: isRoot,
                columns: fold.columns
            )
            let counts = try await api.ask(call) { store throws(StoreError) in try await store.fold(query, by: fold) }
            values = counts.map { ValueCount(value: $0.key, count: $0.value) }
                .sorted { $0.count != $1.count ? $0.count > $1.count : $0.value.text < $1.value.text }.map(\.value)
        } else {
            // Also of roots: what is the name of some span may be that of a root.
            values = try await api.ask(call) { store throws(StoreError) in
                try await store.values(of: field, prefix: "", limit: ValueList.countMax).values.map(\.value)
            }
        }
        return TempoTagValuesAnswer(values, limit: request.limit, isTyped: isTyped)
    }
}
