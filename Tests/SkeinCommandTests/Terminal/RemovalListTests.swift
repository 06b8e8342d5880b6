// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import SkeinCommand

/// The record of removals at a terminal.
struct RemovalListTests {
    @Test func `a failed removal is told as failed with its reason, one at a stop as not finished`() throws {
        let text = """
            {"removals":[
            {"number":3,"action":"delete","q":"b = 2","by":"Bob","requestedUnixNano":"1795341600000000000",
             "finishedUnixNano":"1795341600000000001","traces":0,"spans":0,"failure":"the disk is full"},
            {"number":2,"action":"redact","keys":["card","pin"],"q":"a = 1","by":"Ann","startUnixNano":"1795341600000000000",
             "endUnixNano":"1795341660000000000","requestedUnixNano":"1795341600000000000","traces":0,"spans":0},
            {"number":1,"action":"delete","q":"a = 1","by":"","requestedUnixNano":"1795341600000000000",
             "finishedUnixNano":"1795341600000000000","traces":1200,"spans":5300}],"next":null}
            """
        let list = try JSONDecoder().decode(RemovalList.self, from: Data(text.utf8))
        let terminal = Terminal(width: 200, isWindow: false, hasColor: false, hasUnicode: true)
        #expect(
            list.lines(on: terminal).map {
                $0.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
            } == [
                "NO. WHEN (UTC) ACTION STATE TRACES SPANS BY WHAT",
                "3 2026-11-22 10:00:00.000 delete failed 0 0 Bob b = 2",
                "2 2026-11-22 10:00:00.000 redact not finished 0 0 Ann a = 1; keys card, pin; "
                    + "from 2026-11-22 10:00:00.000; to 2026-11-22 10:01:00.000",
                "1 2026-11-22 10:00:00.000 delete done 1,200 5,300 a = 1",
                "Removal 3 failed: the disk is full",
            ]
        )
    }
}
