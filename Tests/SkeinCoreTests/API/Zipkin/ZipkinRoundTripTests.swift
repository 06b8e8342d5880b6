// SPDX-License-Identifier: Apache-2.0
import SkeinAPI
import SkeinModel
import SkeinStore
import SkeinWire
import Testing

/// What Zipkin's clients send comes back from Zipkin's API.
struct ZipkinRoundTripTests {
    /// The spans of trace 1 after these were sent.
    private func answer(_ json: String) async throws -> String {
        let store = MemoryStore()
        try await store.append(try Zipkin.decode(Array(json.utf8), as: .jsonV2).batch)
        return try await APIUnderTest(over: store).zipkin("/api/v2/trace/0000000000000001")
    }

    @Test(arguments: [
        #"""
        [{"traceId":"0000000000000001","parentId":"0000000000000002","id":"0000000000000003","kind":"CLIENT","name":"get",\#
        "timestamp":1700000000000000,"duration":2500,"localEndpoint":{"serviceName":"web"}},\#
        {"traceId":"0000000000000001","parentId":"0000000000000002","id":"0000000000000003","kind":"SERVER","name":"get",\#
        "timestamp":1700000000000500,"duration":1000,"localEndpoint":{"serviceName":"shop"},"shared":true}]
        """#,
        #"""
        [{"traceId":"0000000000000001","id":"0000000000000003","kind":"PRODUCER","name":"a","timestamp":1,"duration":1,\#
        "localEndpoint":{"serviceName":"web"},"annotations":[{"timestamp":5,"value":"first"},{"timestamp":6,"value":"second"}],\#
        "tags":{"http.path":"/","k":"v","w3c.tracestate":"a=b"},"debug":true}]
        """#,
        #"""
        [{"traceId":"0000000000000001","id":"0000000000000003","name":"a","duration":7,"localEndpoint":{"serviceName":"web"},\#
        "annotations":[{"timestamp":5,"value":"\"e\":{\"k\":1,\"l\":[true,null,1.5]}"}],\#
        "tags":{"host.name":"h","otel.library.name":"n","otel.library.version":"v","otel.scope.name":"n",\#
        "otel.scope.version":"v"}}]
        """#,
        #"""
        [{"traceId":"0000000000000001","id":"0000000000000003","kind":"CLIENT","timestamp":1,"duration":1,\#
        "localEndpoint":{"serviceName":"web"},"tags":{"error":"","otel.status_code":"ERROR"}}]
        """#,
        #"""
        [{"traceId":"0000000000000001","id":"0000000000000003","kind":"SERVER","timestamp":1,"duration":1,\#
        "localEndpoint":{"serviceName":"web"},"tags":{"error":"boom","otel.status_code":"ERROR"}}]
        """#,
    ])
    func `what is sent as Skein answers it comes back as it was`(json: String) async throws {
        #expect(try await answer(json) == json)
    }

    @Test func `endpoints come back, and are tags as well`() async throws {
        let text = try await answer(
            #"""
            [{"traceId":"1","id":"3","kind":"CLIENT","timestamp":1,"duration":1,
            "localEndpoint":{"serviceName":"Web","ipv4":"10.0.0.1","port":80},
            "remoteEndpoint":{"serviceName":"Shop","port":90}}]
            """#
        )
        #expect(
            text == #"""
                [{"traceId":"0000000000000001","id":"0000000000000003","kind":"CLIENT","timestamp":1,"duration":1,\#
                "localEndpoint":{"serviceName":"web","ipv4":"10.0.0.1","port":80},\#
                "remoteEndpoint":{"serviceName":"shop","port":90},\#
                "tags":{"net.host.ip":"10.0.0.1","net.host.port":"80","net.peer.port":"90","peer.service":"Shop"}}]
                """#
        )
    }
}
