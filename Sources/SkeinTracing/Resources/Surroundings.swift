// SPDX-License-Identifier: Apache-2.0

/// What a process can be asked about itself and the machine it runs on, handed in so that tests own it.
package struct Surroundings: Sendable {
    package var environment: [String: String]
    /// Reads a file of at most so many bytes, without ever waiting for one.
    package var file: @Sendable (_ path: String, _ byteCountMax: Int) -> FileReading
    package var hostName: String?
    package var processID: Int
    /// With the name of the program in front.
    package var arguments: [String]
    package var executablePath: String?
    /// A random one, which stays the same while the process runs (RFC 9562 §5.4).
    package var instanceID: String
    /// By the names of semantic conventions, `host.arch` and `os.type`.
    package var architecture: String?
    package var operatingSystem: String?
    /// The version of the kernel.
    package var kernelVersion: String?
    /// Of the Swift that this was built by.
    package var swiftVersion: String

    /// Nothing is known, and no file can be read.
    package init() {
        environment = [:]
        file = { _, _ in .unreadable("there is no such file") }
        processID = 0
        arguments = []
        instanceID = ""
        swiftVersion = ""
    }

    /// The last part of the path of the program.
    var executableName: String? {
        let path = executablePath ?? arguments.first ?? ""
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        return name.isEmpty ? nil : name
    }

    /// A small file as text, without what is no UTF-8; `nil` when it cannot be read.
    func text(_ path: String, byteCountMax: Int = 65_536) -> String? {
        guard case .bytes(let bytes) = file(path, byteCountMax) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// What became of reading a file.
package enum FileReading: Sendable {
    case bytes([UInt8])
    case tooLong
    /// Why.
    case unreadable(String)
}
