// SPDX-License-Identifier: Apache-2.0
import Foundation
import Logging
import SkeinPipeline
import SkeinWire
import Testing

@testable import SkeinServer

struct StrategiesFileTests {
    @Test func `a file is read again when it changes, and a bad one changes nothing`() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "skein-\(UUID().uuidString).json")
        defer { try? FileManager.default.removeItem(at: path) }
        func write(_ probability: String) throws {
            try #"{"default_strategy": {"type": "probabilistic", "param": \#(probability)}}"#
                .write(to: path, atomically: true, encoding: .utf8)
        }
        let (answers, telemetry) = (SamplingAnswers(adaptive: nil), Telemetry())
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let file = StrategiesFile(path.path(), answers, telemetry: telemetry, logger: logger)
        func kind() -> Jaeger.SamplingStrategy.Kind { answers.strategy(of: "a").kind }
        func failed() -> Bool {
            var text = PrometheusText()
            telemetry.write(to: &text)
            return text.text.contains("skein_sampling_strategies_failed 1\n")
        }

        #expect(throws: ConfigurationError.self) { try file.load() }
        #expect(kind() == .probabilistic(0.001))
        try write("0.5")
        try file.load()
        #expect(kind() == .probabilistic(0.5))
        try write("1.5")
        file.look()
        #expect(kind() == .probabilistic(0.5) && failed())
        try write("0.25")
        file.look()
        #expect(kind() == .probabilistic(0.25) && !failed())
        try FileManager.default.removeItem(at: path)
        file.look()
        #expect(kind() == .probabilistic(0.25) && failed())
    }
}
