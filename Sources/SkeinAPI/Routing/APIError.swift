// SPDX-License-Identifier: Apache-2.0
import SkeinStore

/// Why a request has no other answer. Each API family puts it in its own words, see ``APIFamily``.
struct APIError: Error {
    /// The HTTP status.
    var status: Int
    /// What a program tells errors apart by, such as `invalid-field`.
    var code: String
    /// For people: names the value, the limit and the remedy.
    var detail: String
    /// The parameter that is to blame.
    var field: String?
    /// Where a query does not parse.
    var syntax: Syntax?
    /// The trace that is to blame (Jaeger's answers name it).
    var traceID: String?
    /// Further headers, such as `Allow` and `Retry-After`.
    var headers: [(name: String, value: String)] = []
    /// For the server's log, when the fault is on this side.
    var logMessage: String?

    /// The place in a query's text, and what would have been right there.
    struct Syntax: Sendable {
        /// From 1 on.
        var line: Int
        /// From 1 on, in characters.
        var column: Int
        /// From 0 on, in bytes of UTF-8.
        var offset: Int
        /// In bytes of UTF-8.
        var length: Int
        var expected: [String]
        var suggestion: String?
    }

    init(_ status: Int, _ code: String, _ detail: String, field: String? = nil) {
        self.status = status
        self.code = code
        self.detail = detail
        self.field = field
    }

    /// A parameter whose value is out of its grammar or bounds.
    static func invalid(_ field: String, _ detail: String) -> APIError {
        APIError(400, "invalid-field", detail, field: field)
    }

    static func unknownPath(_ path: String) -> APIError {
        APIError(404, "unknown-path", "Nothing is served at \(path.prefix(200)).")
    }

    static func methodNotAllowed(_ method: String, allowed: [String]) -> APIError {
        var error = APIError(
            405,
            "method-not-allowed",
            "\(method.prefix(20)) is not supported here; use \(allowed.joined(separator: ", "))."
        )
        error.headers = [("Allow", allowed.joined(separator: ", "))]
        return error
    }

    /// What a store's failure means to an HTTP client. The one table for all families.
    init(_ error: StoreError, requestID: @autoclosure () -> String) {
        switch error.code {
        case .unavailable:
            self.init(503, "unavailable", error.message)
            headers = [("Retry-After", "1")]
        case .full:
            self.init(503, "storage-full", error.message)
            headers = [("Retry-After", "30")]
        case .cancelled:
            // Nobody waits for this answer any more; the number is what proxies log for it.
            self.init(499, "cancelled", "The request was cancelled before it was answered.")
        case .limit:
            self.init(422, "limit-exceeded", error.message)
        case .corrupt:
            // The store writes the file anew without what cannot be read.
            self.init(
                503,
                "unavailable",
                "Something stored is damaged and is being put aside: try again in a moment. Status says what is lost."
            )
            let id = requestID()
            headers = [("Retry-After", "1"), ("X-Request-Id", id)]
            logMessage = "\(id): \(error.code.rawValue): \(error.description)"
        case .io, .unusable:
            // The message may name files: it goes to the log, and the client gets the id to find it by.
            let id = requestID()
            self.init(500, "internal", "The store could not be read. The server's log has the cause under \(id).")
            headers = [("X-Request-Id", id)]
            logMessage = "\(id): \(error.code.rawValue): \(error.description)"
        }
    }
}
