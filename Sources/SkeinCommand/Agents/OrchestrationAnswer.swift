// SPDX-License-Identifier: Apache-2.0

/// A session with all that it started, as `GET /api/worktrace/v1/orchestrations/{id}` answers it, as far as it is shown. Nanoseconds
/// are decimal numbers.
struct OrchestrationAnswer: Decodable {
    var traceId: String
    var rootSessionId: String?
    var taskId: String?
    var taskPriority: String?
    var state: String
    var startTimeUnixNano: String
    var durationNanos: String
    var errorCount: Int
    var truncated: Bool
    var sessionCount: Int
    var toolCallCount: Int
    var sessions: [Session]
    var edges: [Edge]
    var toolCalls: [ToolCall]
    var criticalPath: [PathSegment]
    var usage: Usage

    struct Session: Decodable {
        var sessionId: String
        var parentSessionId: String?
        var agentName: String
        var state: String
        var outcome: String?
        var background: Bool
        /// `nil` where the server does not say.
        var stepsKept: Bool?
        var startTimeUnixNano: String
        var durationNanos: String
        var errorCount: Int
        var llmCallCount: Int
        var toolCallCount: Int
        var usage: Usage
        var timeClasses: [String: String]
    }

    struct Usage: Decodable {
        var inputTokens: UInt64
        var outputTokens: UInt64
        var usd: Double?
    }

    struct Edge: Decodable {
        var fromSessionId: String
        var toSessionId: String
        var kind: String
        var handoffGapNanos: String
        var returnGapNanos: String?
    }

    struct ToolCall: Decodable {
        var sessionId: String
        var toolName: String
        var outcome: String?
        var attempt: Int
        var durationNanos: String
        var childSessionIds: [String]
    }

    struct PathSegment: Decodable {
        var agentName: String
        var `class`: String
        var durationNanos: String
    }
}

/// `GET /api/worktrace/v1/orchestrations/{id}/bottlenecks`.
struct BottleneckAnswer: Decodable {
    var bottlenecks: [Bottleneck]

    struct Bottleneck: Decodable {
        var text: String
    }
}

/// `GET /api/worktrace/v1/sessions/{id}/conversation`.
struct ConversationAnswer: Decodable {
    var contentState: String
    var turns: [Turn]

    struct Turn: Decodable {
        var role: String?
        var text: String?
    }
}

/// Messages as `GET /api/worktrace/v1/messages` lists them, as far as they are shown.
struct MessageListAnswer: Decodable {
    var messages: [Message]

    struct Message: Decodable {
        var from: String?
        var to: [String]
        var threadId: String?
        var text: String?
        var bytes: Int?
    }
}
