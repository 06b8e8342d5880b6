// SPDX-License-Identifier: Apache-2.0

/// Variables of the environment in values of the file (OpenTelemetry configuration data model, "Environment variable
/// substitution").
enum EnvironmentSubstitution {
    struct Failure: Error, Hashable {
        var reason: String
    }

    /// Puts variables in place of `${NAME}`, `${env:NAME}` and `${NAME:-default}`, and `$` in place of `$$`. What is put in is
    /// not looked at again. A variable that is not set or empty is its default, or nothing.
    static func substitute(_ text: String, _ environment: [String: String]) -> Result<String, Failure> {
        var result = ""
        var rest = Substring(text)
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[rest.index(after: dollar)...]
            switch rest.first {
            case "$":
                result += "$"
                rest.removeFirst()
            case "{":
                guard let end = rest.firstIndex(of: "}") else {
                    return .failure(Failure(reason: "has ${ without }: write $${ for the text itself"))
                }
                let reference = rest[rest.index(after: rest.startIndex)..<end]
                rest = rest[rest.index(after: end)...]
                guard let value = value(reference, environment) else {
                    return .failure(
                        Failure(
                            reason:
                                "has ${…} that is not ${NAME}, ${env:NAME} or ${NAME:-default}: write $${ for the text itself"
                        )
                    )
                }
                result += value
            default: result += "$"
            }
        }
        return .success(result + rest)
    }

    private static func value(_ reference: Substring, _ environment: [String: String]) -> String? {
        var name = reference
        if name.hasPrefix("env:") { name = name.dropFirst(4) }
        var standard: Substring = ""
        if let separator = name.firstRange(of: ":-") {
            standard = name[separator.upperBound...]
            name = name[..<separator.lowerBound]
        }
        guard let first = name.utf8.first, !(0x30...0x39).contains(first), name.utf8.allSatisfy(isNameByte),
            !standard.contains(where: \.isNewline)
        else { return nil }
        return environment[String(name)].flatMap { $0.isEmpty ? nil : $0 } ?? String(standard)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "_"): true
        default: false
        }
    }
}
