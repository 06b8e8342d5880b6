// SPDX-License-Identifier: Apache-2.0
import SkeinBase

/// What the filter of a row group says of resources: the service's name and each attribute, once in a group however many
/// resources share it.
struct ResourceHashes {
    /// By resource, as far as known: numbers of its hashes.
    private var pairs: [UInt32: [UInt32]] = [:]
    private var numbers: [UInt64: UInt32] = [:]
    private var hashes: [UInt64] = []
    /// By hash: the last group that has it.
    private var groups: [UInt32] = []
    private var group: UInt32 = 0

    private static let serviceKey = FilterHash.key(.serviceName)

    /// Begins a row group.
    mutating func beginGroup() { group += 1 }

    /// Whether the resource was noted.
    func knows(_ resource: UInt32) -> Bool { pairs[resource] != nil }

    /// Notes a resource by its entry in the block's table.
    mutating func note(_ resource: UInt32, content: UnsafeRawBufferPointer) {
        var found: [UInt32] = []
        var reader = ByteReader(content)
        do throws(ByteError) {
            found.append(number(of: FilterHash.of(try reader.readLengthPrefixed(), key: Self.serviceKey)))
            _ = try reader.readLengthPrefixed()
            _ = try reader.readVarint()
            for _ in 0..<(try reader.readVarint()) {
                let key = FilterHash.key(.resource, name: try reader.readLengthPrefixed())
                found.append(number(of: FilterHash.of(encoded: try reader.readLengthPrefixed(), key: key)))
            }
        } catch {
            preconditionFailure("an entry of the table of resources does not decode: \(error)")
        }
        pairs[resource] = found
    }

    /// Adds the hashes of a resource that the group at hand does not have yet.
    mutating func add(_ resource: UInt32, to filters: inout FilterWriter) {
        for number in pairs[resource] ?? [] where groups[Int(number)] != group {
            groups[Int(number)] = group
            filters.add(hashes[Int(number)])
        }
    }

    private mutating func number(of hash: UInt64) -> UInt32 {
        if let known = numbers[hash] { return known }
        let number = UInt32(hashes.count)
        numbers[hash] = number
        hashes.append(hash)
        groups.append(0)
        return number
    }
}
