// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// What a proxy has to know of one JSON-RPC 2.0 message of the Model Context Protocol, and where in the bytes it stands.
///
/// Nothing here is enough to write the message again, and nothing needs to: the bytes themselves are passed on.
package struct JSONRPCMessage: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case request, notification, response
        /// An object that is none of these, or no object.
        case other
    }

    /// An id, unique among the messages of one sender. `1`, `1.0` and `1e0` are one id; `1` and `"1"` are two.
    package enum ID: Hashable, Sendable, CustomStringConvertible {
        case number(Int64)
        case string(String)
        /// A number that is no integer of 64 bits, as it is written.
        case otherNumber(String)

        package var description: String {
            switch self {
            case .number(let value): "\(value)"
            case .string(let text), .otherNumber(let text): text
            }
        }

        /// Bytes of an id at most; a message with a longer one is passed on and not watched.
        static let byteCountMax = 1_024
    }

    /// Where the message stands in the text that was scanned.
    package var range: Range<Int>
    package var method: String?
    package var id: ID?
    package var params: Params?
    package var result: Result?
    /// The code of an error, as it is written.
    package var errorCode: String?
    /// Whether there is a member `error` that is no `null`.
    package var isError = false
    /// Where an object without `params` may take them: behind its opening bracket. `nil` for what is no object.
    package var bodyStart: Int?
    /// Whether the object has any member.
    package var isEmpty = true

    /// A message of which nothing is known yet but where it begins.
    package init(at offset: Int) { range = offset..<offset }

    package var kind: Kind {
        guard bodyStart != nil else { return .other }
        if method != nil { return id == nil ? .notification : .request }
        return id != nil && (result != nil || isError) ? .response : .other
    }

    /// What `params` holds.
    package struct Params: Hashable, Sendable {
        /// Behind the opening bracket; `nil` for what is no object.
        package var bodyStart: Int?
        package var isEmpty = true
        package var name: String?
        package var meta: Meta?
        /// Of the request that a notification `cancelled` names.
        package var requestID: ID?
        package var progressToken: ID?
        package var progress: Double?
        package var total: Double?
        package var taskID: String?
        /// Of `notifications/tasks` and its like.
        package var status: String?
        package var protocolVersion: String?
        /// A hash of what `requestState` says, however it is written, which a client gives back as it got it (MCP 2026-07-28, "Multi round-trip requests").
        package var requestState: UInt64?
        package var hasInputResponses = false
        /// A hash of the bytes of `arguments`.
        package var arguments: UInt64 = 0
    }

    /// What `params._meta` holds.
    package struct Meta: Hashable, Sendable {
        /// Behind the opening bracket; `nil` for what is no object.
        package var bodyStart: Int?
        package var isEmpty = true
        package var traceparent: Text?
        package var tracestate: Text?
        package var baggage: Text?
        package var progressToken: ID?
        /// `claudecode/toolUseId`: the id under which the model asked for the tool.
        package var toolUseID: String?
        /// `sessionID`, as opencode sends it: the conversation in which the model asked.
        package var sessionID: String?
        /// A hash of the bytes of `io.modelcontextprotocol/clientInfo`.
        package var clientInfo: UInt64?
        package var protocolVersion: String?
    }

    /// What `result` holds.
    package struct Result: Hashable, Sendable {
        package var isError = false
        package var resultType: String?
        package var requestState: UInt64?
        package var taskID: String?
        package var status: String?
        package var protocolVersion: String?
        package var serverName: String?
        /// Of the result inside the result of `tasks/get`.
        package var innerIsError = false
        /// Of the error inside the result of `tasks/get`.
        package var innerErrorCode: String?
    }

    /// A value that can be put in place of another.
    package struct Text: Hashable, Sendable {
        /// With its quotes.
        package var range: Range<Int>
        /// `nil` for what is no string.
        package var value: String?
    }
}
