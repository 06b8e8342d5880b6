// SPDX-License-Identifier: Apache-2.0
import SkeinEngine
import SkeinModel
import SkeinStore
import SkeinTestKit
import Testing

/// Queries that people keep, in memory and in the data folder.
struct SavedQueryTests {
    private let path = "/api/skein/v1/saved-queries"

    @Test func `a query is kept, listed by name, replaced and forgotten`() async throws {
        let api = try await APIUnderTest()
        for (name, query) in [("slow", "duration > 500ms"), ("failures", "error = true"), ("slow", "duration > 1s")] {
            let body = "{\"query\":\"\(query)\",\"description\":\"of \(name)\"}"
            #expect(try await api.ask("\(path)/\(name)", method: "PUT", body: body).status == 200)
        }
        let listed = try await api.json(path)["savedQueries"].array
        #expect(listed.map { $0["name"] } == ["failures", "slow"])
        #expect(listed.map { $0["query"] } == ["error = true", "duration > 1s"])
        #expect(try await api.ask("\(path)/slow", method: "DELETE").status == 204)
        #expect(try await api.ask("\(path)/slow", method: "DELETE").status == 404)
        #expect(try await api.json(path)["savedQueries"].array.count == 1)
    }

    @Test(
        arguments: [
            ("name", "{\"query\":\"duration >\"}", 400), ("name", "{\"text\":\"error = true\"}", 400), ("name", "[]", 400),
            (String(repeating: "n", count: 101), "{\"query\":\"error = true\"}", 422),
        ]
    )
    func `what cannot be kept is refused`(name: String, body: String, status: Int) async throws {
        let api = try await APIUnderTest()
        #expect(try await api.ask("\(path)/\(name)", method: "PUT", body: body).status == status)
        #expect(try await api.json(path)["savedQueries"].array.isEmpty)
    }

    @Test func `saved queries outlive a stop, and a damaged file is put aside`() async throws {
        let disk = SimulatedDisk(seed: 3)
        var store = try await EngineSupport.open(disk)
        let saved = SavedQuery(name: "é", query: "{ status = error }", description: "d", savedUnixNanos: 7)
        try store.savedQueries.save(saved)
        await store.close()
        store = try await EngineSupport.open(disk)
        #expect(store.savedQueries.all() == [saved])
        await store.close()
        disk.flip("\(EngineSupport.directory)/queries", byte: 60, bit: 3)
        store = try await EngineSupport.open(disk)
        #expect(store.savedQueries.all().isEmpty)
        #expect(await store.status().problems.contains { $0.contains("saved queries are lost") })
        await store.close()
    }
}
