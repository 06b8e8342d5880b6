// SPDX-License-Identifier: Apache-2.0

/// A configuration file as a tree, with the line of each part. Whoever knows the file's format makes it.
package struct ConfigurationNode: Sendable {
    package indirect enum Content: Sendable {
        /// As written, without quotes; empty for nothing.
        case scalar(String)
        case list([ConfigurationNode])
        /// In the order of the file; keys may come twice.
        case map([(key: String, line: Int, value: ConfigurationNode)])
    }

    /// From 1 on.
    package var line: Int
    package var content: Content

    package init(_ content: Content, line: Int) {
        self.content = content
        self.line = line
    }

    /// What is wrong with a part of a configuration.
    package struct Failure: Error, Hashable {
        package var line: Int
        /// Names the value, what is allowed and the remedy.
        package var message: String

        package init(_ message: String, line: Int) {
            self.message = message
            self.line = line
        }
    }
}
