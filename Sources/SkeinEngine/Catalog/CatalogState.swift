// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel

/// What the catalog says: which blocks there are, where the log begins, and the numbers of service names.
struct CatalogState: Sendable {
    var blocks: Set<BlockID> = []
    /// The first log segment whose spans are not in a block. Those before it may be removed.
    var firstSegment: UInt64 = 1
    /// The number of each service name.
    var services: [ExactText: Int] = [:]

    /// One change. Several make one record, which is there whole or not at all.
    enum Edit: Hashable, Sendable {
        case addBlock(BlockID)
        case removeBlock(BlockID)
        /// The log begins at this segment.
        case startLog(UInt64)
        /// Gives a service name its number.
        case addService(String, Int)
    }

    mutating func apply(_ edit: Edit) {
        switch edit {
        case .addBlock(let id): blocks.insert(id)
        case .removeBlock(let id): blocks.remove(id)
        case .startLog(let segment): firstSegment = segment
        case .addService(let name, let number):
            // Earlier versions numbered names of any length.
            if ServiceNumbers.isNumbered(name) { services[ExactText(name)] = number }
        }
    }

    /// The edits that make this state of an empty one.
    var edits: [Edit] {
        services.sorted { $0.value < $1.value }.map { .addService($0.key.text, $0.value) }
            + blocks.sorted().map { .addBlock($0) } + [.startLog(firstSegment)]
    }
}

extension CatalogState.Edit {
    //     1 first last generation   a block is added        3 segment             the log begins there
    //     2 first last generation   a block is removed      4 number length utf8  a service name
    // Numbers are varints.

    func append(to out: inout ByteWriter) {
        switch self {
        case .addBlock(let id), .removeBlock(let id):
            out.append(self == .addBlock(id) ? 1 : 2)
            out.appendVarint(id.firstSegment)
            out.appendVarint(id.lastSegment)
            out.appendVarint(id.generation)
        case .startLog(let segment):
            out.append(3)
            out.appendVarint(segment)
        case .addService(let name, let number):
            out.append(4)
            out.appendVarint(UInt64(number))
            out.appendVarint(UInt64(name.utf8.count))
            out.append(utf8: name)
        }
    }

    /// No store has met as many service names.
    private static let serviceNumberMax: UInt64 = 1 << 31

    /// Reads one edit; `nil` for a kind that is not known or a number that cannot be.
    init?(_ reader: inout ByteReader) throws(ByteError) {
        switch try reader.readByte() {
        case 1:
            guard let id = try Self.blockID(&reader) else { return nil }
            self = .addBlock(id)
        case 2:
            guard let id = try Self.blockID(&reader) else { return nil }
            self = .removeBlock(id)
        case 3:
            let segment = try reader.readVarint()
            guard segment <= FileNumber.greatest else { return nil }
            self = .startLog(segment)
        case 4:
            let number = try reader.readVarint()
            guard number <= Self.serviceNumberMax else { return nil }
            self = .addService(String(decoding: try reader.readLengthPrefixed(), as: UTF8.self), Int(number))
        default: return nil
        }
    }

    private static func blockID(_ reader: inout ByteReader) throws(ByteError) -> BlockID? {
        let first = try reader.readVarint()
        let last = try reader.readVarint()
        let generation = try reader.readVarint()
        guard first <= last, last <= FileNumber.greatest, generation <= FileNumber.greatest else { return nil }
        return BlockID(firstSegment: first, lastSegment: last, generation: generation)
    }
}
