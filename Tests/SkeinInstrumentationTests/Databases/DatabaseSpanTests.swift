// SPDX-License-Identifier: Apache-2.0
#if GRDB
    import GRDB
    import SkeinGRDB
    import SkeinModel
    import Testing
    import Tracing

    @Suite struct DatabaseSpanTests {
        private let exporter = InMemoryExporter()
        private var tracer: SkeinTracer { SkeinTracer(processors: [exporter]) }

        private var spans: [SkeinModel.Span] { exporter.spans.map(\.span) }

        /// A database with a table, whose making is not recorded.
        private func make(_ tracing: StatementTracing = StatementTracing()) throws -> DatabaseQueue {
            var configuration = Configuration()
            let tracer = tracer
            configuration.prepareDatabase { $0.traceSpans(tracing, tracer: tracer) }
            let queue = try DatabaseQueue(configuration: configuration)
            try queue.write { try $0.execute(sql: "CREATE TABLE player (id INTEGER PRIMARY KEY, name TEXT UNIQUE)") }
            exporter.reset()
            return queue
        }

        @Test func `a statement is a span of the access that runs it`() throws {
            let queue = try make()
            try tracer.withSpan("request") { _ in
                try queue.tracedWrite(tracer: tracer) {
                    try $0.execute(sql: "INSERT INTO player (name) VALUES ('Ada'), (?)", arguments: ["Bob"])
                }
            }
            #expect(spans.map(\.name) == ["BEGIN", "INSERT player", "COMMIT", "write", "request"])
            let (insert, write, request) = (spans[1], spans[3], spans[4])
            #expect(insert.parentSpanID == write.spanID && write.parentSpanID == request.spanID)
            #expect(spans[0].parentSpanID == request.spanID)
            #expect(insert.kind == .client && insert.startUnixNanos >= write.startUnixNanos)
            #expect(
                insert.attributes == [
                    Attribute("db.system.name", "sqlite"), Attribute("db.operation.name", "INSERT"),
                    Attribute("db.query.text", "INSERT INTO player (name) VALUES (?), (?)"),
                    Attribute("db.query.summary", "INSERT player"), Attribute("db.namespace", ":memory:"),
                ]
                    || Set(insert.attributes.map(\.key)).count == 5
            )
            #expect(insert.attributes["db.query.text"] == "INSERT INTO player (name) VALUES (?), (?)")
            #expect(write.events.map(\.name) == ["db.access"])
        }

        @Test func `the span goes along to other threads`() async throws {
            let queue = try make()
            let count = try await tracer.withSpan("request") { _ in
                try await queue.tracedRead("count", tracer: tracer) {
                    try Int.fetchOne($0, sql: "SELECT count(*) FROM player")
                }
            }
            #expect(count == 0)
            let select = try #require(spans.first { $0.name == "SELECT player" })
            let access = try #require(spans.first { $0.name == "count" })
            #expect(select.parentSpanID == access.spanID && select.traceID == access.traceID)
        }

        @Test func `what a cursor reads is one span, also when others run in between`() throws {
            let queue = try make()
            try queue.write { db in
                try db.execute(sql: "INSERT INTO player (name) VALUES ('Ada'), ('Bob')")
                exporter.reset()
                let names = try String.fetchCursor(db, sql: "SELECT name FROM player")
                while let name = try names.next() {
                    _ = try Int.fetchOne(db, sql: "SELECT count(*) FROM player WHERE name = ?", arguments: [name])
                }
            }
            let texts = spans.map { $0.attributes["db.query.text"] }
            #expect(texts.filter { $0 == "SELECT count(*) FROM player WHERE name = ?" }.count == 2)
            #expect(texts.filter { $0 == "SELECT name FROM player" }.count == 1)
        }

        @Test func `an error is on the span of the access, without values`() throws {
            let queue = try make()
            #expect(throws: DatabaseError.self) {
                try queue.tracedWrite(tracer: tracer) { db in
                    for _ in 0..<2 { try db.execute(sql: "INSERT INTO player (name) VALUES ('secret')") }
                }
            }
            let access = try #require(spans.first { $0.name == "write" })
            #expect(access.status.code == .error)
            #expect(spans.filter { $0.name == "INSERT player" }.count == 2)
            #expect(access.attributes["db.response.status_code"] == "2067")
            #expect(access.attributes["error.type"] == "2067")
            let exception = try #require(access.events.first { $0.name == "exception" })
            #expect(
                exception.attributes["exception.message"] == "SQLite error 2067: UNIQUE constraint failed: player.name"
            )
        }

        @Test func `values are recorded when they are asked for`() throws {
            var tracing = StatementTracing()
            (tracing.recordsValues, tracing.namespace) = (true, "players")
            let queue = try make(tracing)
            try queue.write { try $0.execute(sql: "DELETE FROM player WHERE name = ?", arguments: ["Ada"]) }
            let delete = try #require(spans.first { $0.name == "DELETE player" })
            #expect(delete.attributes["db.query.text"] == "DELETE FROM player WHERE name = 'Ada'")
            #expect(delete.attributes["db.namespace"] == "players")
        }

        @Test func `statements may be left out, also those outside of spans`() throws {
            var tracing = StatementTracing()
            tracing.isTraced = { $0.hasPrefix("SELECT") }
            tracing.tracesOutsideOfSpans = false
            let queue = try make(tracing)
            let read = { @Sendable (db: Database) in try Int.fetchOne(db, sql: "SELECT 1") }
            _ = try queue.read(read)
            #expect(spans.isEmpty)
            _ = try queue.tracedRead(tracer: tracer, read)
            #expect(spans.map(\.name) == ["SELECT", "read"])
        }

        @Test func `a statement that begins with a comment is a span, what a trigger says is not`() throws {
            let queue = try make()
            try queue.write { db in
                try db.execute(
                    sql: """
                        CREATE TABLE log (id);
                        CREATE TRIGGER kept AFTER INSERT ON player BEGIN INSERT INTO log VALUES (new.id); END
                        """
                )
                exporter.reset()
                try db.execute(sql: "-- who plays\nINSERT INTO player (name) VALUES ('Ada') ;\n")
                #expect(spans.map(\.name) == ["INSERT player"])
                #expect(spans.first?.attributes["db.query.text"] == "INSERT INTO player (name) VALUES (?)")
            }
        }

        @Test func `what a statement runs itself is no span`() throws {
            let queue = try make()
            try queue.write { db in
                try db.execute(sql: "CREATE VIRTUAL TABLE page USING fts5(body)")
                exporter.reset()
                try db.execute(sql: "INSERT INTO page VALUES ('text')")
                db.trace(options: [])
                #expect(spans.map(\.name) == ["INSERT page"])
            }
        }

        @Test func `a cursor that is open when nobody listens any more has a span`() throws {
            try make().read { db in
                let numbers = try Int.fetchCursor(db, sql: "VALUES (1), (2)")
                exporter.reset()
                #expect(try numbers.next() == 1)
                #expect(spans.isEmpty)
                db.trace(options: [])
                #expect(spans.map(\.name) == ["VALUES"])
            }
        }

        @Test func `the text with values is cut too`() throws {
            var tracing = StatementTracing()
            tracing.recordsValues = true
            try make(tracing).read { db in
                exporter.reset()
                _ = try String.fetchOne(db, sql: "SELECT ?", arguments: [String(repeating: "a", count: 9_000)])
            }
            let text = try #require(spans.first { $0.name == "SELECT" }?.attributes["db.query.text"])
            #expect(text == .string("SELECT '" + String(repeating: "a", count: 8_184) + "…"))
        }

        @Test func `without a tracer all works`() async throws {
            var configuration = Configuration()
            configuration.prepareDatabase { $0.traceSpans() }
            let queue = try DatabaseQueue(configuration: configuration)
            let read = { try queue.tracedRead { try Int.fetchOne($0, sql: "SELECT 1") } }
            #expect(try read() == 1)
            #expect(try await queue.tracedWrite { try Int.fetchOne($0, sql: "SELECT 2") } == 2)
        }
    }
#endif
