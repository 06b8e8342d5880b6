// SPDX-License-Identifier: Apache-2.0
import SkeinAgents
import SkeinModel
import SkeinWire

/// The answer to `GET /api/worktrace/v1/orchestrations/{id}`. Its shapes are in `docs/agents.md`.
extension Orchestration {
    func write(to json: inout JSONWriter, messageCount: Int, isCut: Bool, room: inout AnswerRoom) throws(APIError) {
        let path = pathListed
        try json.object { json throws(APIError) in
            json.member("traceId", traceID)
            json.member("rootSessionId", rootSessionID)
            json.member("sessionKey", sessionKey)
            json.member("taskId", taskID)
            json.member("taskPriority", taskPriority)
            json.member("state", state.rawValue)
            json.member("startTimeUnixNano", decimal: startUnixNanos)
            json.member("durationNanos", decimal: durationNanos)
            json.member("spanCount", spanCount)
            json.member("errorCount", errorCount)
            json.member("truncated", truncated || isCut || path.count < criticalPath.count)
            json.member("sessionCount", sessionCount)
            json.member("toolCallCount", toolCallCount)
            try Self.write("sessions", sessions, to: &json, &room) { session, json in session.write(to: &json) }
            try Self.write("edges", edges, to: &json, &room) { edge, json in edge.write(to: &json) }
            try Self.write("toolCalls", toolCalls, to: &json, &room) { call, json in call.write(to: &json) }
            try Self.write("criticalPath", path, to: &json, &room) { part, json in part.write(to: &json) }
            try Self.write("retries", retries, to: &json, &room) { retry, json in retry.write(to: &json) }
            try Self.write("loops", loops, to: &json, &room) { loop, json in loop.write(to: &json) }
            try json.object("graph") { json throws(APIError) in
                try Self.write("nodes", graph.nodes, to: &json, &room) { node, json in node.write(to: &json) }
                try Self.write("edges", graph.edges, to: &json, &room) { edge, json in edge.write(to: &json) }
            }
            json.object("usage") { json in usage.write(to: &json) }
            json.member("messageCount", messageCount)
        }
    }

    /// The longest segments of the critical path, in its order, as many as are listed.
    private var pathListed: [PathSegment] {
        guard criticalPath.count > Self.listMax else { return criticalPath }
        let longest = criticalPath.indices.sorted { a, b in
            (criticalPath[b].durationNanos, a) < (criticalPath[a].durationNanos, b)
        }
        return longest.prefix(Self.listMax).sorted().map { criticalPath[$0] }
    }

    private static func write<T>(
        _ name: StaticString,
        _ elements: [T],
        to json: inout JSONWriter,
        _ room: inout AnswerRoom,
        _ element: (T, inout JSONWriter) -> Void
    ) throws(APIError) {
        try json.array(name) { json throws(APIError) in
            for each in elements {
                element(each, &json)
                try room.hold(json.count)
            }
        }
    }
}

extension AgentSpan.Usage {
    /// The members of a `usage`.
    func write(to json: inout JSONWriter) {
        json.member("inputTokens", inputTokens)
        json.member("outputTokens", outputTokens)
        json.member("cacheReadTokens", cacheReadTokens)
        json.member("cacheWriteTokens", cacheWriteTokens)
        json.member("reasoningTokens", reasoningTokens)
        json.member("usd", usd)
    }
}

extension JSONWriter {
    /// A member that is an amount of money, or `null` where it is not known.
    mutating func member(_ name: StaticString, _ value: Double?) {
        key(name)
        if let value { double(value) } else { null() }
    }
}

extension Orchestration.Session {
    fileprivate func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("sessionId", sessionID)
            json.member("parentSessionId", parentSessionID)
            json.member("traceId", traceID)
            json.member("spanId", spanID)
            json.member("agentName", agentName)
            json.member("agentId", agentID)
            json.member("agentVersion", agentVersion)
            json.member("serviceName", serviceName)
            json.member("sessionKey", sessionKey)
            json.member("taskId", taskID)
            json.member("taskPriority", taskPriority)
            json.member("linkMode", linkMode.rawValue)
            json.member("background", isBackground)
            json.member("stepsKept", areStepsKept)
            json.member("state", state.rawValue)
            json.member("outcome", outcome)
            json.member("startTimeUnixNano", decimal: startUnixNanos)
            json.member("durationNanos", decimal: durationNanos)
            json.member("spanCount", spanCount)
            json.member("errorCount", errorCount)
            json.member("llmCallCount", llmCallCount)
            json.member("toolCallCount", toolCallCount)
            json.member("fanOut", fanOut)
            json.object("usage") { json in usage.write(to: &json) }
            json.object("timeClasses") { json in
                for timeClass in Orchestration.TimeClass.allCases {
                    json.key(text: timeClass.rawValue)
                    json.decimal(timeClasses[timeClass])
                }
            }
        }
    }
}

extension Orchestration.Edge {
    fileprivate func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("fromSessionId", fromSessionID)
            json.member("toSessionId", toSessionID)
            json.member("kind", kind.rawValue)
            json.member("linkMode", linkMode.rawValue)
            json.member("traceId", traceID)
            json.member("spanId", spanID)
            json.member("toolName", toolName)
            json.member("processBoundary", isProcessBoundary)
            json.member("inferredBy", inferredBy.map { UInt64(clamping: $0) })
            json.member("startTimeUnixNano", decimal: startUnixNanos)
            json.member("durationNanos", decimal: durationNanos)
            json.member("handoffGapNanos", decimal: handoffGapNanos)
            json.member("childNanos", decimal: childNanos)
            json.member("returnGapNanos", decimal: returnGapNanos)
        }
    }
}

extension Orchestration.ToolCall {
    fileprivate func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("traceId", traceID)
            json.member("spanId", spanID)
            json.member("sessionId", sessionID)
            json.member("toolName", toolName)
            json.member("server", server)
            json.member("callId", callID)
            json.member("outcome", outcome)
            json.member("errorType", errorType)
            json.member("attempt", attempt)
            json.member("retryOf", retryOf?.description)
            json.member("startTimeUnixNano", decimal: startUnixNanos)
            json.member("durationNanos", decimal: durationNanos)
            json.member("resultBytes", resultBytes)
            json.array("childSessionIds") { json in
                for id in childSessionIDs { json.string(id) }
            }
            json.member("onCriticalPath", isOnCriticalPath)
            json.array("layers") { json in
                for layer in layers {
                    json.object { json in
                        json.member("layer", layer.layer.rawValue)
                        json.member("spanId", layer.spanID)
                        json.member("serviceName", layer.serviceName)
                        json.member("durationNanos", decimal: layer.durationNanos)
                        json.member("selfNanos", decimal: layer.selfNanos)
                    }
                }
            }
        }
    }
}

extension Orchestration.PathSegment {
    fileprivate func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("sessionId", sessionID)
            json.member("traceId", traceID)
            json.member("spanId", spanID)
            json.member("agentName", agentName)
            json.member("name", name)
            json.member("class", timeClass.rawValue)
            json.member("startTimeUnixNano", decimal: startUnixNanos)
            json.member("durationNanos", decimal: durationNanos)
            json.member("savedIfHalvedNanos", decimal: savedIfHalvedNanos)
        }
    }
}

extension Orchestration.Retry {
    fileprivate func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("sessionId", sessionID)
            json.member("kind", kind.rawValue)
            json.member("name", name)
            json.array("spanIds") { json in
                for id in spanIDs { json.id(id) }
            }
            json.member("attempts", attempts)
            json.member("succeeded", succeeded)
            json.member("wastedNanos", decimal: wastedNanos)
        }
    }
}

extension Orchestration.Loop {
    fileprivate func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("sessionId", sessionID)
            json.member("kind", kind.rawValue)
            json.array("pattern") { json in
                for name in pattern { json.string(name) }
            }
            json.member("count", count)
            json.array("spanIds") { json in
                for id in spanIDs { json.id(id) }
            }
            json.member("startTimeUnixNano", decimal: startUnixNanos)
            json.member("durationNanos", decimal: durationNanos)
        }
    }
}

extension Orchestration.Graph.Node {
    fileprivate func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("id", id)
            json.member("kind", kind.rawValue)
            json.member("name", name)
            json.member("count", count)
            json.member("errorCount", errorCount)
            json.member("durationNanos", decimal: durationNanos)
        }
    }
}

extension Orchestration.Graph.Edge {
    fileprivate func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("from", from)
            json.member("to", to)
            json.member("kind", kind.rawValue)
            json.member("count", count)
            json.member("errorCount", errorCount)
        }
    }
}
