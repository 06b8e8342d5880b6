// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The project's own text, read from disk: what the tidy tests look at.
enum House {
    /// The folder that holds `Package.swift`.
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// One text file of the project.
    struct File: CustomStringConvertible {
        /// Relative to the root, `/`-separated.
        var path: String
        var text: String
        var description: String { path }
        var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
    }

    /// Folders that hold no text of ours: build products, virtual environments, what tools leave behind.
    private static func isOurs(_ name: String) -> Bool {
        !(name.hasPrefix(".") && name != ".ci")
            && !["node_modules", "__pycache__", "data", "bench-data"].contains(name)
    }

    /// All text files below `folder` ("" is the whole project) whose names end in one of `endings`, sorted by path.
    static func files(in folder: String, ending endings: [String]) throws -> [File] {
        let top = folder.isEmpty ? root : root.appending(path: folder)
        guard let walk = FileManager.default.enumerator(at: top, includingPropertiesForKeys: [.isRegularFileKey]) else {
            return []
        }
        var found: [File] = []
        for case let url as URL in walk {
            guard isOurs(url.lastPathComponent) else {
                walk.skipDescendants()
                continue
            }
            guard endings.contains(where: { url.lastPathComponent.hasSuffix($0) }),
                try url.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true
            else { continue }
            let path = url.standardizedFileURL.path().dropFirst(root.standardizedFileURL.path().count)
            found.append(File(path: String(path), text: try String(contentsOf: url, encoding: .utf8)))
        }
        return found.sorted { $0.path < $1.path }
    }
}
