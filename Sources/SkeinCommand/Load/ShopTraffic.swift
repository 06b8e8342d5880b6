// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinBase
import SkeinModel

/// Makes traces of a shop under load: eleven services, failures that run up to their callers, slow days, messages whose
/// consumers are traces of their own. The same seed gives the same traces, but for the times.
struct ShopTraffic {
    private var random: SeededRandom
    private let shares: [Int]

    /// Traffic whose whole future is `seed`.
    init(seed: UInt64) {
        random = SeededRandom(seed: seed)
        var total = 0
        shares = ShopFlows.all.map { flow in
            total += flow.share
            return total
        }
    }

    /// The spans of one visit that ends at `endUnixNanos`: one trace, and one more when an order was placed.
    mutating func visit(endUnixNanos: UInt64) -> [SkeinModel.Span] {
        let ticket = Int.random(in: 0..<(shares.last ?? 1), using: &random)
        let flow = ShopFlows.all[shares.firstIndex { ticket < $0 } ?? 0].step
        var run = Run(visitor: Visitor(&random), random: random)
        run.perform(flow, from: 0, parent: .zero)
        if let order = run.published {
            var later = Run(visitor: run.visitor, random: run.random)
            later.perform(ShopFlows.notification, from: 2_000_000, parent: .zero, following: order)
            later.shift(by: run.endNanos)
            run.spans += later.spans
            run.endNanos = later.endNanos
            run.random = later.random
        }
        random = run.random
        let base = endUnixNanos > run.endNanos ? endUnixNanos - run.endNanos : 0
        return run.spans.map { span in
            var moved = span
            moved.startUnixNanos += base
            for index in moved.events.indices { moved.events[index].timeUnixNanos += base }
            return moved
        }
    }

    /// Who visits, and what is in the cart.
    private struct Visitor {
        var user: String
        var session: String
        var order: String
        var product: String
        var amount: Double
        var items: Int
        /// How slow the day is.
        var slowness: Double

        init(_ random: inout SeededRandom) {
            func id(_ digits: Int) -> String { String(Hex.string(random.next()).suffix(digits)) }
            // The few who come often make most of the traffic.
            let rank = Double.random(in: 0..<1, using: &random)
            user = "u-\(10_000 + Int(rank * rank * 20_000))"
            session = id(16)
            order = "ord-\(id(10))"
            let popularity = Double.random(in: 0..<1, using: &random)
            product = "sku-\(1_000 + Int(popularity * popularity * 3_000))"
            amount = (exp(3.5 + Double.random(in: 0..<1.5, using: &random)) * 100).rounded() / 100
            items = Int.random(in: 1...8, using: &random)
            slowness = Double.random(in: 0..<1, using: &random) < 0.02 ? 10 : 1
        }
    }

    /// One trace while it happens. Times count from its start.
    private struct Run {
        let visitor: Visitor
        var random: SeededRandom
        var spans: [SkeinModel.Span] = []
        var endNanos: UInt64 = 0
        /// The span that sent the order on.
        var published: SkeinModel.Span.Link?
        private let traceID: TraceID

        init(visitor: Visitor, random: SeededRandom) {
            self.visitor = visitor
            self.random = random
            traceID = TraceID(high: self.random.next() | 1, low: self.random.next())
        }

        /// Performs a step and what it consists of, and answers when it ended and whether it failed. Flows are a few
        /// steps deep.
        @discardableResult
        mutating func perform(
            _ step: ShopStep,
            from start: UInt64,
            parent: SpanID,
            following link: SkeinModel.Span.Link? = nil
        ) -> (end: UInt64, failed: Bool) {
            let id = SpanID(random.next() | 1)
            let own = ownNanos(step)
            var now = start + own / 3
            var latest = now
            var failed = false
            loop: for child in step.children where chance(child.chance) {
                for _ in 0..<Int.random(in: child.repeats, using: &random) {
                    let begin = now + UInt64.random(in: 20_000...90_000, using: &random)
                    let result = perform(child.step, from: begin, parent: id)
                    latest = max(latest, result.end)
                    if !step.isParallel { now = result.end }
                    if result.failed, chance(0.75) {
                        failed = true
                        // Who fails goes no further.
                        if !step.isParallel { break loop }
                    }
                }
            }
            let end = max(now, latest) + own * 2 / 3
            let failsItself = !failed && chance(step.failureRate)
            emit(step, id, parent, start, end, failed: failed || failsItself, cause: failsItself, link)
            return (end, failed || failsItself)
        }

        mutating func shift(by nanos: UInt64) {
            for index in spans.indices {
                spans[index].startUnixNanos += nanos
                for event in spans[index].events.indices { spans[index].events[event].timeUnixNanos += nanos }
            }
            endNanos += nanos
        }

        /// Log-normal around the step's usual time.
        private mutating func ownNanos(_ step: ShopStep) -> UInt64 {
            let (u, v) = (Double.random(in: 0.000_001..<1, using: &random), Double.random(in: 0..<1, using: &random))
            let normal = (-2 * log(u)).squareRoot() * cos(2 * .pi * v)
            return UInt64(step.micros * 1_000 * exp(0.5 * normal) * visitor.slowness) + 1_000
        }

        private mutating func chance(_ probability: Double) -> Bool {
            probability >= 1 || Double.random(in: 0..<1, using: &random) < probability
        }

        private mutating func emit(
            _ step: ShopStep,
            _ id: SpanID,
            _ parent: SpanID,
            _ start: UInt64,
            _ end: UInt64,
            failed: Bool,
            cause: Bool,
            _ link: SkeinModel.Span.Link?
        ) {
            var span = SkeinModel.Span(
                traceID: traceID,
                spanID: id,
                parentSpanID: parent,
                name: step.name,
                kind: step.kind,
                startUnixNanos: start,
                durationNanos: end - start
            )
            span.flags = 0x101
            span.attributes = step.attributes + details(step, failed: failed)
            span.resource = ShopResources.resource(step.service, pod: Int(visitor.items) % 2)
            span.scope = ShopResources.scope(step.service)
            span.links = link.map { [$0] } ?? []
            if let event = step.event, chance(0.4) {
                span.events.append(
                    .init(
                        timeUnixNanos: start + (end - start) / 2,
                        name: event,
                        attributes: [Attribute("items", .int(Int64(visitor.items)))]
                    )
                )
            }
            if failed {
                span.status = .init(.error, message: cause ? ShopFailure.message(of: step) : "upstream failed")
                if cause { span.events.append(ShopFailure.event(of: step, at: end)) }
            }
            if step.kind == .producer, !failed {
                published = .init(
                    traceID: traceID,
                    spanID: id,
                    flags: 0x101,
                    attributes: [Attribute("messaging.destination.name", "orders")]
                )
            }
            spans.append(span)
            endNanos = max(endNanos, end)
        }

        private mutating func details(_ step: ShopStep, failed: Bool) -> [Attribute] {
            var attributes: [Attribute] = []
            // In a fixed order, so that the seed decides everything.
            for detail in ShopStep.Detail.allCases where step.details.contains(detail) {
                switch detail {
                case .user: attributes.append(Attribute("user.id", .string(visitor.user)))
                case .session: attributes.append(Attribute("session.id", .string(visitor.session)))
                case .order:
                    attributes.append(Attribute("order.id", .string(visitor.order)))
                    attributes.append(Attribute("order.amount", .double(visitor.amount)))
                case .product: attributes.append(Attribute("product.id", .string(visitor.product)))
                case .cart: attributes.append(Attribute("cart.items", .int(Int64(visitor.items))))
                case .search:
                    attributes.append(Attribute("search.query", .string("shoes size \(36 + visitor.items)")))
                    attributes.append(Attribute("search.filters", ["size", "color"]))
                case .httpStatus:
                    let code: Int64 =
                        failed ? [500, 502, 503].randomElement(using: &random) ?? 500 : chance(0.05) ? 404 : 200
                    attributes.append(Attribute("http.response.status_code", .int(code)))
                case .grpcStatus:
                    let code: Int64 = failed ? [4, 13, 14].randomElement(using: &random) ?? 13 : 0
                    attributes.append(Attribute("rpc.grpc.status_code", .int(code)))
                case .peer:
                    let host = Int.random(in: 2...60, using: &random)
                    attributes.append(Attribute("network.peer.address", .string("10.42.3.\(host)")))
                case .rows:
                    let rows = Int64.random(in: 0...40, using: &random)
                    attributes.append(Attribute("db.response.returned_rows", .int(rows)))
                }
            }
            return attributes
        }
    }
}

/// The processes of the shop.
enum ShopResources {
    private static let resources: [String: [Resource]] = Dictionary(
        uniqueKeysWithValues: ShopFlows.languages.map { service, language in
            (service, (0..<2).map { resource(service, language, pod: $0) })
        }
    )

    static func resource(_ service: String, pod: Int) -> Resource { resources[service]?[pod] ?? Resource() }

    static func scope(_ service: String) -> InstrumentationScope {
        InstrumentationScope(name: "shop.\(service)", version: "1.4.0")
    }

    private static func resource(_ service: String, _ language: String, pod: Int) -> Resource {
        Resource(attributes: [
            Attribute("service.name", .string(service)), Attribute("service.namespace", "shop"),
            Attribute("service.version", "2.3.1"), Attribute("service.instance.id", .string("\(service)-\(pod)")),
            Attribute("deployment.environment.name", "load"),
            Attribute("host.name", .string("node-\(service.utf8.count % 4).shop.example")),
            Attribute("telemetry.sdk.language", .string(language)), Attribute("telemetry.sdk.name", "opentelemetry"),
        ])
    }
}

/// How steps fail.
enum ShopFailure {
    static func message(of step: ShopStep) -> String {
        switch step.kind {
        case .client where step.attributes["db.system.name"] != nil: "canceling statement due to lock timeout"
        case .client: "connection reset by peer"
        default: step.service == "payment" ? "card declined by issuer" : "deadline exceeded"
        }
    }

    static func event(of step: ShopStep, at time: UInt64) -> SkeinModel.Span.Event {
        let type =
            switch message(of: step).split(separator: " ").first {
            case "canceling": "LockTimeoutError"
            case "connection": "ConnectionError"
            case "card": "CardDeclinedError"
            default: "DeadlineExceededError"
            }
        let trace = ["handlers.dispatch", "rpc.intercept", "pool.acquire", "worker.run"]
            .map { "\tat shop.\(step.service).\($0)" }.joined(separator: "\n")
        return .init(
            timeUnixNanos: time,
            name: "exception",
            attributes: [
                Attribute("exception.type", .string(type)), Attribute("exception.message", .string(message(of: step))),
                Attribute("exception.stacktrace", .string("\(type): \(message(of: step))\n\(trace)")),
            ]
        )
    }
}
