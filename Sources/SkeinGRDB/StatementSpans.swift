// SPDX-License-Identifier: Apache-2.0
#if GRDB
    public import GRDB
    public import SkeinRecording
    import Tracing

    /// Which statements of a database become spans, and what of them is recorded.
    public struct StatementTracing: Sendable {
        /// What the database is called in spans (`db.namespace`); the name of its file unless it is given.
        public var namespace: String?
        /// Whether values are recorded: those in the text of a statement and its arguments. They may be secrets.
        public var recordsValues = false
        /// Whether a statement outside of any span begins a trace of its own.
        public var tracesOutsideOfSpans = true
        /// Whether a statement has a span. All have but the settings that GRDB makes at each access, and its own look-ups.
        public var isTraced: @Sendable (_ sql: String) -> Bool = { !$0.hasPrefix("PRAGMA") }

        public init() {}
    }

    extension Database {
        /// Makes each statement of this connection a span (OpenTelemetry semantic conventions 1.45, "SQL databases").
        ///
        ///     var configuration = Configuration()
        ///     configuration.prepareDatabase { $0.traceSpans() }
        ///
        /// A span lasts from the first step of a statement until it is done or reset, for a cursor thus as long as rows are read. It
        /// belongs to the span that is current where the statement is run; GRDB runs accesses on queues of its own, so use
        /// ``GRDB/DatabaseReader/tracedRead(_:tracer:_:)`` and ``GRDB/DatabaseWriter/tracedWrite(_:tracer:_:)`` where it is not
        /// to be lost. SQLite does not say whether a statement failed: the error is on the span of the access.
        ///
        /// It takes the place of other functions that were given to `trace`. `tracer` is used in place of the process's, which is
        /// looked up at each statement otherwise.
        public func traceSpans(_ tracing: StatementTracing = StatementTracing(), tracer: SkeinTracer? = nil) {
            var tracing = tracing
            if tracing.namespace == nil { tracing.namespace = fileName }
            let spans = StatementSpans(
                tracing,
                tracer,
                doubleQuotesAreTexts: configuration.acceptsDoubleQuotedStringLiterals
            )
            trace(options: [.statement, .profile]) { spans.take($0) }
        }

        private var fileName: String {
            let path = try? String.fetchOne(self, sql: "SELECT file FROM pragma_database_list WHERE name = 'main'")
            let name = path?.split(separator: "/").last.map(String.init) ?? ""
            return name.isEmpty ? ":memory:" : name
        }
    }

    /// The statements of one connection that have begun and are not done. GRDB calls it from where the connection is used, one
    /// call at a time.
    private final class StatementSpans {
        private let tracing: StatementTracing
        private let tracer: SkeinTracer?
        private let doubleQuotesAreTexts: Bool
        /// By their text, since nothing else tells them apart; the same may be run again before it is done.
        private var running: [String: [SkeinSpan]] = [:]
        private var texts: [String: StatementText] = [:]

        /// Different texts that run at a time. More means that SQLite no longer tells of their end.
        private static let runningCountMax = 1_000
        /// Texts that are kept. Who makes up a text for each statement pays for reading it each time.
        private static let textCountMax = 500
        /// The longest text in bytes that is kept.
        private static let textBytesMax = 8_192

        init(_ tracing: StatementTracing, _ tracer: SkeinTracer?, doubleQuotesAreTexts: Bool) {
            self.tracing = tracing
            self.tracer = tracer
            self.doubleQuotesAreTexts = doubleQuotesAreTexts
        }

        /// Of statements that are open when the connection closes nobody tells that they end.
        deinit { endAll() }

        func take(_ event: Database.TraceEvent) {
            switch event {
            case .statement(let statement): begin(statement)
            case .profile(let statement, _): end(statement.sql)
            }
        }

        private func begin(_ statement: Database.TraceEvent.Statement) {
            guard let tracer = tracer ?? Skein.tracer else { return }
            let sql = Self.trimmed(statement.sql)
            // Triggers tell of themselves in comments, and never of their end.
            guard !sql.hasPrefix("-- TRIGGER "), tracing.isTraced(sql) else { return }
            let context = ServiceContext.current
            guard tracing.tracesOutsideOfSpans || context?.spanContext != nil else { return }
            let text = text(sql)
            // What a statement runs itself, such as one of FTS5, comes as `-- SELECT …` and ends without the comment.
            if sql.hasPrefix("--"), !StatementText.operations.contains(text.operation) { return }
            let span = tracer.startSpan(
                name: text.summary.isEmpty ? "sqlite" : text.summary,
                kind: .client,
                attributes: ["db.system.name": "sqlite", "db.operation.name": .string(text.operation)],
                context: context
            )
            if span.isRecording {
                span.setAttribute(
                    "db.query.text",
                    tracing.recordsValues ? StatementText.cut(statement.expandedSQL.utf8) : text.sanitized
                )
                span.setAttribute("db.query.summary", text.summary)
                if let namespace = tracing.namespace { span.setAttribute("db.namespace", namespace) }
            }
            if running.count >= Self.runningCountMax { endAll() }
            running[sql, default: []].append(span)
        }

        /// GRDB leaves what separates statements at the end of one that begins with a comment, but not when it tells of its end.
        private static func trimmed(_ sql: String) -> String {
            guard sql.hasPrefix("--") else { return sql }
            let end = sql.lastIndex { !$0.isWhitespace && $0 != ";" }
            return end.map { String(sql[...$0]) } ?? sql
        }

        private func endAll() {
            for span in running.values.joined() { span.end() }
            running = [:]
        }

        private func end(_ sql: String) {
            guard var spans = running.removeValue(forKey: sql), let span = spans.popLast() else { return }
            span.end()
            if !spans.isEmpty { running[sql] = spans }
        }

        private func text(_ sql: String) -> StatementText {
            if let text = texts[sql] { return text }
            let text = StatementText(sql, doubleQuotesAreTexts: doubleQuotesAreTexts)
            guard sql.utf8.count <= Self.textBytesMax else { return text }
            if texts.count >= Self.textCountMax { texts = [:] }
            texts[sql] = text
            return text
        }
    }
#endif
