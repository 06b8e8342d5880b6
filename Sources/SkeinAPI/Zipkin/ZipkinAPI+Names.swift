// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinWire

/// Lists of names for menus.
extension ZipkinAPI {
    static func services(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let services = try await api.serviceNames(nameless: namelessService, call)
        return list(services, isCached: services.count > cachedCount)
    }

    static func spanNames(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let services = try await storedServices(named: try call.zipkinText("serviceName"), api, call)
        var names: [String] = []
        for service in services {
            names += try await api.ask(call) { store throws(StoreError) in
                try await store.operations(ofService: service).names.map(\.name)
            }
        }
        return list(names, isCached: try await hasManyServices(api, call))
    }

    /// What a service called in the last day: other services, and what its spans say they call.
    static func remoteServices(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let wanted = try call.zipkinText("serviceName").lowercased()
        let now = api.clock.unixNanos
        let range = TimeRange(start: now - min(now, UInt64(lookbackUsualMillis) * 1_000_000), end: .max)
        let slices = try await api.ask(call) { store throws(StoreError) in try await store.rollup(range, step: nil) }
        let names = slices.flatMap(\.edges).filter { $0.client?.lowercased() == wanted }.compactMap(\.server)
        return list(names, isCached: try await hasManyServices(api, call))
    }

    static func autocompleteKeys(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        if let keys = api.zipkin.autocompleteKeys { return list(keys, isCached: true, lowercased: false) }
        let keys = try await api.ask(call) { store throws(StoreError) in
            try await store.attributeKeys(prefix: "", limit: NameList<AttributeKey>.countMax).names
        }
        let ofSpans = keys.filter { $0.scope == .span }.sorted { $0.spanCount > $1.spanCount }
        return list(ofSpans.prefix(suggestedKeyCount).map(\.name), isCached: true, lowercased: false)
    }

    static func autocompleteValues(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let key = try call.zipkinText("key")
        if let keys = api.zipkin.autocompleteKeys, !keys.contains(key) { return list([], isCached: false) }
        let values = try await api.ask(call) { store throws(StoreError) in
            try await store.values(of: .attribute(.span, key), prefix: "", limit: suggestedValueCount).values
        }
        let texts = values.map { ZipkinTag.text(of: $0.value) }
        return list(texts, isCached: texts.count > cachedCount, lowercased: false)
    }

    private static let suggestedKeyCount = 100
    private static let suggestedValueCount = 1_000

    // MARK: Names as they are stored

    /// The names of stored services that read as `name` in lower case; the empty one for services without a name.
    static func storedServices(named name: String, _ api: API, _ call: APICall) async throws(APIError) -> [String] {
        let wanted = name.lowercased()
        if wanted == namelessService { return ["", namelessService] }
        let list = try await api.ask(call) { store throws(StoreError) in try await store.services() }
        var found = list.names.map(\.name).filter { $0.lowercased() == wanted }
        // Beyond the names that a list has, the spelling asked for is all that can be looked for.
        if list.isCut, !found.contains(where: { $0.isExactly(name) }) { found.append(name) }
        return found
    }

    // MARK: Answers

    /// With no more names than these, answers are not cached: who tries things out wants to see them.
    private static let cachedCount = 3

    private static func hasManyServices(_ api: API, _ call: APICall) async throws(APIError) -> Bool {
        try await api.ask(call) { store throws(StoreError) in
            try await store.services(prefix: "", limit: cachedCount + 1).names.count > cachedCount
        }
    }

    /// The distinct names, in order.
    private static func list(_ names: [String], isCached: Bool, lowercased: Bool = true) -> APIResponse {
        var distinct = Set<ExactText>()
        for name in names where !name.isEmpty { distinct.insert(ExactText(lowercased ? name.lowercased() : name)) }
        let sorted = distinct.map(\.text).sorted { $0.precedes($1) }
        var response = APIResponse.json(capacity: 64 + sorted.count * 32) { json in
            json.array { json in
                for name in sorted { json.string(name) }
            }
        }
        if isCached { response.headers.append(("Cache-Control", "max-age=300, must-revalidate")) }
        return response
    }
}
