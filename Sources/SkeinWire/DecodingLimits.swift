// SPDX-License-Identifier: Apache-2.0

/// How much the spans of one request may become, whatever few bytes they came in: an empty event takes two bytes on the
/// wire and sixteen in memory, and thousands of them compress to nothing.
package struct DecodingLimits: Hashable, Sendable {
    /// Attributes of one owner, events of one span, links of one span. What is beyond is dropped, and counted on the
    /// span as its client counts what it drops itself.
    package var itemsMax = 10_000
    /// Bytes of columns for all spans of a request, texts and values aside. Decoding stops beyond.
    package var columnBytesMax = 256 << 20

    /// The defaults.
    package init() {}
}

/// What was left out of spans that were accepted.
package struct DroppedItems: Hashable, Sendable {
    /// Of spans, events, links, resources and scopes.
    package var attributes = 0
    package var events = 0
    package var links = 0
    /// Links whose ids have a wrong length.
    package var invalidLinks = 0

    /// Of all kinds.
    package var count: Int { attributes + events + links + invalidLinks }

    /// Adds what was left out elsewhere.
    package static func += (sum: inout Self, other: Self) {
        sum.attributes += other.attributes
        sum.events += other.events
        sum.links += other.links
        sum.invalidLinks += other.invalidLinks
    }
}

/// Counts what a decoder takes in for one request.
struct Intake {
    let limits: DecodingLimits
    private(set) var dropped = DroppedItems()
    private var columnBytes = 0

    /// Bytes of columns for one of each.
    enum Size {
        static let attribute = 8
        static let event = 16
        static let link = 32
        static let span = 72
    }

    init(_ limits: DecodingLimits) { self.limits = limits }

    /// Room for the items of one owner.
    func quota() -> Quota { Quota(limits.itemsMax) }

    /// Counts an owner of `size` bytes with its attributes.
    mutating func add(_ size: Int, attributes: Quota, at offset: Int) throws(WireError) {
        dropped.attributes += Int(attributes.refused)
        columnBytes += size + Int(attributes.taken) * Size.attribute
        guard columnBytes <= limits.columnBytesMax else {
            throw WireError(
                .tooLarge,
                "the spans take more than \(limits.columnBytesMax) bytes of memory: send smaller batches",
                at: offset
            )
        }
    }

    /// Counts what a span has too many of.
    mutating func drop(events: Quota, links: Quota, invalidLinks: UInt32 = 0) {
        dropped.events += Int(events.refused)
        dropped.links += Int(links.refused)
        dropped.invalidLinks += Int(invalidLinks)
    }

    /// What the client is told of dropped items; empty when there are none.
    var warning: String {
        var parts: [String] = []
        if dropped.count > dropped.invalidLinks {
            parts.append(
                "\(dropped.attributes) attributes, \(dropped.events) events and \(dropped.links) links were dropped: "
                    + "a span keeps \(limits.itemsMax) of each"
            )
        }
        if dropped.invalidLinks > 0 {
            parts.append("\(dropped.invalidLinks) references were dropped: their ids are not as long as ids are")
        }
        return parts.joined(separator: "; ")
    }
}

/// How many items of one kind an owner has, and how many were too many.
struct Quota {
    private let max: UInt32
    private(set) var taken: UInt32 = 0
    private(set) var refused: UInt32 = 0

    init(_ max: Int) { self.max = UInt32(clamping: max) }

    /// Whether there is room for one more; it is taken, or refused, with the question.
    @inline(__always)
    mutating func take() -> Bool {
        guard taken < max else {
            refused &+= 1
            return false
        }
        taken &+= 1
        return true
    }

    /// Counts items that were refused before.
    mutating func refuse(_ count: UInt32) { refused &+= count }
}
