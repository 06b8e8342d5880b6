// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

/// Content among members that the sender named, where no span tells whose names they are: every key of ``ContentKey/table`` is
/// content, whichever dialect it belongs to, and so are the names that a model or a tool has for what it is given.
package struct ContentMembers: Sendable {
    private static let keys = ContentKeys()
    private static let names = ContentKey.members.union([
        "content", "inputMessages", "outputMessages", "systemInstructions", "completion", "output", "arguments", "args",
        "result",
    ])

    private let isKept: Bool
    private let cut: ContentCut

    /// Members without content, or with each piece that is longer than `byteCountMax` bytes cut.
    package init(isKept: Bool, byteCountMax: Int) {
        self.isKept = isKept
        cut = ContentCut(byteCountMax: byteCountMax)
    }

    /// The members as they may be kept, and how many values of them went or were cut. Of an event that is a message by its
    /// `name` all is content but what says whose it is. Goes as deep as the members nest, which is bounded where they are read.
    package func filtered(_ members: [Attribute], ofEvent name: String? = nil) -> (
        members: [Attribute], changedCount: Int
    ) {
        let plain = name.flatMap(Self.plainKeys)
        var changedCount = 0
        let kept = members.compactMap { pair -> Attribute? in
            guard plain.map({ !$0.contains(pair.key) }) ?? Self.isContent(pair) else {
                return Attribute(pair.key, inner(pair.value, &changedCount))
            }
            return content(pair.value, &changedCount).map { Attribute(pair.key, $0) }
        }
        return (kept, changedCount)
    }

    private static func plainKeys(ofEvent name: String) -> Set<String>? {
        if ContentKey.messageEvents.contains(name) { return ContentKey.plainMessageKeys }
        return name == ContentKey.outputEvent ? ["event.name"] : nil
    }

    private static func isContent(_ pair: Attribute) -> Bool {
        if names.contains(pair.key) { return true }
        var key = pair.key
        let number = key.withUTF8 { keys.number(of: UnsafeRawBufferPointer($0)) }
        guard number != ContentKeys.none else { return false }
        // Of settings only some members are content, which are found by their own names.
        if case .map = pair.value { return keys.rows[Int(number)].contains { $0.form != .members } }
        return true
    }

    private func content(_ value: AttributeValue, _ changedCount: inout Int) -> AttributeValue? {
        switch value {
        case .null, .string(""), .string("<REDACTED>"): return value
        default: break
        }
        guard isKept else {
            changedCount += 1
            return nil
        }
        guard let cut = cut.cut(value) else { return value }
        changedCount += 1
        return cut
    }

    private func inner(_ value: AttributeValue, _ changedCount: inout Int) -> AttributeValue {
        switch value {
        case .map(let pairs):
            let inner = filtered(pairs)
            changedCount += inner.changedCount
            return .map(inner.members)
        case .array(let elements): return .array(elements.map { inner($0, &changedCount) })
        default: return value
        }
    }
}
