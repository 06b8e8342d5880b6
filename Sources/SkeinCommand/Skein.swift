// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import SkeinBase

/// The `skein` executable.
@main
struct Skein: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "skein",
        abstract: "Distributed tracing for services and for AI agents: one binary, one data folder.",
        discussion: """
            Start a server with `skein serve`, point an OpenTelemetry or Jaeger exporter at it, and look at the traces at \
            http://127.0.0.1:16686.
            """,
        version: Version.current,
        subcommands: [
            Serve.self, Query.self, Tail.self, Trace.self, Compare.self, Services.self, Sessions.self, Session.self,
            Usage.self, Status.self,
            Import.self, Export.self,
            Load.self, MCPProxy.self,
            Remove.self, Pin.self, SamplingCommand.self,
            Doctor.self,
            Verify.self, Blocks.self, Backup.self, Restore.self,
        ]
    )
}
