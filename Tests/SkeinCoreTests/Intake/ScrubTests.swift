// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinPipeline
import Synchronization
import Testing

/// What is taken out of spans before anything of them is kept.
@Suite struct ScrubTests {
    private static func scrubber(_ rules: String) throws -> Scrubber {
        let rules = try ScrubRules(parsing: rules)
        return Scrubber(rules, telemetry: Telemetry()) { "hash:\($0.count)" }
    }

    private static func scrubbed(_ span: SkeinModel.Span, _ rules: String) throws -> SkeinModel.Span {
        try #require(try scrubber(rules).scrubbed(SpanBatch(spans: [span])).spans.first)
    }

    private static func span(_ attributes: [Attribute]) -> SkeinModel.Span {
        var span = SkeinModel.Span(
            traceID: TraceID(high: 1, low: 2),
            spanID: SpanID(3),
            name: "work",
            startUnixNanos: 1_000,
            durationNanos: 10
        )
        span.attributes = attributes
        span.resource.attributes = [Attribute("service.name", "shop")]
        return span
    }

    @Test func `rules drop, mask and hash by key, wherever the key stands`() throws {
        var span = Self.span([
            Attribute("user.Password", "p"), Attribute("user.email", "a@b.c"), Attribute("user.id", "abc"),
            Attribute("kept", "yes"),
        ])
        span.events = [
            .init(timeUnixNanos: 5, name: "e", attributes: [Attribute("db.password", "x"), Attribute("n", 1)])
        ]
        span.links = [.init(traceID: span.traceID, spanID: SpanID(9), attributes: [Attribute("user.email", "l")])]
        span.resource.attributes.append(Attribute("host.password", "h"))
        span.scope = InstrumentationScope(name: "s", attributes: [Attribute("user.id", 7)])
        let found = try Self.scrubbed(span, "drop: *.password; mask: USER.EMAIL; hash: user.*")
        #expect(found.attributes.map(\.key) == ["user.email", "user.id", "kept"])
        #expect(found.attributes["user.email"] == "[redacted]" && found.attributes["user.id"] == "hash:5")
        #expect(found.events[0].attributes == [Attribute("n", 1)])
        #expect(found.links[0].attributes == [Attribute("user.email", "[redacted]")])
        #expect(found.resource.attributes == [Attribute("service.name", "shop")])
        #expect(found.scope.attributes["user.id"] == "hash:2")
    }

    @Test func `nothing of what was taken out is left in the batch`() throws {
        let span = Self.span([Attribute("secret", "hunter2"), Attribute("a", "b")])
        let batch = try Self.scrubber("mask: secret").scrubbed(SpanBatch(spans: [span]))
        let bytes = String(decoding: batch.dictionary.bytes, as: UTF8.self)
        #expect(!bytes.contains("hunter2") && bytes.contains("[redacted]"))
    }

    @Test func `a batch in which nothing is found goes on as it is`() throws {
        let batch = SpanBatch(spans: [Self.span([Attribute("a", "4111 is no card"), Attribute("n", 5)])])
        let same = try Self.scrubber("drop: b; detect: tokens, cards").scrubbed(batch)
        #expect(same.dictionary == batch.dictionary && same.spans == batch.spans)
    }

    @Test func `the name of a service follows its attribute`() throws {
        let batch = SpanBatch(spans: [Self.span([])])
        let hashed = try Self.scrubber("hash: service.name").scrubbed(batch)
        #expect(hashed.serviceName(at: 0) == "hash:6")
        #expect(try Self.scrubber("drop: service.name").scrubbed(batch).serviceName(at: 0) == "")
    }

    @Test func `secrets are found in names, messages, lists and maps`() throws {
        var span = Self.span([
            Attribute("list", .array(["ok", "4111 1111 1111 1111"])),
            Attribute("map", .map([Attribute("inner", "Bearer abcdefghijklmnop1234"), Attribute("x", 1)])),
            Attribute("number", 4_111_111_111_111_111),
        ])
        span.name = "GET /pay/4111111111111111"
        span.status = .init(.error, message: "bad key sk_live_abcdefghij0123456789")
        let found = try Self.scrubbed(span, "detect: tokens, cards")
        #expect(found.name == "GET /pay/[redacted card]")
        #expect(found.status.message == "bad key [redacted token]")
        #expect(found.attributes["list"] == .array(["ok", "[redacted card]"]))
        #expect(found.attributes["map"] == .map([Attribute("inner", "[redacted token]"), Attribute("x", 1)]))
        #expect(found.attributes["number"] == "[redacted card]")
    }

    @Test func `secrets are found in bytes that are text, keys, scopes and trace states`() throws {
        let secret = "sk_live_abcdefghij0123456789"
        let binary: [UInt8] = [0xff] + Array(secret.utf8)
        var span = Self.span([
            Attribute("raw", .bytes(Array("key \(secret)".utf8))), Attribute("binary", .bytes(binary)),
            Attribute("of.\(secret)", 1), Attribute("map", .map([Attribute(secret, "x")])),
        ])
        span.traceState = "ot=th:8,vendor=\(secret)"
        span.scope = InstrumentationScope(name: "lib \(secret)", version: secret)
        span.links = [.init(traceID: span.traceID, spanID: SpanID(9), traceState: "v=\(secret)")]
        let found = try Self.scrubbed(span, "detect: tokens")
        let mask = "[redacted token]"
        #expect(found.attributes["raw"] == .bytes(Array("key \(mask)".utf8)))
        #expect(found.attributes["binary"] == .bytes(binary))
        #expect(found.attributes["of.\(mask)"] == 1)
        #expect(found.attributes["map"] == .map([Attribute(mask, "x")]))
        #expect(found.traceState == "ot=th:8,vendor=\(mask)" && found.links[0].traceState == "v=\(mask)")
        #expect(found.scope == InstrumentationScope(name: "lib \(mask)", version: mask))
    }

    @Test func `a value that comes again is hashed once`() throws {
        let count = Mutex(0)
        let scrubber = Scrubber(try ScrubRules(parsing: "hash: id"), telemetry: Telemetry()) { _ in
            count.withLock { $0 += 1 }
            return "h"
        }
        let spans = (1...50).map { number in
            var span = Self.span([Attribute("id", .string("user \(number % 2)"))])
            span.spanID = SpanID(UInt64(number))
            return span
        }
        #expect(scrubber.scrubbed(SpanBatch(spans: spans)).spans.allSatisfy { $0.attributes["id"] == "h" })
        #expect(count.withLock { $0 } == 2)
    }

    static let texts: [(String, String?)] = [
        ("card 4111-1111-1111-1111.", "card [redacted card]."), ("5500 0000 0000 0004", "[redacted card]"),
        ("378282246310005", "[redacted card]"), ("4111111111111112", nil), ("order 41111111111111111111", nil),
        ("id a4111111111111111", nil), ("0.4111111111111111", nil),
        ("4111 1111 1111 1111 and 4111111111111111", "[redacted card] and [redacted card]"),
        ("4111 1111 1111 1111 123", "[redacted card] 123"), ("pay 4111111111111111 12/27", "pay [redacted card] 12/27"),
        ("5555555555554444 100 USD", "[redacted card] 100 USD"), ("2223003122003222", "[redacted card]"),
        ("4111 1111 1111", nil), ("1763980000123456789", nil), ("3", nil), ("", nil),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "[redacted token]"), ("eyJhbGciOiJIUzI1NiJ9.x", nil),
        ("Authorization: Bearer 0123456789abcdef", "Authorization: [redacted token]"), ("Bearer short", nil),
        ("AKIAABCDEFGHIJKLMNOP x", "[redacted token] x"), ("ghp_0123456789012345678901234567890", "[redacted token]"),
        ("task-sk-1", nil), ("postgres://app:s3cret@db:5432/x", "postgres[redacted token]@db:5432/x"),
        ("x_eyJhbGciOiJI.eyJzdWIiOiIxIn0.c2ln", "x_[redacted token]"), ("BEARER 0123456789abcdef", "[redacted token]"),
        ("sk_test_abcdefghij012345", "[redacted token]"), ("risk_test_abcdefghij012345", nil),
        ("postgres://app:p@ss-word-1@db/x?a=b@c", "postgres[redacted token]@db/x?a=b@c"),
        (#"{"url":"amqp://u:p@h","mail":"x@y"}"#, #"{"url":"amqp[redacted token]@h","mail":"x@y"}"#),
        ("http://host:80/path@x", nil), ("http://user@host/", nil),
        (
            "k -----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- rest", "k [redacted token] rest"
        ),
        ("-----BEGIN CERTIFICATE-----", nil), ("-----BEGIN PRIVATE KEY-----\nMII", "[redacted token]"),
        ("😀 4111111111111111 é", "😀 [redacted card] é"),
    ]

    @Test(arguments: texts)
    func `what looks like a secret is masked, and what does not is left`(row: (String, String?)) {
        let detector = SecretDetector(Set(SecretDetector.Kind.allCases))
        let found = Array(row.0.utf8).withUnsafeBufferPointer { detector.scrubbed(UnsafeRawBufferPointer($0)) }
        #expect(found.map { String(decoding: $0, as: UTF8.self) } == row.1)
    }

    @Test(arguments: [
        ("mask", "is no rule"), ("mask:", "is no rule"), ("burn: x", "is no action"),
        ("detect: names", "cannot be detected"),
        ("drop: *", "is no name"), ("drop: a*b", "is no name"),
    ])
    func `rules that make no sense say why`(text: String, message: String) {
        let error = #expect(throws: ScrubRules.Failure.self) { try ScrubRules(parsing: text) }
        #expect(error?.message.contains(message) == true)
    }

    @Test func `rules are written as they are read`() throws {
        let text = "drop: *.password; mask: user.email; hash: user.id; detect: tokens, cards"
        #expect(try ScrubRules(parsing: text).text == text)
        #expect(try ScrubRules(parsing: "").isEmpty)
        let mixed = "mask: user.id; drop: *.id; mask: a, b"
        #expect(try ScrubRules(parsing: mixed).text == mixed)
    }

    @Test func `names are found within maps without looking for secrets`() throws {
        let map = AttributeValue.map([Attribute("password", "x"), Attribute("n", 4_111_111_111_111_111)])
        let found = try Self.scrubbed(Self.span([Attribute("body", map)]), "mask: password")
        #expect(
            found.attributes["body"]
                == .map([Attribute("password", "[redacted]"), Attribute("n", 4_111_111_111_111_111)])
        )
    }

    @Test(arguments: ["eyJ-", "eyJaaaaaaaa.", "eyJ", "eyJaaaaaaaaaaaa.b."])
    func `a long text that nearly holds tokens is read once`(piece: String) {
        let text = Array(String(repeating: piece, count: 200_000).utf8)
        let detector = SecretDetector([.tokens])
        _ = text.withUnsafeBufferPointer { detector.scrubbed(UnsafeRawBufferPointer($0)) }
    }

    @Test func `no bytes are too strange`() {
        var random = SeededRandom(seed: 4)
        let detector = SecretDetector(Set(SecretDetector.Kind.allCases))
        let pieces = [
            "4111", " ", "-", "eyJ", ".", "Bearer ", "://", "a:b@", "-----BEGIN ", "PRIVATE KEY-----", "sk-", "é",
            "\u{0}",
        ]
        for _ in 0..<20_000 {
            let text = (0..<Int.random(in: 0..<8, using: &random)).compactMap { _ in
                pieces.randomElement(using: &random)
            }
            _ = Array(text.joined().utf8).withUnsafeBufferPointer { detector.scrubbed(UnsafeRawBufferPointer($0)) }
        }
    }
}
