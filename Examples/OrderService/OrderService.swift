// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
import Foundation
import Hummingbird
import Logging
import SkeinHTTPClient
import SkeinHummingbird
import SkeinTracing

/// Takes orders on port 8081, and asks the inventory service whether there is enough.
///
///     curl -X POST localhost:8081/orders/widget
///     curl -X POST localhost:8081/orders/unicorn      # there is none: the trace shows where it failed
@main struct OrderService {
    /// What the inventory has none of.
    private struct OutOfStock: Error, CustomStringConvertible {
        let item: String
        var description: String { "no \(item) left" }
    }

    static func main() async throws {
        // Lines carry the ids of their span, and stand in it as events.
        LoggingSystem.bootstrap(
            { label, provider in
                var handler = StreamLogHandler.standardOutput(label: label)
                handler.metadataProvider = provider
                return SpanEventLogHandler(handler, label: label)
            },
            metadataProvider: .skein()
        )
        try await Skein.run(service: "order-service") {
            let router = Router()
            router.addMiddleware { SkeinMiddleware() }
            router.post("/orders/{item}") { _, context in
                let order = try await place(context.parameters.require("item"))
                return "order \(order)\n"
            }
            try await Application(
                router: router,
                configuration: .init(address: .hostname("127.0.0.1", port: port))
            ).runService()
        }
    }

    /// A span of its own, as a child of that of the request.
    private static func place(_ item: String) async throws -> String {
        try await Skein.withSpan("place order", attributes: ["order.item": .string(item)]) { span in
            try await Skein.withSpan("validate") { _ in try await Task.sleep(for: .milliseconds(2)) }
            // A span of kind client; its context goes out in the headers of the request.
            let response = try await HTTPClient.shared.traced.execute(
                HTTPClientRequest(url: "\(inventory)/items/\(escaped(item))"),
                timeout: .seconds(5),
                template: "/items/{item}"
            )
            _ = try await response.body.collect(upTo: 1 << 16)
            guard response.status == .ok else {
                Logger(label: "orders").error("out of stock", metadata: ["item": "\(item)"])
                throw OutOfStock(item: item)
            }
            let order = UUID().uuidString
            span.setAttribute("order.id", order)
            Logger(label: "orders").info("order placed", metadata: ["order": "\(order)"])
            return order
        }
    }

    private static func escaped(_ item: String) -> String {
        item.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    }

    private static let environment = ProcessInfo.processInfo.environment
    private static let port = environment["PORT"].flatMap { Int($0) } ?? 8_081
    private static let inventory = environment["INVENTORY_URL"] ?? "http://127.0.0.1:8082"
}
