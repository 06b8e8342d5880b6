// SPDX-License-Identifier: Apache-2.0
package import SkeinBase

/// Why a whole request was not taken. One place refuses, one counter counts.
package struct Refusal: Error, CustomStringConvertible {
    /// What the sender can do about it.
    package enum Reason: Int, CaseIterable, Sendable {
        /// The bytes are not what they claim to be.
        case malformed
        /// Larger than a limit, as sent or after decompression.
        case tooLarge
        /// A content type or an encoding that is not spoken here.
        case unsupported
        /// A page in a browser sent it whose origin may not.
        case forbidden
        /// The sender stopped in the middle or was too slow.
        case incomplete
        /// Too much is in flight; the same request may succeed later.
        case busy
        /// Its sender sends more than it may; the same request may succeed later.
        case rateLimited
        /// The store cannot keep it now; the same request may succeed later.
        case storeUnavailable
        /// The disk or a quota is full; the same request may succeed once there is space.
        case storeFull
        /// The server is going down; another instance, or this one later, may take it.
        case shuttingDown

        /// The value of the `reason` label.
        package var label: StaticString {
            switch self {
            case .malformed: "malformed"
            case .tooLarge: "too_large"
            case .unsupported: "unsupported"
            case .forbidden: "forbidden"
            case .incomplete: "incomplete"
            case .busy: "busy"
            case .rateLimited: "rate_limited"
            case .storeUnavailable: "store_unavailable"
            case .storeFull: "store_full"
            case .shuttingDown: "shutting_down"
            }
        }

        /// Whether the same request may succeed later.
        package var isRetryable: Bool {
            switch self {
            case .malformed, .tooLarge, .unsupported, .forbidden, .incomplete: false
            case .busy, .rateLimited, .storeUnavailable, .storeFull, .shuttingDown: true
            }
        }

        /// Seconds to wait before trying again, where nothing else is known.
        fileprivate var retryAfterSeconds: Int {
            switch self {
            case .busy, .rateLimited, .shuttingDown: 1
            case .storeUnavailable: 5
            case .storeFull: 30
            case .malformed, .tooLarge, .unsupported, .forbidden, .incomplete: 0
            }
        }
    }

    package var reason: Reason
    /// Names the value, the limit and the remedy; shown to the sender.
    package var message: String
    /// Seconds to wait before trying again; 0 where that is of no use.
    package var retryAfterSeconds: Int

    /// A refusal; without `retryAfterSeconds` that of its reason.
    package init(_ reason: Reason, _ message: String, retryAfterSeconds: Int? = nil) {
        self.reason = reason
        self.message = message
        self.retryAfterSeconds = retryAfterSeconds ?? reason.retryAfterSeconds
    }

    package var description: String { message }

    /// The refusal of a request that needs `count` bytes and does not get them: for good when it never can.
    package static func noMemory(_ count: Int, of budget: ByteBudget) -> Refusal {
        count > budget.limit
            ? Refusal(
                .tooLarge,
                "the request takes \(count) bytes of memory, all requests may take \(budget.limit): send smaller batches"
            )
            : Refusal(.busy, "the server holds as many requests as its memory allows: try again")
    }
}

/// Why one span of an otherwise good request was not taken.
package enum SpanRejection: Int, CaseIterable, Sendable {
    /// The trace id is not 16 bytes, or all zero.
    case traceID
    /// The span id is not 8 bytes, or all zero.
    case spanID
    /// The parent's id is neither empty nor 8 bytes.
    case parentSpanID
    /// A value nests deeper than is read.
    case depth
    /// The start is no moment.
    case time
    /// A log record belongs to no trace.
    case noTrace
    /// Its trace has as many spans as are taken of one.
    case traceFull

    /// The value of the `reason` label.
    package var label: StaticString {
        switch self {
        case .traceID: "invalid_trace_id"
        case .spanID: "invalid_span_id"
        case .parentSpanID: "invalid_parent_span_id"
        case .depth: "value_too_deep"
        case .time: "invalid_time"
        case .noTrace: "no_trace_id"
        case .traceFull: "trace_full"
        }
    }
}

/// Why a part of a span was left out although the span was taken.
package enum ItemDrop: Int, CaseIterable, Sendable {
    /// More attributes than a span, an event, a link, a resource or a scope keeps.
    case attributes
    /// More events than a span keeps.
    case events
    /// More links than a span keeps.
    case links
    /// A link whose ids have a wrong length.
    case invalidLinks

    /// The value of the `reason` label.
    package var label: StaticString {
        switch self {
        case .attributes: "too_many_attributes"
        case .events: "too_many_events"
        case .links: "too_many_links"
        case .invalidLinks: "invalid_link"
        }
    }
}
