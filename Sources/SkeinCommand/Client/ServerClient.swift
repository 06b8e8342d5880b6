// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// Asks a running server over HTTP.
struct ServerClient: Sendable {
    /// Scheme, host and port, without a slash at the end.
    let server: String

    /// Connections for the life of the process. Where nobody listens it says so at once instead of trying again.
    static let connections: HTTPClient = {
        var configuration = HTTPClient.Configuration()
        configuration.timeout.connect = .seconds(5)
        configuration.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    /// Most bytes of an answer: a trace of a million spans fits.
    private static let answerBytesMax = 1 << 30

    /// A client of the server at `address`, such as `http://127.0.0.1:16686`.
    init(_ address: String) throws(CommandFailure) {
        let text = address.contains("://") ? address : "http://" + address
        guard let url = URL(string: text), let scheme = url.scheme, ["http", "https"].contains(scheme),
            url.host()?.isEmpty == false
        else { throw CommandFailure(description: "\(address) is no address of a server; write http://HOST:PORT.") }
        server = text.hasSuffix("/") ? String(text.dropLast()) : text
    }

    /// The body of an answer with status 200.
    func get(_ path: String, _ parameters: [(String, String?)] = []) async throws(CommandFailure) -> Data {
        try await body(of: HTTPClientRequest(url: url(path, parameters)), asked: path)
    }

    /// Where `path` is asked with these parameters.
    func url(_ path: String, _ parameters: [(String, String?)]) -> String {
        let query = parameters.compactMap { name, value in value.map { "\(name)=\(Self.encoded($0))" } }
            .joined(separator: "&")
        return server + path + (query.isEmpty ? "" : "?\(query)")
    }

    /// The body of an answer with status 200 to an object in JSON.
    func post(_ path: String, json: Data) async throws(CommandFailure) -> Data {
        try await post(path, [], json, type: "application/json")
    }

    /// The body of an answer with status 200 to `content` of a media type.
    func post(
        _ path: String,
        _ parameters: [(String, String?)],
        _ content: Data,
        type: String
    ) async throws(CommandFailure) -> Data {
        var request = HTTPClientRequest(url: url(path, parameters))
        request.method = .POST
        request.headers.add(name: "content-type", value: type)
        request.body = .bytes(ByteBuffer(bytes: content))
        return try await body(of: request, asked: path)
    }

    private func body(of request: HTTPClientRequest, asked path: String) async throws(CommandFailure) -> Data {
        var request = request
        request.headers.add(name: "accept", value: "application/json")
        let status: Int
        let body: Data
        do {
            let response = try await Self.connections.execute(request, timeout: .seconds(120))
            status = Int(response.status.code)
            body = Data(try await response.body.collect(upTo: Self.answerBytesMax).readableBytesView)
        } catch {
            throw unreachable(error)
        }
        guard status == 200 else { throw Problem.failure(status: status, body: body, asked: path) }
        return body
    }

    /// An answer as a value.
    func get<Answer: Decodable>(
        _ type: Answer.Type,
        _ path: String,
        _ parameters: [(String, String?)] = []
    ) async throws(CommandFailure) -> Answer {
        try Self.decode(type, try await get(path, parameters), from: path)
    }

    /// Bytes of an answer as a value.
    static func decode<Answer: Decodable>(_ type: Answer.Type, _ body: Data, from path: String) throws(CommandFailure)
        -> Answer
    {
        do {
            return try JSONDecoder().decode(type, from: body)
        } catch {
            throw CommandFailure(
                description: "The answer to \(path) is not what this version of skein expects: is a Skein server there?"
            )
        }
    }

    /// `text` as a part of a path or query.
    static func encoded(_ text: String) -> String {
        let plain = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8)
        let digits = Array("0123456789ABCDEF".utf8)
        var out: [UInt8] = []
        for byte in text.utf8 {
            if plain.contains(byte) {
                out.append(byte)
            } else {
                out += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    func unreachable(_ error: any Error) -> CommandFailure {
        if let error = error as? HTTPClientError, error == .readTimeout || error == .deadlineExceeded {
            return CommandFailure(
                description: "\(server) did not answer within two minutes; ask for less, or try again."
            )
        }
        return CommandFailure(
            description: "Nothing answers at \(server). Start a server with `skein serve`, or name yours with --server."
        )
    }
}

/// What an error answer says (`application/problem+json`).
struct Problem: Decodable {
    var detail: String?
    var code: String?
    var position: Position?
    var expected: [String]?
    var suggestion: String?

    /// Where a query is wrong.
    struct Position: Decodable {
        var line: Int
        var column: Int
        var length: Int
    }

    /// The failure of a command whose request was answered so.
    static func failure(status: Int, body: Data, asked path: String) -> CommandFailure {
        let problem = try? JSONDecoder().decode(Problem.self, from: body)
        let detail = problem?.detail.map { TerminalText.harmless($0) }
        var failure = CommandFailure(description: detail ?? "The server answered \(status) to \(path).")
        if problem?.code == "invalid-query" { failure.exitCode = 2 }
        failure.problem = problem
        failure.status = status
        return failure
    }
}
