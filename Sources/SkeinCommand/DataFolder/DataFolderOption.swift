// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import SkeinEngine
import SkeinServer
import SkeinStore

/// Which data folder a command looks at.
struct DataFolderOption: ParsableArguments {
    @Option(
        help: ArgumentHelp("The data folder; as for serve, SKEIN_DATA_DIR or ./data unless given.", valueName: "path")
    )
    var dataDir: String?

    /// The path of the folder.
    var path: String {
        dataDir ?? ProcessInfo.processInfo.environment["SKEIN_DATA_DIR"] ?? ServerConfiguration().dataDirectory
    }

    var folder: DataFolder { DataFolder(path) }
}

extension CommandFailure {
    /// What the engine could not do, for people.
    init(_ error: StoreError, exitCode: Int32 = 1) {
        let text = "\(error)"
        self.init(description: text.prefix(1).uppercased() + text.dropFirst() + ".", exitCode: exitCode)
    }
}

extension AsyncParsableCommand {
    /// Runs work of the engine; its failures are told to people.
    func reportingStoreFailures(exitCode: Int32 = 1, _ body: () async throws -> Void) async throws {
        try await reportingFailures {
            do {
                try await body()
            } catch let error as StoreError {
                throw CommandFailure(error, exitCode: exitCode)
            }
        }
    }
}
