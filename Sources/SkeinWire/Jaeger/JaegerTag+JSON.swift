// SPDX-License-Identifier: Apache-2.0
import SkeinBase

extension JaegerTag {
    /// A tag whose value is yet to be read.
    init(key: UnsafeRawBufferPointer) { self.key = key }

    /// `{"key": …, "type": "string"|"bool"|"int64"|"float64"|"binary", "value": …}` of Jaeger's JSON, its text kept in
    /// `texts`. A value that is not of its type, as it happens with integers that JavaScript cannot hold, is read as the
    /// type says where that is possible, and else as what it is. Lists and objects become their JSON.
    init(_ json: inout JSONReader, _ texts: inout KeptTexts) throws(WireError) {
        var type = Kind?.none
        try json.openObject()
        while let member = try json.nextKey() {
            switch member {
            case "key": key = texts.keep(try json.readString(), of: json)
            case "type": type = Kind(json: JSONKey(bytes: try json.readString()))
            case "value": try readValue(&json, &texts)
            default: try json.skipValue()
            }
        }
        if let type, type != kind { become(type, &texts) }
    }

    /// Reads a value as its JSON says.
    mutating func readValue(_ json: inout JSONReader, _ texts: inout KeptTexts) throws(WireError) {
        switch try json.peek() {
        case .string:
            kind = .string
            text = texts.keep(try json.readString(), of: json)
        case .number:
            switch try json.readNumber() {
            case .integer(let value): (kind, long) = (.long, value)
            case .double(let value): (kind, double) = (.double, value)
            }
        case .bool: (kind, bool) = (.bool, try json.readBool())
        case .object, .array: (kind, text) = (.string, try json.readRaw())
        case .null:
            kind = .string
            try json.skipValue()
        }
    }

    /// Turns the value into one of `type` if it can be one.
    private mutating func become(_ type: Kind, _ texts: inout KeptTexts) {
        switch (type, kind) {
        case (.double, .long): (kind, double) = (.double, Double(long))
        case (.double, .string):
            if let number = Double(UTF8Text.repaired(text)) { (kind, double) = (.double, number) }
        case (.long, .string):
            if let number = Int64(UTF8Text.repaired(text)) { (kind, long) = (.long, number) }
        case (.bool, .string):
            switch JSONKey(bytes: text) {
            case "true": (kind, bool) = (.bool, true)
            case "false": (kind, bool) = (.bool, false)
            default: break
            }
        case (.binary, .string):
            var bytes = ByteWriter(capacity: text.count)
            if Base64.decode(text, to: &bytes) { (kind, binary) = (.binary, texts.copy(bytes.bytes)) }
        default: break
        }
    }
}

extension JaegerTag.Kind {
    /// The kind that Jaeger's JSON names.
    fileprivate init?(json name: JSONKey) {
        switch name {
        case "string": self = .string
        case "bool": self = .bool
        case "int64", "long": self = .long
        case "float64", "double": self = .double
        case "binary": self = .binary
        default: return nil
        }
    }
}

extension JaegerStatus {
    /// Whether a tag of this key may tell the kind or the status.
    static func reads(_ key: UnsafeRawBufferPointer) -> Bool {
        switch JSONKey(bytes: key) {
        case "error", "span.kind", "otel.status_code", "otel.status_description", "http.status_code",
            "http.status_message":
            true
        default: false
        }
    }
}
