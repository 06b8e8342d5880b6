// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinStore
import SkeinTraceQL
import SkeinWire

/// Searches answered line by line (newline-delimited JSON): the first traces are there while others are looked for.
extension NativeAPI {
    /// Traces of a stream, at most.
    static let streamedTraceCountMax = 1_000_000
    /// Traces that are looked for at once: few at first, so that the first ones come soon.
    private static let pageCounts = [20, 200, 1_000]

    /// Whether a call asks for lines.
    static func wantsLines(_ call: APICall) -> Bool {
        call.request.header("Accept")?.split(separator: ",").contains {
            $0.drop { $0 == " " }.hasPrefix("application/x-ndjson")
        } ?? false
    }

    /// How long a search goes on before it says how far it is, and then until it does so again.
    private static let progressNanos: UInt64 = 200_000_000

    /// A line for each trace, then one with what else an answer says; between them how far the search has come, while nothing is
    /// found for a while. What goes wrong on the way is the last line.
    static func lines(
        of question: TraceSearchRequest,
        hidesNotifications: Bool,
        cursorText: @escaping @Sendable (OrderedCursor) -> String,
        in api: API,
        _ call: APICall
    ) -> APIResponse {
        let requestID = call.requestID()
        let stream = APIStream(.query) { code, detail in
            line { json in
                json.object("error") { json in
                    json.member("code", code)
                    json.member("detail", detail)
                }
            }
        } _: { write in
            var question = question
            var left = question.limit
            var inspected = SearchPage.Inspected()
            var pageNumber = 0
            let progress = SearchProgress()
            repeat {
                question.limit = min(left, pageCounts[min(pageNumber, pageCounts.count - 1)])
                var page: TraceSearchPage
                do {
                    page = try await Self.page(question, in: api, progress, write)
                    if hidesNotifications { try await LoneNotifications.remove(from: &page, in: api.store) }
                } catch let error as StoreError {
                    if error.code == .cancelled { throw error }
                    let problem = APIError(error, requestID: requestID)
                    try await write(
                        line { json in
                            json.object("error") { json in
                                json.member("code", problem.code)
                                json.member("detail", problem.detail)
                            }
                        }
                    )
                    return
                }
                var lines: [UInt8] = []
                for (summary, match) in page.traces {
                    lines += line { json in
                        NativeAPI.write(summary, to: &json)
                        if question.spanCountMax > 0 { NativeAPI.write(match, to: &json) }
                    }
                }
                inspected.add(page.inspected)
                if !lines.isEmpty { try await write(lines) }
                left -= page.traces.count
                question.cursor = page.next
                pageNumber += 1
            } while question.cursor != nil && left > 0
            let (next, looked) = (question.cursor.map(cursorText), inspected)
            try await write(
                line { json in
                    json.member("next", next)
                    json.object("inspected") { json in
                        json.member("spans", looked.spanCount)
                        json.member("blocks", looked.blockCount)
                        json.member("bytes", looked.byteCount)
                    }
                }
            )
        }
        return APIResponse(
            status: 200,
            headers: [("Content-Type", "application/x-ndjson")],
            body: .stream(stream)
        )
    }

    /// What a search waits for.
    private enum SearchEvent: Sendable {
        case page(Result<TraceSearchPage, StoreError>)
        case tick
    }

    /// A page of a search, which says now and then how far it is where the store tells.
    private static func page(
        _ question: TraceSearchRequest,
        in api: API,
        _ progress: SearchProgress,
        _ write: APIStream.Write
    ) async throws -> TraceSearchPage {
        try await withThrowingTaskGroup(of: SearchEvent.self) { group in
            group.addTask {
                await SearchProgress.$current.withValue(progress) {
                    do throws(StoreError) {
                        return .page(.success(try await api.store.search(question)))
                    } catch {
                        return .page(.failure(error))
                    }
                }
            }
            func wait() {
                group.addTask {
                    // Whoever is not waited for any more is cancelled.
                    try? await api.clock.sleep(nanos: progressNanos)
                    return .tick
                }
            }
            wait()
            var told = progress.figures
            while let event = try await group.next() {
                if case .page(let result) = event {
                    group.cancelAll()
                    return try result.get()
                }
                let figures = progress.figures
                if figures != told {
                    told = figures
                    try await write(
                        line { json in
                            json.object("progress") { json in
                                json.member("blocksDone", figures.blocksDone)
                                json.member("blockCount", figures.blockCount)
                                json.member("spans", figures.spanCount)
                            }
                        }
                    )
                }
                if !Task.isCancelled { wait() }
            }
            throw CancellationError()
        }
    }

    private static func line(_ members: (inout JSONWriter) -> Void) -> [UInt8] {
        var json = JSONWriter(capacity: 512)
        json.object { json in members(&json) }
        return Array((json.text + "\n").utf8)
    }
}

extension SearchPage.Inspected {
    /// Takes in what the next page of the same search had to look at.
    mutating func add(_ next: SearchPage.Inspected) {
        spanCount += next.spanCount
        blockCount = max(blockCount, next.blockCount)
        byteCount += next.byteCount
    }
}
