// SPDX-License-Identifier: Apache-2.0
import Foundation
import Logging
import ServiceLifecycle
import SkeinBase
import SkeinPipeline
import SkeinWire

/// Keeps the strategies that clients are told the ones of a file: read at the start, and again when the file has changed.
/// One that cannot be read any more changes nothing, and is told once.
final class StrategiesFile: Service, CustomStringConvertible, Sendable {
    /// Larger files are refused: some hundred thousand services.
    private static let bytesMax = 16 << 20

    private let file: ChangingFile
    private let answers: SamplingAnswers
    private let logger: Logger
    /// 1 while the file is not what is told, since it could not be read.
    private let failed: Gauge
    private let reloads: Counter

    var description: String { "sampling strategies" }

    init(_ path: String, _ answers: SamplingAnswers, telemetry: Telemetry, logger: Logger) {
        file = ChangingFile(path)
        self.answers = answers
        self.logger = logger
        failed = telemetry.gauge(
            "skein_sampling_strategies_failed",
            "1 while the file of sampling strategies cannot be read and those read before are told, otherwise 0."
        )
        reloads = telemetry.counter(
            "skein_sampling_strategies_reloads_total",
            "Times the file of sampling strategies changed and was read."
        )
    }

    /// Reads the file for the first time.
    func load() throws(ConfigurationError) { answers.set(try read()) }

    func run() async throws { await file.watch { self.look() } }

    /// Reads the file again if it is another than it was.
    func look() {
        guard file.hasChanged() else { return }
        do throws(ConfigurationError) {
            answers.set(try read())
            failed.set(0)
            reloads.add()
            logger.info("\(file.path) has changed: clients are told its strategies from now on")
        } catch {
            failed.set(1)
            logger.warning("\(error.message); clients are told the strategies that were read before")
        }
    }

    private func read() throws(ConfigurationError) -> Jaeger.SamplingStrategies {
        let path = file.path
        let bytes: Data
        do {
            bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw ConfigurationError(
                "sampling-strategies: the file \(path) cannot be read: \(error.localizedDescription)"
            )
        }
        guard bytes.count <= Self.bytesMax else {
            throw ConfigurationError(
                "sampling-strategies: the file \(path) has \(bytes.count) bytes, of \(Self.bytesMax) at most"
            )
        }
        let read: Result<Jaeger.SamplingStrategies, WireError> = Array(bytes).withUnsafeBytes { bytes in
            do throws(WireError) {
                return .success(try Jaeger.SamplingStrategies(json: bytes))
            } catch {
                return .failure(error)
            }
        }
        do {
            return try read.get()
        } catch {
            throw ConfigurationError("sampling-strategies: \(path) is no file of strategies: \(error)")
        }
    }
}
