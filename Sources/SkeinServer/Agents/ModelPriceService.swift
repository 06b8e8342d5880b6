// SPDX-License-Identifier: Apache-2.0
import Logging
import ServiceLifecycle
import SkeinAgents
import SkeinBase
import SkeinPipeline

/// Keeps the prices of models as a file says: as it was at the start, and again when it has changed. One that cannot be read any
/// more changes nothing, and is told once.
final class ModelPriceService: Service, CustomStringConvertible, Sendable {
    let book: ModelPriceBook
    private let file: ChangingFile
    private let logger: Logger
    /// 1 while the file is not what is followed, since it could not be read.
    private let failed: Gauge

    var description: String { "model prices" }

    init(_ file: ModelPriceFile, telemetry: Telemetry, logger: Logger) {
        self.file = ChangingFile(file.path)
        book = ModelPriceBook(file.prices)
        self.logger = logger
        failed = telemetry.gauge(
            "skein_model_prices_failed",
            "1 while the prices of models cannot be read and those read before are followed, otherwise 0."
        )
    }

    func run() async throws { await file.watch { self.look() } }

    /// Reads the file again if it is another than it was.
    func look() {
        guard file.hasChanged() else { return }
        do throws(ConfigurationError) {
            book.set(try ModelPriceFile(path: file.path).prices)
            failed.set(0)
            logger.info("\(file.path) has changed: models cost what it says")
        } catch {
            failed.set(1)
            logger.warning("\(error.message); models cost what was read before")
        }
    }
}
