// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinWire

/// A message of Protocol Buffers that an answer consists of.
protocol Message {
    /// Writes its fields. Holds room for what was written, and ends where there is none.
    func write<Writer: MessageWriter & ~Copyable>(to writer: inout Writer, _ room: inout AnswerRoom) throws(APIError)
}

/// How messages are answered.
enum MessageForm {
    case json
    case protobuf

    /// What the client says that it takes: JSON unless it names the other.
    init(_ call: APICall) {
        self = call.request.header("Accept")?.contains("application/protobuf") ?? false ? .protobuf : .json
    }

    var contentType: String { self == .json ? "application/json" : "application/protobuf" }
}

extension APIResponse {
    /// An answer that is one message.
    static func message(
        _ message: some Message,
        _ form: MessageForm,
        _ room: AnswerRoom
    ) throws(APIError) -> APIResponse {
        var room = room
        let text: ByteWriter
        switch form {
        case .json:
            var json = JSONWriter()
            try json.object { json throws(APIError) in try message.write(to: &json, &room) }
            text = json.finish()
        case .protobuf:
            var out = ByteWriter(capacity: 1024)
            try message.write(to: &out, &room)
            text = out
        }
        try room.hold(text.count)
        var response = APIResponse(
            status: 200,
            headers: [("Content-Type", form.contentType)],
            body: .written(WrittenText(text))
        )
        response.memory = room.memory
        return response
    }
}
