// SPDX-License-Identifier: Apache-2.0
import SkeinAnalysis
import Testing

@Suite struct TextShapeTests {
    @Test(
        arguments: [
            ("user 4711 not found", "user <number> not found"),
            ("timeout after 30s (1.5ms allowed, -3)", "timeout after <number>s (<number>ms allowed, -<number>)"),
            ("order 7d9f2a3c-1b2c-4d5e-8f90-a1b2c3d4e5f6 is gone", "order <uuid> is gone"),
            ("trace 0af7651916cd43dd8448eb211c80319c at 0x7ffee1", "trace <hex> at <hex>"),
            ("no such key \"abc\" in 'shop': can't go on", "no such key <value> in <value>: can't go on"),
            ("open /var/lib/skein/blocks: permission denied", "open <path>: permission denied"),
            ("GET https://api.shop.eu/items/7?x=1 failed.", "GET <url> failed."),
            ("dial tcp 10.0.0.7:5432: refused", "dial tcp <ip>:<number>: refused"),
            ("no key user_4711, order4711 or v2 by sha256", "no key user_<number>, order<number> or v2 by sha256"),
            ("session 01J9ZKQ4T8W3XYV7N2M5P6R8AB expired", "session <id> expired"),
            ("  first  line \t here \nsecond line 7", "first line here"),
            ("read/write error 3/4", "read/write error <number>/<number>"),
            ("größe 12 zu groß", "größe <number> zu groß"),
            ("an 'open quote", "an 'open quote"),
            ("facade and deadbeef", "facade and deadbeef"),
            ("", ""),
        ]
    )
    func `messages that differ in values have one shape`(text: String, shape: String) {
        #expect(TextShape.message(text) == shape)
        #expect(TextShape.message(shape) == shape || shape.contains("'"))
    }

    @Test(
        arguments: [
            ("GET /items/4711", "GET /items/<number>"),
            ("GET /v2/users/7d9f2a3c-1b2c-4d5e-8f90-a1b2c3d4e5f6/cart", "GET /v2/users/<uuid>/cart"),
            ("process_batch_17", "process_batch_<number>"), ("job-5f3a9c0d1e", "job-<hex>"),
            ("SELECT shop.orders", "SELECT shop.orders"), ("HTTP GET", "HTTP GET"),
        ]
    )
    func `names are looked at segment by segment`(text: String, shape: String) {
        #expect(TextShape.name(text) == shape)
    }

    @Test(
        arguments: [
            (
                "SELECT * FROM t1 WHERE id = 42 AND name = 'O''Brien'  AND x_1 > 1.5",
                "SELECT * FROM t1 WHERE id = ? AND name = ? AND x_1 > ?"
            ),
            ("SELECT * FROM a WHERE id IN (1, 2, 3,4)", "SELECT * FROM a WHERE id IN (?)"),
            ("INSERT INTO a VALUES (1, 'x'), (2,'y'), (3, 'z')", "INSERT INTO a VALUES (?)"),
            ("SELECT \"id\" FROM `t` WHERE u = $1 AND v = 0xff", "SELECT \"id\" FROM `t` WHERE u = $? AND v = ?"),
            ("GET user:4711", "GET user:?"),
            ("SELECT 'a", "SELECT ?"), ("SELECT 'a''", "SELECT ?"), ("'", "?"), ("''''", "?"),
            ("SELECT\n  a\nFROM b", "SELECT a FROM b"),
        ]
    )
    func `statements have placeholders for literals, one for a list of them`(text: String, shape: String) {
        #expect(TextShape.statement(text) == shape)
    }

    @Test func `only the beginning of a long text is read`() {
        let long = String(repeating: "word ", count: 100_000)
        #expect(TextShape.message(long).utf8.count <= 500)
        #expect(TextShape.statement(String(repeating: "(", count: 100_000)).utf8.count == 2000)
        // A character that is cut through is repaired.
        #expect(TextShape.message(String(repeating: "é", count: 400)).utf8.count <= 502)
    }
}
