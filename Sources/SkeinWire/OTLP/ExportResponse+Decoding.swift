// SPDX-License-Identifier: Apache-2.0
import SkeinBase

extension OTLP.ExportResponse {
    /// Reads an answer about spans. Throws what is wrong with its bytes; fields that are not known are passed over.
    package init(protobuf bytes: UnsafeRawBufferPointer) throws(WireError) {
        self.init()
        var response = ProtobufReader(bytes)
        while let tag = try response.nextTag() {
            guard tag == 1 << 3 | 2 else {
                try response.skip(tag)
                continue
            }
            var success = try response.readMessage()
            while let tag = try success.nextTag() {
                switch tag {
                case 1 << 3: rejectedCount = Int(clamping: Int64(bitPattern: try success.readVarint()))
                case 2 << 3 | 2: errorMessage = UTF8Text.repaired(try success.readBytes())
                default: try success.skip(tag)
                }
            }
        }
    }

    /// Reads an answer about spans. Throws what is wrong with its text; members that are not known are passed over.
    package init(json bytes: UnsafeRawBufferPointer) throws(WireError) {
        self.init()
        var json = JSONReader(bytes)
        try json.openObject()
        while let key = try json.nextMember() {
            guard "partialSuccess" ~= key || "partial_success" ~= key else {
                try json.skipValue()
                continue
            }
            try json.openObject()
            while let key = try json.nextMember() {
                switch key {
                case "rejectedSpans", "rejected_spans": rejectedCount = Int(clamping: try json.readInteger(Int64.self))
                case "errorMessage", "error_message": errorMessage = UTF8Text.repaired(try json.readString())
                default: try json.skipValue()
                }
            }
        }
        try json.finish()
    }
}

extension OTLP.RPCStatus {
    /// What an answer in protobuf says went wrong; throws what is wrong with its bytes.
    package static func message(protobuf bytes: UnsafeRawBufferPointer) throws(WireError) -> String {
        var status = ProtobufReader(bytes)
        var message = ""
        while let tag = try status.nextTag() {
            if tag == 2 << 3 | 2 { message = UTF8Text.repaired(try status.readBytes()) } else { try status.skip(tag) }
        }
        return message
    }

    /// How long an answer in protobuf asks to wait before another try; `nil` when it does not say so. Throws what is wrong with its
    /// bytes.
    package static func retryDelay(protobuf bytes: UnsafeRawBufferPointer) throws(WireError) -> Duration? {
        var status = ProtobufReader(bytes)
        while let tag = try status.nextTag() {
            guard tag == 3 << 3 | 2 else {
                try status.skip(tag)
                continue
            }
            var (type, value): (String, UnsafeRawBufferPointer?) = ("", nil)
            var detail = try status.readMessage()
            while let tag = try detail.nextTag() {
                switch tag {
                case 1 << 3 | 2: type = UTF8Text.repaired(try detail.readBytes())
                case 2 << 3 | 2: value = try detail.readBytes()
                default: try detail.skip(tag)
                }
            }
            guard type == retryInfo, let value else { continue }
            var info = ProtobufReader(value)
            while let tag = try info.nextTag() {
                if tag == 1 << 3 | 2 { return try duration(info.readMessage()) }
                try info.skip(tag)
            }
        }
        return nil
    }

    /// `google.protobuf.Duration { 1 seconds (int64), 2 nanos (int32) }`, not below zero.
    private static func duration(_ message: ProtobufReader) throws(WireError) -> Duration {
        var message = message
        var (seconds, nanos): (Int64, Int64) = (0, 0)
        while let tag = try message.nextTag() {
            switch tag {
            case 1 << 3: seconds = Int64(bitPattern: try message.readVarint())
            case 2 << 3: nanos = Int64(bitPattern: try message.readVarint())
            default: try message.skip(tag)
            }
        }
        return .seconds(min(max(seconds, 0), Int64(Int32.max))) + .nanoseconds(min(max(nanos, 0), 999_999_999))
    }
}
