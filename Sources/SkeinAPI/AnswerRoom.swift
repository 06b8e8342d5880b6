// SPDX-License-Identifier: Apache-2.0
import SkeinPipeline

/// The memory that one answer takes while it is made, out of what all answers may take together. Given back when it goes
/// out of scope.
struct AnswerRoom: ~Copyable {
    private var reservation: ByteBudget.Reservation
    /// The most bytes that answers may take.
    let limit: Int
    /// What to do instead when the answer can never have its room.
    private let remedy: String

    /// Taken in pieces of this size, since an answer asks after each span.
    private static let stepBytes = 256 << 10

    init(_ budget: ByteBudget, remedy: String = "ask for less") {
        reservation = budget.reservation()
        limit = budget.limit
        self.remedy = remedy
    }

    /// Holds room for `count` bytes. Refuses an answer that can never have it, and one that cannot have it now.
    mutating func hold(_ count: Int) throws(APIError) {
        guard count > reservation.count else { return }
        guard count <= limit else { throw .answerTooLarge(limit, remedy) }
        let steps = (count - 1) / Self.stepBytes + 1
        guard reservation.grow(to: min(steps * Self.stepBytes, limit)) else { throw .noRoom }
    }
}

extension APIError {
    static func answerTooLarge(_ limit: Int, _ remedy: String = "ask for less") -> APIError {
        APIError(422, "limit-exceeded", "The answer takes more than \(limit) bytes, the limit for one: \(remedy).")
    }

    static var noRoom: APIError {
        var error = APIError(503, "busy", "The answers in the making take all the memory they may: try again.")
        error.headers = [("Retry-After", "1")]
        return error
    }
}
