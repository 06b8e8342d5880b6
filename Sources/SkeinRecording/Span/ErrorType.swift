// SPDX-License-Identifier: Apache-2.0

/// The name of an error's type, as `exception.type` and `error.type` have it: with its module, and the same in every process.
package enum ErrorType {
    package static func name(of error: any Error) -> String { stable(String(reflecting: type(of: error))) }

    /// Without where a private type stands in memory, `Module.(unknown context at $7f00).Name`, which differs from run to run.
    static func stable(_ name: String) -> String {
        var name = name
        while let start = name.firstRange(of: "(unknown context at $"),
            let end = name[start.upperBound...].firstRange(of: ").")
        {
            name.removeSubrange(start.lowerBound..<end.upperBound)
        }
        return name
    }
}
