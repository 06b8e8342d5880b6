// SPDX-License-Identifier: Apache-2.0
import SkeinModel

/// One thing that the shop does, and what it does within: a span and its children.
struct ShopStep: Sendable {
    var service: String
    var name: String
    var kind: SkeinModel.Span.Kind
    /// The usual time of its own work, without its children.
    var micros: Double
    /// How often its own work fails, 0…1.
    var failureRate = 0.002
    /// What it always says of itself.
    var attributes: [Attribute] = []
    /// What else it says.
    var details: Set<Detail> = []
    var children: [Child] = []
    /// Whether the children run at the same time.
    var isParallel = false
    /// What some runs note on the way.
    var event: String?

    /// A step within a step.
    struct Child: Sendable {
        var step: ShopStep
        /// How often it happens at all, 0…1.
        var chance = 1.0
        var repeats = 1...1
    }

    /// Attributes whose values differ from run to run.
    enum Detail: Hashable, Sendable, CaseIterable {
        case user, session, order, product, httpStatus, grpcStatus, peer, rows, cart, search
    }

    func with(_ children: Child..., parallel: Bool = false) -> ShopStep {
        var copy = self
        copy.children = children
        copy.isParallel = parallel
        return copy
    }

    /// This step as a child that always happens.
    var always: Child { Child(step: self) }

    /// This step as a child that happens now and then, or several times.
    func sometimes(_ chance: Double, _ repeats: ClosedRange<Int> = 1...1) -> Child {
        Child(step: self, chance: chance, repeats: repeats)
    }
}

extension ShopStep {
    /// A request of a browser.
    static func page(_ method: String, _ route: String, micros: Double) -> ShopStep {
        ShopStep(
            service: "frontend",
            name: "\(method) \(route)",
            kind: .server,
            micros: micros,
            attributes: [
                Attribute("http.request.method", .string(method)), Attribute("http.route", .string(route)),
                Attribute("url.scheme", "https"), Attribute("server.address", "shop.example"),
                Attribute("server.port", 443), Attribute("network.protocol.version", "2"),
            ],
            details: [.user, .session, .httpStatus]
        )
    }

    /// A call between services: the caller's span with the callee's in it, which has `children`.
    static func call(
        _ caller: String,
        _ callee: String,
        _ method: String,
        micros: Double,
        failureRate: Double = 0.002,
        details: Set<Detail> = [],
        event: String? = nil,
        _ children: Child...
    ) -> ShopStep {
        let parts = method.split(separator: "/")
        let attributes = [
            Attribute("rpc.system", "grpc"), Attribute("rpc.service", .string("shop.\(parts[0])")),
            Attribute("rpc.method", .string(String(parts.last ?? ""))),
        ]
        let server = ShopStep(
            service: callee,
            name: "shop.\(method)",
            kind: .server,
            micros: micros,
            failureRate: failureRate,
            attributes: attributes,
            details: details.union([.user, .grpcStatus]),
            children: children,
            event: event
        )
        return ShopStep(
            service: caller,
            name: "shop.\(method)",
            kind: .client,
            micros: 400,
            failureRate: 0.0005,
            attributes: attributes + [
                Attribute("server.address", .string("\(callee).shop.svc")), Attribute("server.port", 8080),
            ],
            details: [.grpcStatus, .peer],
            children: [server.always]
        )
    }

    /// A query of a database.
    static func database(_ service: String, _ system: String, _ text: String, micros: Double) -> ShopStep {
        let words = text.split(separator: " ")
        let table = words.firstIndex { ["FROM", "INTO", "UPDATE"].contains($0) }.map { String(words[$0 + 1]) }
        let target = table ?? String(words.last ?? "")
        return ShopStep(
            service: service,
            name: "\(words[0]) \(target)",
            kind: .client,
            micros: micros,
            attributes: [
                Attribute("db.system.name", .string(system)), Attribute("db.namespace", .string(service)),
                Attribute("db.operation.name", .string(String(words[0]))), Attribute("db.query.text", .string(text)),
                Attribute("server.address", .string("\(system).shop.svc")),
                Attribute("server.port", system == "redis" ? 6379 : 5432),
            ],
            details: system == "redis" ? [] : [.rows]
        )
    }

    /// Work within a service.
    static func work(_ service: String, _ name: String, micros: Double, details: Set<Detail> = []) -> ShopStep {
        ShopStep(
            service: service,
            name: name,
            kind: .internal,
            micros: micros,
            attributes: [Attribute("code.function.name", .string(name))],
            details: details
        )
    }
}
