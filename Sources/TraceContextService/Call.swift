// SPDX-License-Identifier: Apache-2.0
import Foundation
import NIOCore

/// Somebody whom the service is asked to call.
struct Call: Sendable {
    /// Of `http` or `https`, with a host.
    var url: String
    /// JSON, as it is posted.
    var arguments: Data

    /// Why a request asks for no calls.
    struct Malformed: Error, CustomStringConvertible {
        var description: String
    }

    private static let expected = #"expected [{"url": "http://…", "arguments": …}, …]"#

    /// Reads the calls that a body asks for.
    static func list(_ body: ByteBuffer) throws(Malformed) -> [Call] {
        guard let value = try? JSONSerialization.jsonObject(with: Data(body.readableBytesView)) else {
            throw Malformed(description: "the body is no JSON; \(expected)")
        }
        guard let entries = value as? [Any] else {
            throw Malformed(description: "the body is no array; \(expected)")
        }
        var calls: [Call] = []
        for (index, entry) in entries.enumerated() { calls.append(try call(entry, at: index)) }
        return calls
    }

    private static func call(_ entry: Any, at index: Int) throws(Malformed) -> Call {
        guard let entry = entry as? [String: Any], let url = entry["url"] as? String,
            let arguments = entry["arguments"],
            let json = try? JSONSerialization.data(withJSONObject: arguments, options: .fragmentsAllowed)
        else { throw Malformed(description: "entry \(index) lacks a url or arguments; \(expected)") }
        let parts = URLComponents(string: url)
        guard let scheme = parts?.scheme?.lowercased(), ["http", "https"].contains(scheme),
            parts?.host?.isEmpty == false
        else {
            throw Malformed(description: "entry \(index) has no url of http or https with a host: \(url.prefix(200))")
        }
        return Call(url: url, arguments: json)
    }
}
