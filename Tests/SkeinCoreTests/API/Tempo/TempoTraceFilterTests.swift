// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinModel
import Testing

@testable import SkeinAPI

/// Traces of which a query picks spans.
struct TempoTraceFilterTests {
    /// A chain 1 › 2 › 3 › 4 › 5 with 6 beside 2; 3 fails.
    private static let spans: [SkeinModel.Span] = {
        var spans = (UInt64(1)...5).map { Shop.span($0, parent: $0 - 1, at: $0) }
        spans.append(Shop.span(6, parent: 1, at: 9))
        spans[2].status = .init(.error)
        return spans
    }()

    @Test(arguments: [
        ("", [3]), ("&keep_hierarchy=true", [1, 2, 3]), ("&keep_hierarchy=true&ancestor_depth=1", [2, 3]),
        ("&keep_hierarchy=true&ancestor_depth=0", [3]), ("&ancestor_depth=1", [3]), ("&match_depth=1", [3, 4]),
        ("&match_depth=-1", [3, 4, 5]), ("&match_depth=1&keep_hierarchy=true&ancestor_depth=-1", [1, 2, 3, 4]),
        ("&keep_hierarchy=false", [3]),
    ])
    func `spans of the query come, with levels above and below`(more: String, ids: [Int]) async throws {
        let api = try await APIUnderTest(Self.spans)
        let path = "/api/v2/traces/\(Shop.traceID)?q=%7B%20status%20%3D%20error%20%7D\(more)"
        let message = try await api.tempoMessage(path)
        let names = message.messages(1)[0].messages(1).flatMap { $0.messages(2).flatMap { $0.messages(2) } }
            .map { Int($0.number(7) ?? 0) - Int(Shop.start) }
        #expect(names == ids)
        let json = try await api.tempoJSON(path)["trace"]["resourceSpans"][0]["scopeSpans"][0]["spans"].array
        #expect(json.map { $0["startTimeUnixNano"].string } == ids.map { "\(Int(Shop.start) + $0)" })
    }

    @Test func `a query that picks nothing leaves a trace without spans`() async throws {
        let api = try await APIUnderTest(Self.spans)
        #expect(
            try await api.tempo("/api/v2/traces/\(Shop.traceID)?q=%7B%20.nosuch%20%3D%201%20%7D")
                == #"{"trace":{"resourceSpans":[]},"metrics":{}}"#
        )
        let message = try await api.tempoMessage("/api/v2/traces/\(Shop.traceID)?q=%7B%20.nosuch%20%3D%201%20%7D")
        #expect(message.numbers == [1])
        #expect(await api.askTempo("/api/v2/traces/abc?q=%7B%7D").status == 404)
        let structural = "q=%7B%20status%20%3D%20error%20%7D%20%3E%20%7B%20%7D"
        #expect(try await api.tempo("/api/v2/traces/\(Shop.traceID)?\(structural)").contains("AAAAAAAAAAQ="))
    }

    @Test(arguments: [
        ("q=%7B", "invalid TraceQL query: parse error at line 1, col "),
        ("q=%7B%7D&match_depth=-2", "invalid match_depth \"-2\": a number of levels is expected, or -1 for all"),
        ("q=%7B%7D&ancestor_depth=x", "invalid ancestor_depth \"x\": a number of levels is expected, or -1 for all"),
        ("q=%7B%7D&keep_hierarchy=maybe", "unable to parse param 'keep_hierarchy': strconv.ParseBool: "),
    ])
    func `what cannot be read is 400`(query: String, message: String) async throws {
        let api = try await APIUnderTest(Self.spans)
        #expect(try await api.tempo("/api/v2/traces/\(Shop.traceID)?\(query)", status: 400).hasPrefix(message))
    }
}
