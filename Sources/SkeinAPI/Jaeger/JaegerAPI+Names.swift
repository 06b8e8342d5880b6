// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import SkeinWire

extension JaegerAPI {
    static func services(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        let services = try await api.serviceNames(nameless: namelessService, call)
        return list(services, call) { name, json in json.string(name) }
    }

    static func operationNames(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        var names: [String] = []
        for operation in try await stored(api, call, ofService: call.pathValues[0])
        where !(names.last?.isExactly(operation.name) ?? false) {
            names.append(operation.name)
        }
        return list(names, call) { name, json in json.string(name) }
    }

    static func operations(_ api: API, _ call: APICall) async throws(APIError) -> APIResponse {
        guard let service = call.request.query("service"), !service.isEmpty else { throw serviceRequired }
        let kind = call.request.query("spanKind") ?? ""
        let operations = try await stored(api, call, ofService: service).filter {
            kind.isEmpty || word(for: $0.kind) == kind
        }
        return list(operations, call) { operation, json in
            json.object { json in
                json.member("name", operation.name)
                json.member("spanKind", word(for: operation.kind))
            }
        }
    }

    static var serviceRequired: APIError { .invalid("service", "parameter 'service' is required") }

    /// Jaeger's word for a kind, empty for a span that does not say one.
    static func word(for kind: Span.Kind) -> String { kind == .unspecified ? "" : "\(kind)" }

    static func stored(
        _ api: API,
        _ call: APICall,
        ofService service: String
    ) async throws(APIError) -> [Operation] {
        var operations: [Operation] = []
        for name in storedNames(ofService: service) {
            operations += try await api.ask(call) { store throws(StoreError) in
                try await store.operations(ofService: name).names
            }
        }
        return operations
    }

    /// The names under which the spans of what Jaeger calls `service` are stored: a service may be called as those are that
    /// have no name.
    static func storedNames(ofService service: String) -> [String] {
        service == namelessService ? ["", service] : [service]
    }

    private static func list<T>(
        _ elements: [T],
        _ call: APICall,
        _ element: (T, inout JSONWriter) -> Void
    ) -> APIResponse {
        envelope(call, total: elements.count, capacity: 128 + elements.count * 32) { json in
            json.array { json in
                for value in elements { element(value, &json) }
            }
        }
    }
}
