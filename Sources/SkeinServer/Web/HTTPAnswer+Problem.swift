// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOHTTP1
import SkeinReceivers
import SkeinWire

extension HTTPAnswer {
    /// An error of the server around the APIs, in the shape of theirs (RFC 9457).
    static func problem(_ status: HTTPResponseStatus, _ code: String, _ detail: String) -> HTTPAnswer {
        var json = JSONWriter()
        json.object { json in
            json.member("type", "urn:skein:problem:\(code)")
            json.member("title", status.reasonPhrase)
            json.member("status", Int(status.code))
            json.member("code", code)
            json.member("detail", detail)
            json.key("field")
            json.null()
        }
        return HTTPAnswer(
            status,
            HTTPHeaders([("content-type", "application/problem+json")]),
            body: ByteBuffer(bytes: json.array())
        )
    }
}
