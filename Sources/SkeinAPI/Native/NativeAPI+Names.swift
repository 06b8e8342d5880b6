// SPDX-License-Identifier: Apache-2.0
import SkeinAnalysis
import SkeinModel
import SkeinStore
import SkeinWire

/// What is in the store, by name: the lists that completion and menus are made of.
extension NativeAPI {
    static func services(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let names = try NameQuestion(call, usual: 1000)
        let services = try await api.ask(call) { store throws(StoreError) in
            try await store.services(prefix: names.prefix, limit: names.countMax)
        }
        return list("services", services, names) {
            $0.name
        } members: { service, json in
            json.member("name", service.name)
            json.member("color", service.ordinal % ServiceColors.count)
        }
    }

    static func operations(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let names = try NameQuestion(call, usual: 1000)
        let operations = try await api.ask(call) { store throws(StoreError) in
            try await store.operations(ofService: call.pathValues[0], prefix: names.prefix, limit: names.countMax)
        }
        return list("operations", operations, names) {
            $0.name
        } members: { operation, json in
            json.member("name", operation.name)
            json.member("kind", "\(operation.kind)")
        }
    }

    static func attributes(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let names = try NameQuestion(call, usual: 20)
        let keys = try await api.ask(call) { store throws(StoreError) in
            try await store.attributeKeys(prefix: names.prefix, limit: names.countMax)
        }
        return list("attributes", keys, names) {
            $0.name
        } members: { key, json in
            json.member("key", key.name)
            json.member("scope", key.scope.rawValue)
            json.array("types") { json in
                for type in key.types { json.string(type.rawValue) }
            }
            json.member("spanCount", key.spanCount)
            json.key("share")
            json.double(key.share)
            json.member("estimate", key.isEstimate)
        }
    }

    /// What every list of names is asked for.
    private struct NameQuestion {
        let prefix: String
        let limit: Int
        let cursor: ListCursor?
        let text: String

        init(_ call: APICall, usual: Int) throws(APIError) {
            prefix = call.request.query("prefix") ?? ""
            limit = try call.limit(atMost: 1000, usual: usual)
            cursor = try call.listCursor()
            text = call.listQuestion
        }

        /// How many names the store is asked for. One more than are shown says whether there are more.
        var countMax: Int { cursor == nil ? limit + 1 : .max }
    }

    /// A page of names. When the store has more names than a list has, the last page says so.
    private static func list<Name>(
        _ member: StaticString,
        _ names: NameList<Name>,
        _ question: NameQuestion,
        place: (Name) -> String,
        members: (Name, inout JSONWriter) -> Void
    ) -> APIResponse {
        let page = ListPage(of: names.names, limit: question.limit, after: question.cursor, question: question.text) {
            ListCursor.Place(place($0))
        }
        return list(member, page, members) { json in
            json.member("truncated", page.next == nil && names.isCut)
        }
    }

    /// The values of an attribute, or of `service`, `name`, `kind` and `status`. Each is text, whatever its type, so
    /// that no number loses digits on its way.
    static func values(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let field = try field(named: call.pathValues[0], scope: call.request.query("scope"))
        let prefix = call.request.query("prefix") ?? ""
        let (limit, cursor) = (try call.limit(atMost: 1000), try call.listCursor())
        let values = try await api.ask(call) { store throws(StoreError) in
            try await store.values(of: field, prefix: prefix, limit: cursor == nil ? limit + 1 : .max)
        }
        let page = ListPage(of: values.values, limit: limit, after: cursor, question: call.listQuestion) {
            ListCursor.Place(rank: UInt64.max - UInt64($0.count), $0.value.text)
        }
        return list("values", page) { counted, json in
            json.member("value", counted.value.text)
            json.member("type", counted.value.type?.rawValue)
            json.member("count", counted.count)
        } rest: { json in
            json.member("truncated", page.next == nil && values.isCut)
            json.member("countErrorMax", values.countErrorMax)
        }
    }

    /// With a scope the key is taken as it is; without one it may say its scope itself, as in `span.user.id`.
    static func field(named key: String, scope: String?) throws(APIError) -> SpanField {
        if let scope, !scope.isEmpty {
            guard let scope = AttributeScope(rawValue: scope) else {
                let known = AttributeScope.allCases.map(\.rawValue).joined(separator: ", ")
                throw .invalid("scope", "\(APICall.shown(scope)) is no scope: expected one of \(known).")
            }
            return .attribute(scope, key)
        }
        switch key {
        case "service": return .serviceName
        case "name": return .name
        case "kind": return .kind
        case "status": return .status
        default: break
        }
        for scope in AttributeScope.allCases where scope != .any && key.hasPrefix("\(scope.rawValue).") {
            return .attribute(scope, String(key.dropFirst(scope.rawValue.count + 1)))
        }
        return .attribute(.any, key.hasPrefix(".") ? String(key.dropFirst()) : key)
    }

    static func list<T>(
        _ name: StaticString,
        _ page: ListPage<T>,
        _ members: (T, inout JSONWriter) -> Void,
        rest: (inout JSONWriter) -> Void = { _ in }
    ) -> APIResponse {
        .json(capacity: 64 + page.elements.count * 48) { json in
            json.object { json in
                json.array(name) { json in
                    for element in page.elements { json.object { json in members(element, &json) } }
                }
                json.member("next", page.next)
                rest(&json)
            }
        }
    }
}
