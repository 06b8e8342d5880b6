// SPDX-License-Identifier: Apache-2.0
import SkeinModel

extension Surroundings {
    /// `process.*` (OpenTelemetry semantic conventions, "Process").
    func process(describesArguments: Bool) -> DetectedAttributes {
        var attributes: DetectedAttributes = [
            "process.pid": .int(Int64(processID)),
            "process.runtime.name": "swift",
        ]
        attributes["process.runtime.version"] = text(swiftVersion)
        attributes["process.executable.name"] = text(executableName)
        attributes["process.executable.path"] = text(executablePath)
        if describesArguments, !arguments.isEmpty {
            attributes["process.command_args"] = .array(arguments.map(AttributeValue.string))
        }
        return attributes
    }

    /// `host.*` ("Host").
    var host: DetectedAttributes {
        var attributes: DetectedAttributes = [:]
        attributes["host.name"] = text(hostName)
        attributes["host.arch"] = text(architecture)
        // machine-id(5): 32 hexadecimal digits, or nothing useful.
        let id = text("/etc/machine-id", byteCountMax: 256).map { KeyValueList.trimmed($0) }
        if let id, id.count == 32, id.allSatisfy(\.isHexDigit) { attributes["host.id"] = .string(String(id)) }
        return attributes
    }

    /// `os.*` ("OS").
    var os: DetectedAttributes {
        var attributes: DetectedAttributes = [:]
        attributes["os.type"] = text(operatingSystem)
        let release = text("/etc/os-release").map(OSRelease.init(_:))
        attributes["os.name"] = text(release?["NAME"])
        attributes["os.version"] = text(release?["VERSION_ID"] ?? kernelVersion)
        attributes["os.description"] = text(release?["PRETTY_NAME"] ?? kernelVersion)
        return attributes
    }

    private func text(_ value: String?) -> AttributeValue? { value.flatMap { $0.isEmpty ? nil : .string($0) } }
}

/// `/etc/os-release`: lines of `NAME=value`, the value as a shell would read it (os-release(5)).
struct OSRelease {
    private var values: [String: String] = [:]

    init(_ text: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            let pair = KeyValueList.trimmed(line).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2, !pair[0].hasPrefix("#") else { continue }
            values[String(pair[0])] = Self.unquoted(pair[1])
        }
    }

    subscript(name: String) -> String? { values[name].flatMap { $0.isEmpty ? nil : $0 } }

    private static func unquoted(_ text: Substring) -> String {
        guard text.count >= 2, let quote = text.first, quote == "\"" || quote == "'", text.last == quote else {
            return String(text)
        }
        var result = ""
        var isEscaped = false
        for character in text.dropFirst().dropLast() {
            if character == "\\", quote == "\"", !isEscaped {
                isEscaped = true
            } else {
                result.append(character)
                isEscaped = false
            }
        }
        return result
    }
}
