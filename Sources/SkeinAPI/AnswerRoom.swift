// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// The memory that one answer takes while it is made, out of what queries may take together.
struct AnswerRoom {
    /// Goes with the answer until it is on its way.
    let memory: HeldMemory
    /// What to do instead when the answer can never have its room.
    private let remedy: String
    /// What the answer is made of.
    private var sourceByteCount = 0
    /// Of the text so far.
    private var textByteCount = 0

    /// A text is there twice: before it was moved as it grew, and then as it is sent.
    private static let copyCount = 2
    /// Taken in pieces of this size, since an answer asks after each span.
    private static let stepBytes = 256 << 10

    init(_ budget: ByteBudget, remedy: String = "ask for less") {
        memory = HeldMemory(budget)
        self.remedy = remedy
    }

    /// The most memory that answers may take.
    var limit: Int { memory.budget.limit }

    /// The longest text, when it is made of nothing.
    var textByteCountMax: Int { limit / Self.copyCount }

    /// Holds room for `count` bytes of what the answer is made of next, in place of what it was made of before.
    mutating func hold(source count: Int) throws(APIError) {
        sourceByteCount = count
        try hold(textByteCount)
    }

    /// Holds room for a text of `count` bytes, and what it is made of. Refuses an answer that can never have it, and one
    /// that cannot have it now.
    mutating func hold(_ count: Int) throws(APIError) {
        textByteCount = count
        let total = byteCount(ofText: count)
        guard total > memory.count else { return }
        guard total <= limit else { throw .answerTooLarge(limit, remedy) }
        guard memory.grow(to: min(((total - 1) / Self.stepBytes + 1) * Self.stepBytes, limit)) else { throw .noRoom }
    }

    /// Holds room for a text of about `count` bytes before it is begun, so that it need not be given up half made. Waits a
    /// moment for others to be done.
    func hold(about count: Int, _ clock: any WallClock) async throws(APIError) {
        let total = min(byteCount(ofText: count), limit / 4)
        guard await memory.grow(to: total, waitingBy: clock) else { throw .noRoom }
    }

    /// Whether a text of `count` bytes could ever have room.
    func couldHold(_ count: Int) -> Bool { byteCount(ofText: count) <= limit }

    private func byteCount(ofText count: Int) -> Int { sourceByteCount + Self.copyCount * count }
}

extension APIResponse {
    /// The answer with the memory that it holds until it is sent: itself, and as it goes out. What a stream is made of it
    /// holds itself, and its pieces are the sender's to count.
    func held(in memory: HeldMemory) throws(APIError) -> APIResponse {
        var response = self
        response.memory = memory
        if case .stream = body { return response }
        let count = 2 * byteCount
        guard count <= memory.budget.limit else { throw .answerTooLarge(memory.budget.limit) }
        // It is there already.
        memory.resizeAnyway(to: count)
        return response
    }
}

extension APIError {
    static func answerTooLarge(_ limit: Int, _ remedy: String = "ask for less") -> APIError {
        APIError(
            422,
            "limit-exceeded",
            "Making the answer takes more than \(limit) bytes of memory, the limit for one: \(remedy)."
        )
    }

    static var noRoom: APIError {
        var error = APIError(503, "busy", "The answers in the making take all the memory they may: try again.")
        error.headers = [("Retry-After", "1")]
        return error
    }
}
