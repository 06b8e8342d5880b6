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

    /// A line for each trace, then one with what else an answer says. What goes wrong on the way is the last line.
    static func lines(
        of question: TraceSearchRequest,
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
            repeat {
                question.limit = min(left, pageCounts[min(pageNumber, pageCounts.count - 1)])
                let page: TraceSearchPage
                do throws(StoreError) {
                    page = try await api.store.search(question)
                } catch {
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
                inspected.spanCount += page.inspected.spanCount
                inspected.blockCount = max(inspected.blockCount, page.inspected.blockCount)
                inspected.byteCount += page.inspected.byteCount
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

    private static func line(_ members: (inout JSONWriter) -> Void) -> [UInt8] {
        var json = JSONWriter(capacity: 512)
        json.object { json in members(&json) }
        return Array((json.text + "\n").utf8)
    }
}
