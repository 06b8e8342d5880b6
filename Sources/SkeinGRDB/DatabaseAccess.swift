// SPDX-License-Identifier: Apache-2.0
#if GRDB
    public import GRDB
    public import SkeinRecording
    import Tracing

    extension DatabaseReader {
        /// `read` in a span, which the statements inside belong to. Its event `db.access` tells when the wait for a connection was
        /// over. `tracer` is used in place of the process's.
        public func tracedRead<Value>(
            _ name: String = "read",
            tracer: SkeinTracer? = nil,
            _ value: (Database) throws -> Value
        ) throws -> Value {
            let access = DatabaseAccess(name, path, tracer)
            return try access.end { try read { db in try access.run { try value(db) } } }
        }

        /// `read` in a span, as the function of the same name that does not wait.
        public func tracedRead<Value: Sendable>(
            _ name: String = "read",
            tracer: SkeinTracer? = nil,
            _ value: @Sendable (Database) throws -> Value
        ) async throws -> Value {
            let access = DatabaseAccess(name, path, tracer)
            return try await access.end { try await read { db in try access.run { try value(db) } } }
        }
    }

    extension DatabaseWriter {
        /// `write` in a span, which the statements inside belong to. Its event `db.access` tells when the wait for the connection
        /// was over. `tracer` is used in place of the process's.
        public func tracedWrite<Value>(
            _ name: String = "write",
            tracer: SkeinTracer? = nil,
            _ updates: (Database) throws -> Value
        ) throws -> Value {
            let access = DatabaseAccess(name, path, tracer)
            return try access.end { try write { db in try access.run { try updates(db) } } }
        }

        /// `write` in a span, as the function of the same name that does not wait.
        public func tracedWrite<Value: Sendable>(
            _ name: String = "write",
            tracer: SkeinTracer? = nil,
            _ updates: @Sendable (Database) throws -> Value
        ) async throws -> Value {
            let access = DatabaseAccess(name, path, tracer)
            return try await access.end { try await write { db in try access.run { try updates(db) } } }
        }
    }

    /// The span of one access to a database.
    private struct DatabaseAccess: Sendable {
        /// `nil` without a tracer.
        private let span: SkeinSpan?

        init(_ name: String, _ path: String, _ tracer: SkeinTracer?) {
            span = (tracer ?? Skein.tracer)?.startSpan(name: name, attributes: ["db.system.name": "sqlite"])
            if let name = path.split(separator: "/").last { span?.setAttribute("db.namespace", String(name)) }
        }

        /// Runs `operation` as part of the span, on whatever thread the database has for it.
        func run<Value>(_ operation: () throws -> Value) rethrows -> Value {
            guard let span else { return try operation() }
            span.addEvent("db.access")
            return try ServiceContext.$current.withValue(span.context, operation: operation)
        }

        func end<Value>(_ operation: () throws -> Value) throws -> Value {
            do {
                let value = try operation()
                span?.end()
                return value
            } catch {
                fail(error)
                throw error
            }
        }

        func end<Value>(
            isolation: isolated (any Actor)? = #isolation,
            _ operation: () async throws -> Value
        ) async throws -> Value {
            do {
                let value = try await operation()
                span?.end()
                return value
            } catch {
                fail(error)
                throw error
            }
        }

        private func fail(_ error: any Error) {
            guard let span, span.isRecording else { return }
            var attributes = SpanAttributes()
            if let error = error as? DatabaseError {
                let code = String(error.extendedResultCode.rawValue)
                span.setAttribute("db.response.status_code", code)
                span.setAttribute("error.type", code)
                // The description of the error has the statement with its values.
                attributes["exception.message"] = "SQLite error \(code): \(error.message ?? "")"
            }
            span.recordError(error, attributes: attributes)
            span.setStatus(SpanStatus(code: .error))
            span.end()
        }
    }
#endif
