// SPDX-License-Identifier: Apache-2.0
package import SkeinPipeline

/// A file with the policy by which sessions of agents are kept; read and checked.
package struct SessionSamplingFile: Sendable {
    package let path: String
    package let policy: SessionPolicy

    /// Reads the file at `path`.
    package init(path: String) throws(ConfigurationError) {
        try self.init(try ConfigurationSources.text(of: path), path: path)
    }

    /// Reads the text of a file, which messages call `path`.
    package init(_ text: String, path: String) throws(ConfigurationError) {
        self.path = path
        do throws(ConfigurationNode.Failure) {
            policy = try SessionPolicy(try SamplingFile.tree(text))
        } catch {
            throw ConfigurationError("line \(error.line) of \(path): \(error.message)")
        }
    }
}
