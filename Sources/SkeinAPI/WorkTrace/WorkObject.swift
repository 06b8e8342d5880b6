// SPDX-License-Identifier: Apache-2.0
import SkeinBase
import SkeinModel
import SkeinWire

/// One JSON object that a caller sent, read member by member; what is left at the end nobody knows.
///
/// A member that is `null` reads as one that is not there; of a member that comes twice the last counts. Every error names
/// the member by its JSON pointer (RFC 6901).
struct WorkObject {
    /// The pointer of the object itself, empty for the whole body.
    let path: String
    private var members: [String: AttributeValue] = [:]
    /// In the order they came.
    private var names: [String] = []

    /// How deep lists and objects may nest: the journal puts some around them, and attributes have a limit of their own.
    static let depthMax = 24
    /// Most bytes of an id.
    static let idByteCountMax = 128
    /// Most bytes of a text that is no content, such as a title.
    static let textByteCountMax = 4096

    init(_ pairs: [Attribute], path: String = "") {
        self.path = path
        for pair in pairs {
            if members.updateValue(pair.value, forKey: pair.key) == nil { names.append(pair.key) }
        }
    }

    /// The object that is the whole of `body`; no bytes at all are an object without members.
    init(body: [UInt8]) throws(APIError) {
        if body.isEmpty {
            self.init([])
            return
        }
        let value: AttributeValue
        do throws(WireError) {
            value = try body.withUnsafeBufferPointer { bytes throws(WireError) in
                var reader = JSONReader(UnsafeRawBufferPointer(bytes))
                let value = try reader.readValue(depthMax: Self.depthMax)
                try reader.finish()
                return value
            }
        } catch {
            throw APIError(400, "invalid-json", "The body is no JSON that is read here: \(error).")
        }
        guard case .map(let pairs) = value else {
            throw APIError(
                400,
                "invalid-json",
                "The body is no JSON object: send one, such as {\"agentId\":\"coder\"}."
            )
        }
        self.init(pairs)
    }

    /// The members that were not taken, in order.
    var rest: [Attribute] {
        names.compactMap { name in
            members[name].flatMap { value in value == .null ? nil : Attribute(name, value) }
        }
    }

    func contains(_ name: String) -> Bool { members[name].map { $0 != .null } ?? false }

    func pointer(_ name: String) -> String {
        path + "/" + name.replacing("~", with: "~0").replacing("/", with: "~1")
    }

    func invalid(_ name: String, _ detail: String) -> APIError { .invalid(pointer(name), detail) }

    /// Sets a member that the sender left out.
    mutating func set(_ name: String, _ text: String) {
        if members.updateValue(.string(text), forKey: name) == nil { names.append(name) }
    }

    /// What is said to have ended, and not how, was a success, unless the call is to say how.
    mutating func completeOutcome(_ name: String) {
        if !contains("outcome"), !contains("stepOutcome") { set(name, "success") }
    }

    // MARK: Taking

    /// Any value.
    mutating func value(_ name: String) -> AttributeValue? {
        guard let value = members.removeValue(forKey: name), value != .null else { return nil }
        return value
    }

    /// A text of at most `byteCountMax` bytes.
    mutating func text(_ name: String, byteCountMax: Int = textByteCountMax) throws(APIError) -> String? {
        guard let value = value(name) else { return nil }
        guard case .string(let text) = value else {
            throw invalid(name, "\(name) is \(Self.kind(value)): it takes a text.")
        }
        guard text.utf8.count <= byteCountMax else {
            throw invalid(name, "\(name) has \(text.utf8.count) bytes, it takes at most \(byteCountMax): shorten it.")
        }
        return text
    }

    /// An id that a caller chose (`agents.md` §1.2).
    mutating func id(_ name: String) throws(APIError) -> String? {
        guard let text = try text(name, byteCountMax: .max) else { return nil }
        if let problem = Self.problem(ofID: text) { throw invalid(name, "\(name) \(problem)") }
        return text
    }

    /// What is wrong with an id; `nil` for a good one.
    static func problem(ofID text: String) -> String? {
        let remedy = "ids take 1 to \(idByteCountMax) bytes of A-Z a-z 0-9 . _ : / @ -"
        if text.utf8.count > idByteCountMax { return "has \(text.utf8.count) bytes: \(remedy)." }
        return !text.isEmpty && text.utf8.allSatisfy(isIDByte) ? nil : "is \(APICall.shown(text)): \(remedy)."
    }

    static func isIDByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: "._:/@-".utf8.contains(byte)
        }
    }

    /// A moment: RFC 3339, or nanoseconds since 1970 as a string or a number.
    mutating func time(_ name: String) throws(APIError) -> UInt64? {
        guard let value = value(name) else { return nil }
        let nanos: UInt64? =
            switch value {
            case .string(let text): UInt64(text) ?? (RFC3339.isBefore1970(text) ? nil : RFC3339.parse(text))
            case .int(let number): UInt64(exactly: number)
            default: nil
            }
        guard let nanos, nanos <= UInt64(Int64.max) else {
            throw invalid(
                name,
                "\(name) is \(Self.shown(value)): it takes a time from 1970 to 2262 as in \"2026-11-22T20:00:00.123456789Z\", or nanoseconds since "
                    + "1970 as a string of digits."
            )
        }
        return nanos
    }

    /// A whole number from 0 on.
    mutating func count(_ name: String) throws(APIError) -> UInt64? {
        guard let value = value(name) else { return nil }
        switch value {
        case .int(let number) where number >= 0: return UInt64(number)
        case .double(let number) where number >= 0 && number < 9e18 && number.rounded() == number: return UInt64(number)
        default: throw invalid(name, "\(name) is \(Self.shown(value)): it takes a whole number of at least 0.")
        }
    }

    /// A number from 0 on.
    mutating func amount(_ name: String) throws(APIError) -> Double? {
        guard let value = value(name) else { return nil }
        switch value {
        case .int(let number) where number >= 0: return Double(number)
        case .double(let number) where number >= 0 && number.isFinite: return number
        default: throw invalid(name, "\(name) is \(Self.shown(value)): it takes a number of at least 0.")
        }
    }

    mutating func flag(_ name: String) throws(APIError) -> Bool? {
        guard let value = value(name) else { return nil }
        guard case .bool(let flag) = value else {
            throw invalid(name, "\(name) is \(Self.shown(value)): it takes true or false.")
        }
        return flag
    }

    mutating func object(_ name: String) throws(APIError) -> WorkObject? {
        guard let value = value(name) else { return nil }
        guard case .map(let pairs) = value else {
            throw invalid(name, "\(name) is \(Self.kind(value)): it takes an object.")
        }
        return WorkObject(pairs, path: pointer(name))
    }

    mutating func list(_ name: String, countMax: Int) throws(APIError) -> [AttributeValue]? {
        guard let value = value(name) else { return nil }
        guard case .array(let elements) = value else {
            throw invalid(name, "\(name) is \(Self.kind(value)): it takes a list.")
        }
        guard elements.count <= countMax else {
            throw invalid(name, "\(name) has \(elements.count) elements, it takes at most \(countMax).")
        }
        return elements
    }

    mutating func ids(_ name: String, countMax: Int = 256) throws(APIError) -> [String]? {
        guard let elements = try list(name, countMax: countMax) else { return nil }
        var ids: [String] = []
        for (index, element) in elements.enumerated() {
            guard case .string(let id) = element, Self.problem(ofID: id) == nil else {
                throw .invalid(pointer(name) + "/\(index)", "\(name) holds \(Self.shown(element)), no id.")
            }
            ids.append(id)
        }
        return ids
    }

    mutating func objects(_ name: String, countMax: Int) throws(APIError) -> [WorkObject]? {
        guard let elements = try list(name, countMax: countMax) else { return nil }
        var objects: [WorkObject] = []
        for (index, element) in elements.enumerated() {
            guard case .map(let pairs) = element else {
                throw invalid(name, "\(name) holds \(Self.kind(element)): it takes objects.")
            }
            objects.append(WorkObject(pairs, path: pointer(name) + "/\(index)"))
        }
        return objects
    }

    // MARK: Words

    static func kind(_ value: AttributeValue) -> String {
        switch value {
        case .null: "null"
        case .string: "a text"
        case .bool: "a boolean"
        case .int, .double: "a number"
        case .bytes: "bytes"
        case .array: "a list"
        case .map: "an object"
        }
    }

    static func shown(_ value: AttributeValue) -> String {
        switch value {
        case .string(let text): APICall.shown(text)
        case .int(let number): "\(number)"
        case .double(let number): "\(number)"
        case .bool(let flag): "\(flag)"
        default: kind(value)
        }
    }
}
