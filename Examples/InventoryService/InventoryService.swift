// SPDX-License-Identifier: Apache-2.0
import Foundation
import Hummingbird
import Logging
import SkeinHummingbird
import SkeinTracing

/// Knows on port 8082 how many of each item there are.
@main struct InventoryService {
    static func main() async throws {
        LoggingSystem.bootstrap(StreamLogHandler.standardOutput, metadataProvider: .skein())
        try await Skein.run(service: "inventory-service") {
            let router = Router()
            // The trace of the request's headers goes on here.
            router.addMiddleware { SkeinMiddleware() }
            router.get("/items/{item}") { _, context in
                let item = try context.parameters.require("item")
                let count = try await stock(of: item)
                guard count > 0 else { throw HTTPError(.notFound, message: "no \(item) left") }
                return "\(count)\n"
            }
            try await Application(
                router: router,
                configuration: .init(address: .hostname("127.0.0.1", port: port))
            ).runService()
        }
    }

    private static func stock(of item: String) async throws -> Int {
        try await Skein.withSpan("SELECT items", kind: .client, attributes: ["db.system.name": "sqlite"]) { span in
            try await Task.sleep(for: .milliseconds(5))
            let count = ["widget": 12, "gadget": 3][item] ?? 0
            span.setAttribute("db.response.returned_rows", count > 0 ? 1 : 0)
            Logger(label: "inventory").info("looked up", metadata: ["item": "\(item)", "count": "\(count)"])
            return count
        }
    }

    private static let port = ProcessInfo.processInfo.environment["PORT"].flatMap { Int($0) } ?? 8_082
}
