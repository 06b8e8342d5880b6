// SPDX-License-Identifier: Apache-2.0
import SkeinAnalysis
import SkeinModel
import SkeinStore
import SkeinWire

/// What is in the store, by name: the lists that completion and menus are made of.
extension NativeAPI {
    static func services(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let (limit, cursor) = (try call.limit(atMost: 1000, usual: 1000), try call.listCursor())
        let services = try await api.ask(call) { store throws(StoreError) in try await store.services() }
        let page = ListPage(of: services, limit: limit, after: cursor, question: call.listQuestion) {
            ListCursor.Place($0.name)
        }
        return list("services", page) { service, json in
            json.member("name", service.name)
            json.member("color", service.ordinal % ServiceColors.count)
        }
    }

    static func operations(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let (limit, cursor) = (try call.limit(atMost: 1000, usual: 1000), try call.listCursor())
        let service = call.pathValues[0]
        let operations = try await api.ask(call) { store throws(StoreError) in
            try await store.operations(ofService: service)
        }
        let page = ListPage(of: operations, limit: limit, after: cursor, question: call.listQuestion) {
            ListCursor.Place($0.name)
        }
        return list("operations", page) { operation, json in
            json.member("name", operation.name)
            json.member("kind", "\(operation.kind)")
        }
    }

    static func attributes(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let prefix = call.request.query("prefix") ?? ""
        let (limit, cursor) = (try call.limit(atMost: 1000), try call.listCursor())
        // One more than are shown says whether there are more.
        let most = cursor == nil ? limit + 1 : Int.max
        let keys = try await api.ask(call) { store throws(StoreError) in
            try await store.attributeKeys(prefix: prefix, limit: most)
        }
        let page = ListPage(of: keys, limit: limit, after: cursor, question: call.listQuestion) {
            ListCursor.Place($0.name)
        }
        return list("attributes", page) { key, json in
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
        let (limit, cursor) = (try call.limit(atMost: 1000), try call.listCursor())
        // Values of different types may share count and text, which is all that the store orders by: with one of each
        // type beyond the end of the page, those at its end are all here to be put in order.
        let most = cursor == nil ? limit + ValueType.allCases.count + 1 : Int.max
        var values = try await api.ask(call) { store throws(StoreError) in
            try await store.values(of: field, prefix: prefix, limit: most)
        }
        func place(_ counted: ValueCount) -> ListCursor.Place {
            ListCursor.Place(rank: UInt64.max - UInt64(counted.count), counted.value.text)
        }
        sortTies(&values)
        let page = ListPage(of: values, limit: limit, after: cursor, question: call.listQuestion, place: place)
        return list("values", page) { counted, json in
            json.member("value", counted.value.text)
            json.member("type", counted.value.type?.rawValue)
            json.member("count", counted.count)
        }
    }

    /// Orders values of one count and text by their type.
    private static func sortTies(_ values: inout [ValueCount]) {
        func type(_ counted: ValueCount) -> Int { counted.value.type.flatMap(ValueType.allCases.firstIndex) ?? -1 }
        for index in values.indices.dropFirst() {
            var place = index
            while place > 0, values[place - 1].count == values[place].count,
                type(values[place]) < type(values[place - 1]),
                values[place - 1].value.text == values[place].value.text
            {
                values.swapAt(place - 1, place)
                place -= 1
            }
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

    static func list<T>(
        _ name: StaticString,
        _ page: ListPage<T>,
        _ members: (T, inout JSONWriter) -> Void
    ) -> APIResponse {
        .json(capacity: 64 + page.elements.count * 48) { json in
            json.object { json in
                json.array(name) { json in
                    for element in page.elements { json.object { json in members(element, &json) } }
                }
                json.member("next", page.next)
            }
        }
    }
}
