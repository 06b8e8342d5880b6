// SPDX-License-Identifier: Apache-2.0
import Logging
import ServiceLifecycle
import SkeinAPI
import SkeinBase
import SkeinPipeline

/// Keeps sessions of agents sampled as a file says: as it was at the start, and again when it has changed. One that cannot be read
/// any more changes nothing, and is told once.
final class SessionPolicyFile: Service, CustomStringConvertible, Sendable {
    let sampling: PrioritySampling
    private let file: ChangingFile
    private let logger: Logger
    /// 1 while the file is not what is followed, since it could not be read.
    private let failed: Gauge

    var description: String { "session sampling" }

    init(_ file: SessionSamplingFile, clock: any WallClock, telemetry: Telemetry, logger: Logger) {
        self.file = ChangingFile(file.path)
        sampling = PrioritySampling(file.policy, clock: clock, telemetry: telemetry)
        self.logger = logger
        failed = telemetry.gauge(
            "skein_session_sampling_config_failed",
            "1 while the policy for sessions of agents cannot be read and the one read before is followed, otherwise 0."
        )
    }

    func run() async throws { await file.watch { self.look() } }

    /// Reads the file again if it is another than it was.
    func look() {
        guard file.hasChanged() else { return }
        do throws(ConfigurationError) {
            let policy = try SessionSamplingFile(path: file.path).policy
            if policy.spansAfterNanos != sampling.current?.spansAfterNanos, policy.spansAfterNanos != nil {
                logger.warning("spans_after of \(file.path) counts as it is now from the next start on")
            }
            sampling.set(policy)
            failed.set(0)
            logger.info("\(file.path) has changed: sessions that start from now on are kept as it says")
        } catch {
            failed.set(1)
            logger.warning("\(error.message); sessions are kept as the policy said that was read before")
        }
    }
}
