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

    @OptionGroup(visibility: .hidden) var misnamed: MisnamedDataFolder

    /// The path of the folder.
    var path: String {
        dataDir ?? ProcessInfo.processInfo.environment["SKEIN_DATA_DIR"] ?? ServerConfiguration().dataDirectory
    }

    var folder: DataFolder { DataFolder(path) }
}

/// `--data`, which is not near enough to `--data-dir` for the parser to guess.
struct MisnamedDataFolder: ParsableArguments {
    @Option(name: .customLong("data"), help: .hidden)
    var path: String?

    func validate() throws {
        if path != nil { throw ValidationError("Unknown option '--data'. Did you mean '--data-dir'?") }
    }
}

extension CommandFailure {
    /// What the engine could not do, for people. It may begin with a path, which keeps its letters as they are.
    init(_ error: StoreError, exitCode: Int32 = 1) { self.init(description: "\(error).", exitCode: exitCode) }
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
