// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import SkeinTraceQL
import SkeinWire

/// What may stand at a place of a query that is being typed.
extension NativeAPI {
    /// One proposal.
    private struct Choice {
        var text: String
        /// `field`, `value`, `operator` or `function`.
        var kind: String
        /// Stored copies of spans that have it; `nil` where nobody counts.
        var count: Int?
    }

    /// Proposals for `q` at byte `position`, most frequent first.
    static func complete(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let text = call.request.query("q") ?? ""
        let length = text.utf8.count
        let position = try call.number("position", 0...max(length, TraceQL.Limits.queryBytesMax), usual: length)
        let limit = try call.limit(atMost: 200, usual: 20)
        let completion = TraceQL.complete(text, at: position)
        let isBraced = text.first { $0 != " " && $0 != "(" } == "{"
        let choices = try await choices(completion.subject, isBraced: isBraced, limit, api, call)
        return .json(capacity: 256 + choices.count * 64) { json in
            json.object { json in
                json.object("replace") { json in
                    json.member("offset", completion.replaced.lowerBound)
                    json.member("length", completion.replaced.count)
                }
                json.array("choices") { json in
                    for choice in choices.prefix(limit) {
                        json.object { json in
                            json.member("text", choice.text)
                            json.member("kind", choice.kind)
                            json.member("count", choice.count.map(UInt64.init))
                        }
                    }
                }
            }
        }
    }

    private static func choices(
        _ subject: Completion.Subject,
        isBraced: Bool,
        _ limit: Int,
        _ api: API,
        _ call: APICall
    ) async throws(APIError) -> [Choice] {
        switch subject {
        case .nothing: return []
        case .sign(let signs): return signs.map { Choice(text: $0, kind: "operator") }
        case .function(let names, let prefix):
            return names.filter { $0.hasPrefix(prefix) }.map { Choice(text: $0, kind: "function") }
        case .field(let qualifier, let prefix):
            return try await fields(qualifier, prefix, isBraced: isBraced, limit, api, call)
        case .value(let field, _, let prefix, _): return try await values(of: field, prefix, limit, api, call)
        }
    }

    // MARK: Names

    private static func fields(
        _ qualifier: Completion.Qualifier?,
        _ prefix: String,
        isBraced: Bool,
        _ limit: Int,
        _ api: API,
        _ call: APICall
    ) async throws(APIError) -> [Choice] {
        if case .intrinsic(let scope) = qualifier {
            return Intrinsic.allCases.map(\.rawValue).filter { $0.hasPrefix("\(scope):\(prefix)") }.map {
                Choice(text: $0, kind: "field")
            }
        }
        var choices: [Choice] = []
        if qualifier == nil {
            let words =
                isBraced
                ? Intrinsic.words.keys.sorted() : ["service", "operation", "error"] + Intrinsic.words.keys.sorted()
            let scopes = isBraced ? AttributeScope.allCases.filter { $0 != .any }.map { "\($0.rawValue)." } : []
            choices += (words + scopes).filter { $0.hasPrefix(prefix) && $0 != "parent" }
                .map { Choice(text: $0, kind: "field") }
        }
        let keys = try await api.ask(call) { store throws(StoreError) in
            try await store.attributeKeys(prefix: prefix, limit: 1_000)
        }
        let wanted = keys.names.filter { qualifier.admits($0.scope) }
            .sorted { $0.spanCount != $1.spanCount ? $0.spanCount > $1.spanCount : $0.name < $1.name }
        for key in wanted.prefix(limit) {
            let text: String
            switch qualifier {
            case .attribute(let scope): text = Field.attribute(scope, key.name).text
            case .parentAttribute(let scope): text = Field.parentAttribute(scope, key.name).text
            default:
                text = isBraced ? Field.attribute(key.scope, key.name).text : TraceQL.bareName(ofAttribute: key.name)
            }
            if !choices.contains(where: { $0.text == text }) {
                choices.append(Choice(text: text, kind: "field", count: key.spanCount))
            }
        }
        return choices
    }

    // MARK: Values

    private static func values(
        of field: Field,
        _ prefix: String,
        _ limit: Int,
        _ api: API,
        _ call: APICall
    ) async throws(APIError) -> [Choice] {
        switch field {
        case .intrinsic(.status): return words(StatusWord.allCases.map(\.rawValue), prefix)
        case .intrinsic(.kind): return words(KindWord.allCases.map(\.rawValue), prefix)
        default: break
        }
        guard let stored = field.column else { return [] }
        let found = try await api.ask(call) { store throws(StoreError) in
            try await store.values(of: stored, prefix: prefix, limit: limit)
        }
        return found.values.compactMap { counted in
            switch counted.value {
            case .int(let nanos) where field.isDuration:
                Choice(text: TraceQL.text(ofDuration: nanos), kind: "value", count: counted.count)
            case .string(let text): Choice(text: TraceQL.quoted(text), kind: "value", count: counted.count)
            case .bool, .int, .double: Choice(text: counted.value.text, kind: "value", count: counted.count)
            default: nil
            }
        }
    }

    private static func words(_ words: [String], _ prefix: String) -> [Choice] {
        words.filter { $0.hasPrefix(prefix) }.map { Choice(text: $0, kind: "value") }
    }
}

extension Completion.Qualifier? {
    /// Whether keys of a scope may stand behind what is typed.
    fileprivate func admits(_ scope: AttributeScope) -> Bool {
        switch self {
        case .attribute(.any), .parentAttribute(.any): scope == .span || scope == .resource
        case .attribute(let wanted), .parentAttribute(let wanted): scope == wanted
        case .intrinsic: false
        case nil: scope == .span || scope == .resource
        }
    }
}
