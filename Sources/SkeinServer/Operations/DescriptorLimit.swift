// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How many file descriptors the process may have open: connections and blocks take one each.
enum DescriptorLimit {
    /// `nil` when the system does not say.
    static var current: UInt64? { limits.map { UInt64($0.rlim_cur) } }

    /// Raises the limit to what an unprivileged process may have. The default of 1,024 is for programs that use `select`.
    static func raise() {
        guard var limits = Self.limits, limits.rlim_cur < limits.rlim_max else { return }
        #if canImport(Darwin)
            // More than this is refused there.
            limits.rlim_cur = min(limits.rlim_max, rlim_t(OPEN_MAX))
            _ = setrlimit(RLIMIT_NOFILE, &limits)
        #else
            limits.rlim_cur = limits.rlim_max
            _ = setrlimit(__rlimit_resource_t(7), &limits)
        #endif
    }

    private static var limits: rlimit? {
        var limits = rlimit()
        #if canImport(Darwin)
            return getrlimit(RLIMIT_NOFILE, &limits) == 0 ? limits : nil
        #else
            return getrlimit(__rlimit_resource_t(7), &limits) == 0 ? limits : nil
        #endif
    }
}
