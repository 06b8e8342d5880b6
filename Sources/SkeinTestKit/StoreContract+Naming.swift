// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

extension StoreContract {
    /// Names and counts.
    static let naming: [Case] = [
        Case("services are listed by name with their order of appearance") { store in
            try await append(
                [span(1, 1, service: "web")],
                [span(1, 2, service: "cart"), span(2, 3, service: "web"), span(2, 4, service: "")],
                [span(3, 5, service: "api")],
                to: store
            )
            let wanted = [("api", 2), ("cart", 1), ("web", 0)].map { ServiceName(name: $0.0, ordinal: $0.1) }
            try await expectEqual(store.services(), NameList(wanted), "services")
            try await expectEqual(
                store.services(prefix: "", limit: 2),
                NameList(Array(wanted[..<2]), isCut: true),
                "two of them"
            )
            try await expectEqual(store.services(prefix: "ca", limit: 2), NameList([wanted[1]]), "those with ca")
            try await expectEqual(store.services(prefix: "x", limit: 2), NameList(), "those with x")
            try await expectEqual(store.ordinals(ofServices: ["web", "api"]), [0, 2], "ordinals")
            let unknown = try await store.ordinals(ofServices: ["x", "x", ""])
            try expectEqual(unknown[0], unknown[1], "ordinals of an unknown service")
            try expectEqual(unknown.allSatisfy { $0 > 2 }, true, "ordinals behind those given")
        },

        Case("names that differ in their bytes are different names") { store in
            // é as one letter, and as e with an accent: Swift takes the two for equal.
            let names = ["caf\u{e9}", "cafe\u{301}"]
            try await append(
                names.enumerated().map { place, name in
                    var span = span(
                        UInt64(place) + 1,
                        1,
                        name: name,
                        service: name,
                        attributes: [Attribute(name, .string(name))]
                    )
                    span.scope = InstrumentationScope(name: name)
                    return span
                },
                to: store
            )
            let sorted = [names[1], names[0]].map { Array($0.utf8) }
            func bytes(_ names: [String]) -> [[UInt8]] { names.map { Array($0.utf8) } }
            try await expectEqual(bytes(store.services().names.map(\.name)), sorted, "services")
            try await expectEqual(store.ordinals(ofServices: names), [0, 1], "ordinals")
            try await expectEqual(
                bytes(store.usage().compactMap(\.name)).sorted { $0.lexicographicallyPrecedes($1) },
                sorted,
                "usage"
            )
            try await expectEqual(bytes(store.attributeKeys(prefix: "caf", limit: 9).names.map(\.name)), sorted, "keys")
            for name in names {
                let operations = try await store.operations(ofService: name).names
                try expectEqual(bytes(operations.map(\.name)), bytes([name]), "operations of \(Array(name.utf8))")
                let field = SpanField.attribute(.span, name)
                try await expectEqual(
                    store.values(of: field, prefix: "", limit: 9).values,
                    [ValueCount(value: .string(name), count: 1)],
                    "values of \(Array(name.utf8))"
                )
                let query = SpanQuery(predicate: .compare(.serviceName, .equal, .string(name)))
                try await expectEqual(
                    bytes(store.search(query).traces.flatMap(\.services).map(\.name)),
                    bytes([name]),
                    "traces of \(Array(name.utf8))"
                )
            }
            let spanNames = try await store.values(of: .name, prefix: "", limit: 9).values
            try expectEqual(spanNames.count, 2, "span names")
            let slices = try await store.rollup(.all, step: nil)
            try expectEqual(bytes(slices.flatMap(\.operations).compactMap(\.service)), sorted, "rollup")
        },

        Case("the services of a trace come with most spans first, then by name") { store in
            try await append(
                [span(1, 1, service: "b"), span(1, 2, service: "c"), span(1, 3, service: "a")],
                [span(1, 4, service: "c"), span(1, 5, service: "d"), span(1, 6, service: "b")],
                to: store
            )
            let services = try await store.search(SpanQuery()).traces[0].services
            try expectEqual(services.map(\.name), ["b", "c", "a", "d"], "services")
            try expectEqual(services.map(\.spanCount), [2, 2, 1, 1], "spans")
        },

        Case("operations are the distinct names and kinds of a service") { store in
            try await append(
                [span(1, 1, name: "b", kind: .server), span(1, 2, name: "b", kind: .client), span(1, 3, name: "a")],
                [span(2, 4, name: "b", kind: .server), span(2, 5, name: "c", service: "other")],
                to: store
            )
            let wanted = [
                Operation(name: "a", kind: .internal), Operation(name: "b", kind: .server),
                Operation(name: "b", kind: .client),
            ]
            try await expectEqual(store.operations(ofService: "shop"), NameList(wanted), "operations")
            try await expectEqual(
                store.operations(ofService: "shop", prefix: "b", limit: 1),
                NameList([wanted[1]], isCut: true),
                "the first with b"
            )
            try await expectEqual(store.operations(ofService: "none"), NameList(), "operations of an unknown service")
        },

        Case("attribute keys are listed with their scopes, types and share of spans") { store in
            var rich = span(
                1,
                1,
                attributes: [Attribute("http.code", 200), Attribute("user", "u"), Attribute("a", "x")]
            )
            rich.events = [Span.Event(timeUnixNanos: 1, name: "e", attributes: [Attribute("user", true)])]
            rich.links = [Span.Link(traceID: .zero, spanID: .zero, attributes: [Attribute("kind", 1.5)])]
            rich.scope = InstrumentationScope(name: "lib", attributes: [Attribute("user", ["x"])])
            try await append([rich], [span(2, 2, attributes: [Attribute("http.code", "200")])], to: store)
            func key(_ scope: AttributeScope, _ name: String, _ types: [ValueType], _ spanCount: Int) -> AttributeKey {
                AttributeKey(scope: scope, name: name, types: types, spanCount: spanCount, totalSpanCount: 2)
            }
            let wanted = [
                key(.span, "a", [.string], 1), key(.span, "http.code", [.string, .int], 2),
                key(.link, "kind", [.double], 1),
                key(.resource, "service.name", [.string], 2), key(.span, "user", [.string], 1),
                key(.instrumentation, "user", [.array], 1), key(.event, "user", [.bool], 1),
            ]
            try await expectEqual(store.attributeKeys(prefix: "", limit: 100), NameList(wanted), "keys")
            try expectEqual(wanted.map(\.share), [0.5, 1, 0.5, 1, 0.5, 0.5, 0.5], "shares")
            try expectEqual(wanted.map(\.isEstimate), [false, false, true, false, false, false, true], "estimates")
            try await expectEqual(
                store.attributeKeys(prefix: "us", limit: 100),
                NameList(Array(wanted[4...])),
                "keys of a prefix"
            )
            try await expectEqual(
                store.attributeKeys(prefix: "", limit: 2),
                NameList(Array(wanted[..<2]), isCut: true),
                "two keys"
            )
            try await expectEqual(store.attributeKeys(prefix: "", limit: 0), NameList(isCut: true), "no keys")
        },

        Case("values come most frequent first") { store in
            try await append(
                (1...6).map { span($0, 1, attributes: [Attribute("user", $0 < 4 ? "ann" : $0 < 6 ? "bob" : "al")]) },
                [span(7, 1, attributes: [Attribute("code", 7)]), span(8, 1, name: "other")],
                to: store
            )
            let user = SpanField.attribute(.span, "user")
            let wanted = [
                ValueCount(value: "ann", count: 3), .init(value: "bob", count: 2), .init(value: "al", count: 1),
            ]
            try await expectEqual(store.values(of: user, prefix: "", limit: 10), ValueList(wanted), "values")
            try await expectEqual(
                store.values(of: user, prefix: "a", limit: 10),
                ValueList([wanted[0], wanted[2]]),
                "a…"
            )
            try await expectEqual(
                store.values(of: user, prefix: "", limit: 1),
                ValueList([wanted[0]], isCut: true),
                "one value"
            )
            let codes = try await store.values(of: .attribute(.any, "code"), prefix: "7", limit: 5).values
            try expectEqual(codes, [ValueCount(value: 7, count: 1)], "numbers")
            let names = try await store.values(of: .name, prefix: "", limit: 5).values
            try expectEqual(names, [.init(value: "work", count: 7), .init(value: "other", count: 1)], "names")
            let services = try await store.values(of: .attribute(.resource, "service.name"), prefix: "s", limit: 5)
            try expectEqual(services.values, [ValueCount(value: "shop", count: 8)], "values of a resource")
        },

        Case("a resource's value counts where the span has none") { store in
            func placed(_ id: UInt64, zone: String, own: [Attribute]) -> Span {
                var span = span(id, 1, attributes: own)
                span.resource.attributes.append(Attribute("zone", .string(zone)))
                return span
            }
            let own = Attribute("zone", "own")
            try await append(
                [placed(1, zone: "a", own: []), placed(2, zone: "a", own: [own]), placed(3, zone: "b", own: [])],
                [span(4, 1, attributes: [own]), span(5, 1)],
                to: store
            )
            func counts(_ scope: AttributeScope) async throws -> [String: Int] {
                let list = try await store.values(of: .attribute(scope, "zone"), prefix: "", limit: 9)
                return Dictionary(uniqueKeysWithValues: list.values.map { ($0.value.text, $0.count) })
            }
            try await expectEqual(counts(.any), ["a": 1, "b": 1, "own": 2], "any")
            try await expectEqual(counts(.span), ["own": 2], "spans")
            try await expectEqual(counts(.resource), ["a": 2, "b": 1], "resources")
        },
    ]
}
