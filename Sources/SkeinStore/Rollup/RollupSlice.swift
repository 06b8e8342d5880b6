// SPDX-License-Identifier: Apache-2.0
public import SkeinModel

/// What spans that start within a stretch of time add up to.
///
/// A store counts a bounded number of names apart; what comes beyond is counted under the name `nil` of its service, or of
/// no service, so that the sums stay right.
public struct RollupSlice: Hashable, Sendable {
    /// First moment of the slice, nanoseconds since 1970, a whole minute.
    public var startUnixNanos: UInt64
    /// First moment after the slice; `UInt64.max` when it lasts for ever.
    public var endUnixNanos: UInt64
    /// Ordered by service, operation, kind, status; `nil` last.
    public var operations: [OperationRollup]
    /// Ordered by client, server, connection type; `nil` last.
    public var edges: [EdgeRollup]

    /// A slice.
    public init(
        startUnixNanos: UInt64,
        endUnixNanos: UInt64,
        operations: [OperationRollup] = [],
        edges: [EdgeRollup] = []
    ) {
        self.startUnixNanos = startUnixNanos
        self.endUnixNanos = endUnixNanos
        self.operations = operations
        self.edges = edges
    }
}

/// The spans of one operation that ended alike.
public struct OperationRollup: Hashable, Sendable {
    /// Empty for spans without `service.name`; `nil` for services beyond what is counted apart.
    public var service: String?
    /// The span name; `nil` for operations beyond what is counted apart.
    public var operation: String?
    public var kind: Span.Kind
    public var status: Span.Status.Code
    public var durations: DurationDistribution

    /// An operation's figures.
    public init(
        service: String?,
        operation: String?,
        kind: Span.Kind,
        status: Span.Status.Code,
        durations: DurationDistribution
    ) {
        self.service = service
        self.operation = operation
        self.kind = kind
        self.status = status
        self.durations = durations
    }
}

/// The calls from one service to another, or to something that sends no spans.
public struct EdgeRollup: Hashable, Sendable {
    public var client: String?
    /// A service, or what attributes of the client call it: see ``connectionType``.
    public var server: String?
    public var connectionType: ConnectionType
    /// Calls, each by the weight of its receiving span, or of the client's where there is none.
    public var callCount: Double
    /// Calls of which either end has status error.
    public var errorCount: Double
    /// As the receiving end measured; empty when it sends no spans.
    public var serverDurations: DurationDistribution
    /// As the calling end measured, where that is a client or producer span.
    public var clientDurations: DurationDistribution

    /// An edge without calls.
    public init(client: String?, server: String?, connectionType: ConnectionType) {
        self.client = client
        self.server = server
        self.connectionType = connectionType
        callCount = 0
        errorCount = 0
        serverDurations = DurationDistribution()
        clientDurations = DurationDistribution()
    }
}
