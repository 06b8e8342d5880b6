// SPDX-License-Identifier: Apache-2.0
#if Macros
    import SkeinMacros
    import SkeinModel
    import Testing
    import Tracing

    private struct Refused: Error, Equatable {}

    @Traced
    private func free(_ name: String) -> String { "hello " + name }

    @Traced("sum of some", kind: .client, attributes: [.argument("a"), .argument("second", as: "b"), .result])
    private func sum(_ a: Int, and second: Int) -> Int { a + second }

    private struct Shop {
        var sold = 0

        @Traced static func open() -> Int { 1 }

        @Traced
        mutating func sell(_ count: Int, from stock: inout Int) {
            guard count > 0 else { return }
            stock -= count
            sold += count
        }

        @Traced
        func check(_ isFine: Bool) throws(Refused) -> Int {
            if !isFine { throw Refused() }
            return 1
        }

        @Traced
        func each(_ body: (Int) throws -> Int) rethrows -> Int { try body(2) }

        @Traced
        func first<Element: Equatable>(of elements: [Element], like element: Element) -> Element? {
            elements.first { $0 == element }
        }

        @Traced func numbers() -> some Sequence<Int> { [1, 2, 3].lazy.map { $0 + 1 } }
        @Traced func price(_ item: Int) -> Int { item }
        @Traced func price(_ item: String) -> String { item }
        @Traced func unwrapped() -> String! { "text" }

        @Traced(
            "buy",
            kind: .client,
            attributes: [
                .argument("item", as: "item.id"), .argument("count"), .argument("gift"), .argument("tags"),
                .result(as: "paid"),
            ]
        )
        func buy(_ item: String, count: Int?, gift: Bool?, tags: [String], secret: String) async throws -> Double {
            await Task.yield()
            span.setAttribute("inside", true)
            return 2.5
        }

        @Traced(attributes: [.argument("span")])
        func named(span: String) -> String { span }
    }

    private class Animal {
        func noise() -> String { "…" }
    }

    private final class Dog: Animal {
        @Traced override func noise() -> String { "not " + super.noise() }
        @Traced class func make() -> Dog { Dog() }
    }

    private actor Counter {
        private var count = 0
        private let plain = Animal()

        @Traced
        func count(by step: Int) async -> Int {
            count += step
            await Task.yield()
            count += step
            return count
        }

        @Traced func now() -> Int { count }
        /// What is not `Sendable` stays with the actor.
        @Traced func animal() async -> Animal { plain }
        func noise() async -> String { await animal().noise() }
    }

    private final class Box {
        var value = 0
    }

    @Traced
    private func add(_ value: Int, to box: Box, on counter: isolated Counter) async -> Box {
        counter.assertIsolated()
        box.value += value
        return box
    }

    @Traced(attributes: [.argument("value")])
    private func keep(_ value: Int, in box: Box, isolation: isolated (any Actor)? = #isolation) async -> Box {
        isolation?.assertIsolated()
        box.value += value
        return box
    }

    @Traced private func isAtHome(isolation: isolated (any Actor)? = #isolation) async -> Bool {
        let here: (any Actor)? = #isolation
        return here != nil
    }

    @MainActor @Traced private func show(_ box: Box) async -> Int {
        MainActor.assertIsolated()
        await Task.yield()
        MainActor.assertIsolated()
        return box.value
    }

    extension Counter {
        func fill() async -> Int {
            let box = Box()
            let (same, kept) = (await add(1, to: box, on: self), await keep(2, in: box))
            return await isAtHome() ? same.value + kept.value : 0
        }
    }

    extension Shop {
        @Traced
        func inner() async -> Int {
            price(3)
        }
    }

    /// The spans that `operation` makes.
    private func spans(_ operation: () async throws -> Void) async throws -> [SkeinModel.Span] {
        let exporter = InMemoryExporter()
        try await Skein.withTracer(SkeinTracer(processors: [exporter])) { try await operation() }
        return exporter.spans.map(\.span)
    }

    @Suite struct TracedTests {
        @Test func `a function is a span with its name, and gives back what it gave back`() async throws {
            let spans = try await spans { #expect(free("you") == "hello you") }
            #expect(spans.map(\.name) == ["free"])
            #expect(spans[0].kind == .internal && spans[0].attributes.isEmpty && spans[0].status.code == .unset)
            #expect(spans[0].scope.name == "SkeinInstrumentationTests")
        }

        @Test func `without a tracer a function does what it does`() { #expect(sum(1, and: 2) == 3) }

        @Test func `members are named with their type, and may change what they are called with`() async throws {
            let spans = try await spans {
                var (shop, stock) = (Shop(), 5)
                #expect(Shop.open() == 1)
                shop.sell(2, from: &stock)
                shop.sell(0, from: &stock)
                #expect(shop.sold == 2 && stock == 3)
            }
            #expect(spans.map(\.name) == ["Shop.open", "Shop.sell", "Shop.sell"])
        }

        @Test func `an error keeps its type and is recorded`() async throws {
            let spans = try await spans {
                do throws(Refused) { _ = try Shop().check(false) } catch { #expect(error == Refused()) }
                let checked = try Shop().check(true)
                #expect(checked == 1)
            }
            #expect(spans.map(\.status.code) == [.error, .unset])
            #expect(spans[0].events.map(\.name) == ["exception"])
        }

        @Test func `a function that rethrows throws what its argument throws`() async throws {
            let spans = try await spans {
                #expect(Shop().each { $0 + 1 } == 3)
                #expect(throws: Refused.self) { try Shop().each { _ in throw Refused() } }
            }
            #expect(spans.map(\.status.code) == [.unset, .error])
        }

        @Test func `generic functions, opaque results, overloads and overrides work`() async throws {
            let spans = try await spans {
                let shop = Shop()
                #expect(shop.first(of: [1, 2], like: 2) == 2)
                #expect(Array(shop.numbers()) == [2, 3, 4])
                #expect(shop.price(1) == 1 && shop.price("one") == "one")
                #expect(shop.unwrapped() == "text")
                #expect(Dog.make().noise() == "not …")
            }
            #expect(
                spans.map(\.name) == [
                    "Shop.first", "Shop.numbers", "Shop.price", "Shop.price", "Shop.unwrapped", "Dog.make", "Dog.noise",
                ]
            )
        }

        @Test func `arguments and the result become attributes when they are named`() async throws {
            let spans = try await spans {
                let paid = try await Shop().buy("tea", count: 3, gift: nil, tags: ["a", "b"], secret: "s")
                #expect(paid == 2.5)
                #expect(sum(1, and: 2) == 3)
            }
            #expect(spans[0].name == "buy" && spans[0].kind == .client)
            #expect(
                spans[0].attributes == [
                    Attribute("item.id", "tea"), Attribute("count", 3), Attribute("tags", ["a", "b"]),
                    Attribute("inside", true), Attribute("paid", 2.5),
                ]
            )
            #expect(spans[1].attributes == [Attribute("a", 1), Attribute("b", 2), Attribute("result", 3)])
        }

        @Test func `an argument that is called span stays what it is`() async throws {
            let spans = try await spans { #expect(Shop().named(span: "mine") == "mine") }
            #expect(spans[0].attributes == [Attribute("span", "mine")])
        }

        @Test func `functions of an actor stay on it`() async throws {
            let spans = try await spans {
                let counter = Counter()
                await withTaskGroup(of: Int.self) { group in
                    for _ in 0..<8 { group.addTask { await counter.count(by: 1) } }
                }
                #expect(await counter.now() == 16)
                #expect(await counter.noise() == "…")
            }
            #expect(spans.count == 10)
        }

        @Test func `functions that are given their actor stay on it`() async throws {
            let spans = try await spans {
                #expect(await Counter().fill() == 6)
                #expect(await Task { @MainActor in await show(Box()) }.value == 0)
            }
            #expect(spans.map(\.name) == ["add", "keep", "isAtHome", "show"])
        }

        @Test func `calls inside are children`() async throws {
            let spans = try await spans { #expect(await Shop().inner() == 3) }
            #expect(spans.map(\.name) == ["Shop.price", "Shop.inner"])
            #expect(spans[0].parentSpanID == spans[1].spanID && spans[0].traceID == spans[1].traceID)
        }
    }
#endif
