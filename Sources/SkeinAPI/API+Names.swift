// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

extension API {
    /// The names of services in order, with `nameless` among them when there are spans whose resource names none: these are
    /// shown under it, and can be asked for by it.
    func serviceNames(nameless: String, _ call: APICall) async throws(APIError) -> [String] {
        var names = try await ask(call) { store throws(StoreError) in try await store.services().names.map(\.name) }
        let isSomeNameless = try await ask(call) { store throws(StoreError) in
            try await !store.operations(ofService: "", prefix: "", limit: 1).names.isEmpty
        }
        if isSomeNameless, !names.contains(where: { $0.isExactly(nameless) }) {
            names.insert(nameless, at: names.firstIndex { nameless.precedes($0) } ?? names.count)
        }
        return names
    }
}
