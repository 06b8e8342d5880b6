// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import Testing

/// Lists of names: page by page they say what they say at once.
struct NativeListTests {
    private let path = "/api/skein/v1"

    /// Names that share beginnings, keys that share names, values that share counts and texts.
    private static var spans: [SkeinModel.Span] {
        let long = String(repeating: "x", count: 300)
        let values: [AttributeValue] = [
            .string("1"), .int(1), .double(1), .string("true"), .bool(true), .string(long + "a"), .string(long + "b"),
            .string(long), .string("é\u{0}"), .string("2"), .string("2"),
        ]
        return values.enumerated().map { index, value in
            var span = Shop.span(UInt64(1 + index), service: "shop", at: UInt64(index))
            span.resource = Resource(attributes: [
                Attribute("service.name", .string(index < 2 ? long + "\(index)" : "s\(index)")), Attribute("k", value),
            ])
            span.resource.attributes.append(Attribute("service.namespace", "n"))
            span.attributes = [
                Attribute("k", value), Attribute("k\(index)", value), Attribute("\(long)\(index)", value),
            ]
            return span
        }
    }

    static let lists = [
        ("services", "services"), ("attributes", "attributes"), ("attributes?prefix=x", "attributes"),
        ("attributes/k/values", "values"), ("attributes/span.k/values?prefix=1", "values"),
    ]

    @Test(arguments: lists)
    func `pages put together are the whole list`(_ list: (target: String, plural: String)) async throws {
        let api = try await APIUnderTest(Self.spans)
        let joint = list.target.contains("?") ? "&" : "?"
        let whole = try await api.json("\(path)/\(list.target)\(joint)limit=1000")
        #expect(whole["next"] == nil)
        let elements = whole[list.plural].array
        #expect(elements.count > 1 && Set(elements).count == elements.count)
        for limit in 1...elements.count + 1 {
            var got: [JSONValue] = []
            var next: String? = ""
            while let cursor = next, got.count <= elements.count {
                let page = try await api.json("\(path)/\(list.target)\(joint)limit=\(limit)&cursor=\(cursor)")
                let part = page[list.plural].array
                #expect(part.count == min(limit, elements.count - got.count))
                got += part
                next = page["next"].string
            }
            #expect(got == elements, "limit \(limit)")
        }
    }

    @Test func `operations of one name and several kinds are paged through`() async throws {
        let kinds = SkeinModel.Span.Kind.allCases
        let spans = kinds.enumerated().map { index, kind in
            var span = Shop.span(UInt64(1 + index), service: "shop", at: UInt64(index))
            span.kind = kind
            return span
        }
        let api = try await APIUnderTest(spans)
        var got: [String?] = []
        var next: String? = ""
        while let cursor = next, got.count <= kinds.count {
            let page = try await api.json("\(path)/services/shop/operations?limit=1&cursor=\(cursor)")
            got += page["operations"].array.map { $0["kind"].string }
            next = page["next"].string
        }
        #expect(got == kinds.map { "\($0)" })
    }

    @Test func `a name that comes while one pages hides none and repeats none`() async throws {
        let store = MemoryStore()
        try await store.append(
            SpanBatch(spans: [("b"), ("d")].enumerated().map { Shop.span(UInt64(1 + $0), service: $1, at: 1) })
        )
        let api = APIUnderTest(over: store)
        let first = try await api.json("\(path)/services?limit=1")
        #expect(first["services"][0]["name"] == "b")
        try await store.append(
            SpanBatch(spans: ["a", "c"].enumerated().map { Shop.span(UInt64(9 + $0), service: $1, at: 1) })
        )
        let cursor = try #require(first["next"].string)
        let rest = try await api.json("\(path)/services?cursor=\(cursor)")
        #expect(rest["services"].array.map { $0["name"].string } == ["c", "d"])
    }

    @Test func `a cursor serves its own list only, and only as it came`() async throws {
        let api = try await APIUnderTest(Self.spans)
        let cursor = try #require(try await api.json("\(path)/attributes?limit=1")["next"].string)
        for target in [
            "attributes?cursor=x", "attributes?cursor=\(cursor)00", "attributes?cursor=\(cursor.dropLast(2))",
            "attributes?prefix=k&cursor=\(cursor)", "services?cursor=\(cursor)", "attributes/k/values?cursor=\(cursor)",
            "services/shop/operations?cursor=01",
        ] {
            let problem = try await api.json("\(path)/\(target)", status: 400)
            #expect(problem["field"] == "cursor", "\(target)")
        }
    }
}
