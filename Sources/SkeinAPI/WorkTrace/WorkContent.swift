// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinBase
import SkeinModel
import SkeinWire

/// What becomes of content: prompts, arguments, results and the text of messages, which may hold anything.
package struct WorkContent: Hashable, Sendable {
    /// Whether it is stored at all. Without, its length and a hash of it are.
    package var isKept: Bool
    /// The most that is stored of one piece, in bytes.
    package var byteCountMax: Int

    package init(isKept: Bool = false, byteCountMax: Int = 64 << 10) {
        self.isKept = isKept
        self.byteCountMax = byteCountMax
    }

    /// Puts the member `name` of `object`, which is content of any form, into `fields`: as text under `target` when it is kept,
    /// else as `<target>Hash`. `<target>Bytes` is its length in any case.
    func take(_ name: String, of object: inout WorkObject, as target: String, into fields: inout WorkFields) {
        guard let value = object.value(name) else { return }
        let text: [UInt8] = if case .string(let text) = value { Array(text.utf8) } else { WorkFields.canonical(value) }
        fields[target + "Bytes"] = .int(Int64(text.count))
        fields[target + "Hash"] = .string(WorkDigest(Self.meaning(of: text)).description)
        guard isKept else {
            fields["contentDropped"] = true
            return
        }
        let whole = AttributeValue.string(String(decoding: text, as: UTF8.self))
        if let cut = ContentCut(byteCountMax: byteCountMax).cut(whole) {
            fields["contentTruncated"] = true
            fields[target] = cut
        } else {
            fields[target] = whole
        }
    }

    /// JSON that came as a text, as the same in canonical form: by the hash equal arguments are found.
    private static func meaning(of text: [UInt8]) -> [UInt8] {
        guard let first = text.first(where: { $0 > 0x20 }), first == 0x7b || first == 0x5b,
            let value = AttributeValue(json: String(decoding: text, as: UTF8.self))
        else { return text }
        return WorkFields.canonical(value)
    }

    /// Members under names of the sender's own without what is content of them, or with it cut; where something went `fields`
    /// say so, with a hash that tells them from others. Of an event `name` may say that it is a message.
    func filtered(
        _ members: [Attribute],
        ofEvent name: String? = nil,
        into fields: inout WorkFields
    ) -> [Attribute] {
        let filtered = ContentMembers(isKept: isKept, byteCountMax: byteCountMax).filtered(members, ofEvent: name)
        guard filtered.changedCount > 0 else { return members }
        fields[isKept ? "contentTruncated" : "contentDropped"] = true
        fields.set("contentHash", WorkDigest(WorkFields.canonical(.map(members))).description)
        return filtered.members
    }

    /// What ``filtered(_:ofEvent:into:)`` says.
    static let marks: Set = ["contentDropped", "contentTruncated", "contentHash"]

    /// The first bytes of a text, no character in half.
    static func cut(_ text: [UInt8], _ byteCountMax: Int) -> String {
        guard text.count > byteCountMax else { return String(decoding: text, as: UTF8.self) }
        var end = max(0, byteCountMax)
        while end > 0, text[end] & 0xc0 == 0x80 { end -= 1 }
        return String(decoding: text[..<end], as: UTF8.self)
    }
}
