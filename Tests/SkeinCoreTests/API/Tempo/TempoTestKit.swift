// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinAPI
import SkeinModel
import SkeinWire
import Testing

extension APIUnderTest {
    /// The answer of Tempo's API at its own root.
    func askTempo(
        _ target: String,
        method: String = "GET",
        accept: String? = nil
    ) async -> APIResponse {
        let headers = accept.map { [(name: "Accept", value: $0)] } ?? []
        return await api.respond(to: APIRequest(method: method, target: target, headers: headers), family: .tempo)
    }

    /// The text of an answer of Tempo's API, of that status.
    func tempo(_ target: String, status: Int = 200) async throws -> String {
        let response = await askTempo(target)
        let text = String(decoding: response.bytes, as: UTF8.self)
        #expect(response.status == status, "\(target): \(text.prefix(300))")
        if status >= 400, !text.isEmpty {
            #expect(response.header("Content-Type") == "text/plain; charset=utf-8", "\(target)")
        }
        return text
    }

    /// The JSON of an answer of Tempo's API.
    func tempoJSON(_ target: String) async throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: Data(try await tempo(target).utf8))
    }

    /// The message of an answer of Tempo's API.
    func tempoMessage(_ target: String) async throws -> ProtobufMessage {
        let response = await askTempo(target, accept: "application/protobuf")
        #expect(response.status == 200, "\(target): \(String(decoding: response.bytes, as: UTF8.self))")
        #expect(response.header("Content-Type") == "application/protobuf")
        return try ProtobufMessage(response.bytes)
    }
}

/// A message of Protocol Buffers that a test can ask by field number.
struct ProtobufMessage: Equatable {
    enum Value: Equatable {
        case number(UInt64)
        case bytes([UInt8])
    }

    private(set) var fields: [(number: UInt64, value: Value)] = []

    init(_ bytes: [UInt8]) throws {
        fields = try bytes.withUnsafeBytes { bytes in
            var fields: [(UInt64, Value)] = []
            var reader = ProtobufReader(bytes)
            while let tag = try reader.nextTag() {
                switch tag & 7 {
                case 0: fields.append((tag >> 3, .number(try reader.readVarint())))
                case 1: fields.append((tag >> 3, .number(try reader.readFixed64())))
                case 2: fields.append((tag >> 3, .bytes(Array(try reader.readBytes()))))
                default: try reader.skip(tag)
                }
            }
            return fields
        }
    }

    static func == (a: Self, b: Self) -> Bool {
        a.fields.elementsEqual(b.fields) { $0.number == $1.number && $0.value == $1.value }
    }

    /// The numbers of the fields that are there, in order.
    var numbers: [UInt64] { fields.map(\.number) }

    /// The values of a field that are messages.
    func messages(_ number: UInt64) -> [ProtobufMessage] {
        fields.compactMap {
            guard $0.number == number, case .bytes(let bytes) = $0.value else { return nil }
            return try? ProtobufMessage(bytes)
        }
    }

    /// The values of a field that are texts.
    func texts(_ number: UInt64) -> [String] {
        fields.compactMap {
            guard $0.number == number, case .bytes(let bytes) = $0.value else { return nil }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    func text(_ number: UInt64) -> String? { texts(number).first }

    /// The first value of a field that is a number; a double's bits.
    func number(_ number: UInt64) -> UInt64? {
        for field in fields where field.number == number {
            if case .number(let value) = field.value { return value }
        }
        return nil
    }

    func double(_ number: UInt64) -> Double? { self.number(number).map { Double(bitPattern: $0) } }
}
