// SPDX-License-Identifier: Apache-2.0
package import SkeinStore

/// What is being typed at a place of a query, which may be unfinished before it and behind it.
package struct Completion: Hashable, Sendable {
    package enum Subject: Hashable, Sendable {
        /// The name of a field, of which `prefix` is typed behind its qualifier.
        case field(Qualifier?, prefix: String)
        /// What a field is compared with. `prefix` is the text itself, without quotes and escapes.
        case value(of: Field, BinaryOperator, prefix: String, isQuoted: Bool)
        /// One of these operators or words. What is typed of it already is in ``Completion/replaced``.
        case sign([String])
        /// One of these functions, or a `{`.
        case function([String], prefix: String)
        /// Nothing of which there is a list.
        case nothing
    }

    /// What is typed of a name before the part that is looked for.
    package enum Qualifier: Hashable, Sendable {
        /// `.` or `span.` and the like.
        case attribute(AttributeScope)
        /// `parent.` or `parent.span.` and the like.
        case parentAttribute(AttributeScope)
        /// `span:` and the like, without the colon; `parent:` too.
        case intrinsic(String)
    }

    package var subject: Subject
    /// What a choice stands in place of, its qualifier and quotes included: UTF-8 offsets into the text.
    package var replaced: Range<Int>
}

extension TraceQL {
    /// What is being typed `utf8Offset` bytes into `text`. In time linear in the text; of a longer one than
    /// ``Limits/queryBytesMax`` nothing is said.
    package static func complete(_ text: String, at utf8Offset: Int) -> Completion {
        let source = Array(text.utf8.prefix(Limits.queryBytesMax + 1))
        var place = max(0, min(utf8Offset, source.count))
        // Not within a character.
        while place > 0, place < source.count, source[place] & 0xc0 == 0x80 { place -= 1 }
        guard source.count <= Limits.queryBytesMax else {
            return Completion(subject: .nothing, replaced: place..<place)
        }
        var scanner = CompletionScanner(source, at: place)
        return scanner.scan()
    }
}
