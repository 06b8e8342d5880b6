// SPDX-License-Identifier: Apache-2.0
import Logging
import ServiceLifecycle
import SkeinAPI
import SkeinBase
import SkeinPipeline
import Synchronization

/// Keeps sessions of agents sampled as a file says: as it was at the start, and again when it has changed. One that cannot be read
/// any more changes nothing, and is told once.
final class SessionPolicyFile: Service, CustomStringConvertible, Sendable {
    /// How often the file is looked at.
    private static let interval = Duration.seconds(2)

    let sampling: PrioritySampling
    private let path: String
    private let logger: Logger
    /// 1 while the file is not what is followed, since it could not be read.
    private let failed: Gauge
    private let last: Mutex<FileMark?>

    var description: String { "session sampling" }

    init(_ file: SessionSamplingFile, clock: any WallClock, telemetry: Telemetry, logger: Logger) {
        path = file.path
        sampling = PrioritySampling(file.policy, clock: clock, telemetry: telemetry)
        self.logger = logger
        failed = telemetry.gauge(
            "skein_session_sampling_config_failed",
            "1 while the policy for sessions of agents cannot be read and the one read before is followed, otherwise 0."
        )
        last = Mutex(FileMark(file.path))
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while (try? await Task.sleep(for: Self.interval)) != nil { self.look() }
        }
    }

    /// Reads the file again if it is another than it was.
    func look() {
        let mark = FileMark(path)
        let isChanged = last.withLock { last in
            defer { last = mark }
            return mark != last
        }
        guard isChanged else { return }
        do throws(ConfigurationError) {
            sampling.set(try SessionSamplingFile(path: path).policy)
            failed.set(0)
            logger.info("\(path) has changed: sessions that start from now on are kept as it says")
        } catch {
            failed.set(1)
            logger.warning("\(error.message); sessions are kept as the policy said that was read before")
        }
    }
}
