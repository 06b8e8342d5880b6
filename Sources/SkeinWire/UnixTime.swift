// SPDX-License-Identifier: Apache-2.0

/// Moments in other units than nanoseconds since 1970-01-01 UTC.
enum UnixTime {
    /// Nanoseconds of a moment in microseconds: before 1970 is 0, after 2554 the last one there is.
    static func nanos(ofMicros micros: Int64) -> UInt64 {
        if micros < 0 { return 0 }
        let (nanos, overflow) = UInt64(micros).multipliedReportingOverflow(by: 1000)
        return overflow ? .max : nanos
    }
}
