// SPDX-License-Identifier: Apache-2.0
import Foundation
import SkeinPipeline

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What the operating system says of this process, under the names that Prometheus clients use.
enum ProcessFigures {
    /// Adds the figures to `telemetry`; they are read at each rendering.
    static func register(in telemetry: Telemetry, startedUnixNanos: UInt64) {
        telemetry.counter("process_cpu_seconds_total", "CPU time used.", reading: { cpuSeconds })
        telemetry.gauge(
            "process_resident_memory_bytes",
            "Memory held.",
            reading: { residentByteCount.map { Double($0) } ?? .nan }
        )
        telemetry.gauge("process_open_fds", "Open file descriptors.", reading: { openDescriptors })
        telemetry.gauge("process_max_fds", "File descriptors that may be open.", reading: { descriptorLimit })
        telemetry.gauge(
            "process_start_time_seconds",
            "When the process started, in seconds since 1970.",
            reading: { Double(startedUnixNanos) / 1e9 }
        )
    }

    private static var cpuSeconds: Double {
        var usage = rusage()
        #if canImport(Darwin)
            guard getrusage(RUSAGE_SELF, &usage) == 0 else { return .nan }
        #else
            guard getrusage(__rusage_who_t(0), &usage) == 0 else { return .nan }
        #endif
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }

    /// Bytes of memory that the process has; `nil` where the system does not say.
    static var residentByteCount: Int? {
        #if canImport(Darwin)
            var info = mach_task_basic_info()
            var count = mach_msg_type_number_t(MemoryLayout<mach_task_basic_info>.size / MemoryLayout<natural_t>.size)
            let result = withUnsafeMutablePointer(to: &info) {
                $0.withMemoryRebound(to: integer_t.self, capacity: Int(count)) {
                    task_info(mach_task_self_, task_flavor_t(MACH_TASK_BASIC_INFO), $0, &count)
                }
            }
            return result == KERN_SUCCESS ? Int(info.resident_size) : nil
        #else
            guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return nil }
            let fields = text.split(separator: " ")
            guard fields.count > 1, let pages = Int(fields[1]) else { return nil }
            return pages * sysconf(Int32(_SC_PAGESIZE))
        #endif
    }

    private static var openDescriptors: Double {
        // The descriptor of the listing itself is among them.
        (try? FileManager.default.contentsOfDirectory(atPath: "/dev/fd")).map { Double($0.count - 1) } ?? .nan
    }

    private static var descriptorLimit: Double { DescriptorLimit.current.map { Double($0) } ?? .nan }
}
