// SPDX-License-Identifier: Apache-2.0
import SkeinAnalysis
import SkeinModel
import SkeinStore
import SkeinWire

/// What is in the store, by name: the lists that completion and menus are made of.
extension NativeAPI {
    static func services(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let services = try await api.ask(call) { store throws(StoreError) in try await store.services() }
        return list("services", of: services) { service, json in
            json.member("name", service.name)
            json.member("color", service.ordinal % ServiceColors.count)
        }
    }

    static func operations(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let service = call.pathValues[0]
        let operations = try await api.ask(call) { store throws(StoreError) in
            try await store.operations(ofService: service)
        }
        return list("operations", of: operations) { operation, json in
            json.member("name", operation.name)
            json.member("kind", "\(operation.kind)")
        }
    }

    static func attributes(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let prefix = call.request.query("prefix") ?? ""
        let limit = try call.limit(atMost: 1000)
        let keys = try await api.ask(call) { store throws(StoreError) in
            try await store.attributeKeys(prefix: prefix, limit: limit)
        }
        return list("attributes", of: keys) { key, json in
            json.member("key", key.name)
            json.member("scope", key.scope.rawValue)
            json.array("types") { json in
                for type in key.types { json.string(type.rawValue) }
            }
        }
    }

    /// The values of an attribute, or of `service`, `name`, `kind` and `status`. Each is text, whatever its type, so
    /// that no number loses digits on its way.
    static func values(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let field = try field(named: call.pathValues[0], scope: call.request.query("scope"))
        let prefix = call.request.query("prefix") ?? ""
        let limit = try call.limit(atMost: 1000)
        let values = try await api.ask(call) { store throws(StoreError) in
            try await store.values(of: field, prefix: prefix, limit: limit)
        }
        return list("values", of: values) { counted, json in
            json.member("value", counted.value.text)
            json.member("type", counted.value.type?.rawValue)
            json.member("count", counted.count)
        }
    }

    /// With a scope the key is taken as it is; without one it may say its scope itself, as in `span.user.id`.
    private static func field(named key: String, scope: String?) throws(APIError) -> SpanField {
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

    private static func list<T>(
        _ name: StaticString,
        of elements: [T],
        _ members: (T, inout JSONWriter) -> Void
    ) -> APIResponse {
        .json(capacity: 64 + elements.count * 48) { json in
            json.object { json in
                json.array(name) { json in
                    for element in elements { json.object { json in members(element, &json) } }
                }
                json.key("next")
                json.null()
            }
        }
    }
}
