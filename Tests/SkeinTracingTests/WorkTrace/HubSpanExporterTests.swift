// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import SkeinTracing

@Suite struct HubSpanExporterTests {
    @Test(arguments: [
        (
            #"{"results":[{"index":0,"status":201,"stepId":"\"detail\":\"no\"","problem":null},{"index":1,"problem":{"code":"conflict","detail":"Step \"a\"\u0021 ended","field":null}},{"problem":{"detail":"later"}}],"accepted":1,"rejected":2}"#,
            2, #"Step "a"! ended"#
        ),
        (#"{"rejected":1,"results":[7,{"problem":{"detail":5}}]}"#, 1, ""),
        (#"{"rejected":1,"results":{"detail":"none"},"detail":"no problem of a line"}"#, 1, ""),
        (#"{"rejected":0,"results":[]}"#, 0, ""), ("{", nil, nil), ("[]", nil, nil),
    ])
    func `why lines were rejected is what the first problem says`(body: String, count: Int?, reason: String?) {
        let rejected = HubSpanExporter.rejected(of: Array(body.utf8))
        #expect(rejected?.count == count && rejected?.reason == reason)
    }
}
