// SPDX-License-Identifier: Apache-2.0
import SkeinModel

// The orders of lists. Texts are ordered by their UTF-8 bytes, which is the order of code points.

extension String {
    /// The order of every list of names.
    package func precedes(_ other: String) -> Bool { utf8.lexicographicallyPrecedes(other.utf8) }
}

extension Operation {
    /// By name, then kind.
    package func precedes(_ other: Operation) -> Bool {
        name.isExactly(other.name) ? kind.rawValue < other.kind.rawValue : name.precedes(other.name)
    }
}

extension AttributeKey {
    /// By name, then scope.
    package func precedes(_ other: AttributeKey) -> Bool {
        name.isExactly(other.name) ? scope.place < other.scope.place : name.precedes(other.name)
    }
}

extension AttributeScope {
    /// Its place in the order of scopes.
    package var place: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

extension ValueCount {
    /// Most frequent first, ties by text, then by type.
    package func precedes(_ other: ValueCount) -> Bool {
        if count != other.count { return count > other.count }
        let (text, otherText) = (value.text, other.value.text)
        return text.isExactly(otherText) ? value.typePlace < other.value.typePlace : text.precedes(otherText)
    }
}

extension AttributeValue {
    /// The place of its type in the order of types, `null` first.
    package var typePlace: Int { type.flatMap(ValueType.allCases.firstIndex) ?? -1 }
}

extension ServiceUsage {
    /// Most bytes first, ties by name; what has no name of its own last.
    package func precedes(_ other: ServiceUsage) -> Bool {
        guard let name, let otherName = other.name else { return name != nil && other.name == nil }
        return byteCount != other.byteCount ? byteCount > other.byteCount : name.precedes(otherName)
    }
}

extension NameList {
    /// How many names a list has at most when `limit` are asked for.
    package static func count(_ limit: Int) -> Int { Swift.max(0, Swift.min(limit, countMax)) }

    /// The first `limit` of `names`, which are in order.
    package init(_ names: [Name], limit: Int) {
        let count = Self.count(limit)
        self.init(Array(names.prefix(count)), isCut: names.count > count)
    }
}

extension SpanStore {
    /// The service names that stored spans carry, as many as a list has.
    package func services() async throws(StoreError) -> NameList<ServiceName> {
        try await services(prefix: "", limit: NameList<ServiceName>.countMax)
    }

    /// The operations of a service, as many as a list has.
    package func operations(ofService service: String) async throws(StoreError) -> NameList<Operation> {
        try await operations(ofService: service, prefix: "", limit: NameList<Operation>.countMax)
    }
}
