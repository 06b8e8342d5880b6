// SPDX-License-Identifier: Apache-2.0
import SkeinModel

extension Mapping {
    /// Where control goes: handoffs, waits, nodes, attempts, errors.
    static let flowRows: [Mapping] = [
        Mapping(.handoffMode, "gen_ai.transfer.mode", .genAI, example: "pass_control", says: "handoff"),
        Mapping(
            .handoffFrom,
            "gen_ai.handoff.from_agent",
            .openLLMetry,
            of: [.handoff],
            example: "triage",
            says: "triage"
        ),
        Mapping(.handoffFrom, "from_agent", .logfire, of: [.handoff], isOwn: true, example: "triage", says: "triage"),
        Mapping(.handoffFrom, "gen_ai.caller.name", .genAI, of: [.handoff], example: "triage", says: "triage"),
        Mapping(.handoffFrom, "input.value", .openInference, of: [.handoff], example: "triage", says: "triage"),
        Mapping(.handoffTo, "gen_ai.transfer.target.name", .genAI, of: [.handoff], example: "coder", says: "coder"),
        Mapping(.handoffTo, "gen_ai.handoff.to_agent", .openLLMetry, of: [.handoff], example: "coder", says: "coder"),
        Mapping(.handoffTo, "to_agent", .logfire, of: [.handoff], isOwn: true, example: "coder", says: "coder"),
        Mapping(.handoffTo, "output.value", .openInference, of: [.handoff], example: "coder", says: "coder"),

        Mapping(.waitKind, "worktrace.wait.kind", .workTrace, example: "session", says: "session"),
        Mapping(.waitID, "worktrace.wait.id", .workTrace, example: "ses_901", says: "ses_901"),

        Mapping(.nodeID, "graph.node.id", .openInference, of: [.workflow, .node], example: "draft", says: "draft"),
        Mapping(
            .nodeParentID,
            "graph.node.parent_id",
            .openInference,
            of: [.workflow, .node],
            example: "plan",
            says: "plan"
        ),
        Mapping(
            .designNodes,
            "gen_ai.workflow.nodes",
            .openLLMetry,
            as: .texts,
            example: ["plan", "draft"],
            says: "plan,draft"
        ),
        Mapping(
            .designEdges,
            "gen_ai.workflow.edges",
            .openLLMetry,
            as: .texts,
            example: ["plan -> draft"],
            says: "plan→draft"
        ),

        Mapping(.errorType, "error.type", .genAI, example: "timeout", says: "timeout"),

        Mapping(.attempt, "worktrace.step.attempt", .workTrace, as: .count, example: 2, says: "2"),
        Mapping(.attempt, "gen_ai.request.attempt", .claudeCode, as: .count, example: 2, says: "2"),
        Mapping(.attempt, "attempt", .claudeCode, as: .count, isOwn: true, example: 2, says: "2"),
        Mapping(.attempt, "pydantic_ai.tool.retry.attempt", .logfire, as: .count, example: 2, says: "2"),
    ]

    /// What WorkTrace itself writes (`agents.md` §1.3).
    static let workRows: [Mapping] = [
        Mapping(.workSession, "worktrace.session.id", .workTrace, example: "ses_7f3", says: "ses_7f3"),
        Mapping(.workParentSession, "worktrace.session.parent_id", .workTrace, example: "ses_2aa", says: "ses_2aa"),
        Mapping(.workRootSession, "worktrace.session.root_id", .workTrace, example: "ses_2aa", says: "ses_2aa"),
        Mapping(.workStep, "worktrace.step.id", .workTrace, example: "st_12", says: "st_12"),
        Mapping(.workParentStep, "worktrace.step.parent_id", .workTrace, example: "st_9", says: "st_9"),
        Mapping(.workParentStep, "worktrace.session.parent_step_id", .workTrace, example: "st_9", says: "st_9"),
        Mapping(.workStepKind, "worktrace.step.kind", .workTrace, example: "tool", says: "tool"),
        Mapping(.workAction, "worktrace.step.action", .workTrace, example: "tool:grep", says: "tool:grep"),
        Mapping(.workOutcome, "worktrace.step.outcome", .workTrace, example: "failure", says: "failure"),
        Mapping(.workOutcome, "worktrace.session.outcome", .workTrace, example: "failure", says: "failure"),
        Mapping(.workTask, "worktrace.task.id", .workTrace, example: "task-17", says: "task-17"),
        Mapping(.workPriority, "worktrace.task.priority", .workTrace, example: "high", says: "high"),
        Mapping(.workThread, "worktrace.session.thread_id", .workTrace, example: "grp-uploads", says: "grp-uploads"),
        Mapping(.workThread, "gen_ai.conversation.id", .workTrace, example: "grp-uploads", says: "grp-uploads"),
        Mapping(.workRetryOf, "worktrace.step.retry_of", .workTrace, example: "st_11", says: "st_11"),
        Mapping(.workLinkMode, "worktrace.session.link_mode", .workTrace, example: "link", says: "link"),
        Mapping(.workState, "worktrace.session.state", .workTrace, example: "waiting", says: "waiting"),
        Mapping(.workSelf, "worktrace.self", .workTrace, example: true, says: "true"),
        Mapping(.workLate, "worktrace.sampling.late", .workTrace, example: true, says: "true"),
    ]

    /// What a session without its steps sums up (`agents.md` §4.2).
    static let totalRows: [Mapping] = [
        Mapping(.totalSteps, "worktrace.totals.steps", .workTrace, as: .count, example: 7, says: "7"),
        Mapping(.totalErrors, "worktrace.totals.errors", .workTrace, as: .count, example: 1, says: "1"),
        Mapping(.totalModelCalls, "worktrace.totals.llm_calls", .workTrace, as: .count, example: 3, says: "3"),
        Mapping(.totalToolCalls, "worktrace.totals.tool_calls", .workTrace, as: .count, example: 4, says: "4"),
        Mapping(.totalToolErrors, "worktrace.totals.tool_errors", .workTrace, as: .count, example: 1, says: "1"),
        Mapping(.totalWait, "worktrace.totals.wait_nanos", .workTrace, as: .count, example: 90, says: "90"),
        Mapping(.totalInputTokens, "worktrace.totals.input_tokens", .workTrace, as: .count, example: 812, says: "812"),
        Mapping(.totalOutputTokens, "worktrace.totals.output_tokens", .workTrace, as: .count, example: 64, says: "64"),
        Mapping(
            .totalCacheReadTokens,
            "worktrace.totals.cache_read_tokens",
            .workTrace,
            as: .count,
            example: 512,
            says: "512"
        ),
        Mapping(
            .totalCacheWriteTokens,
            "worktrace.totals.cache_write_tokens",
            .workTrace,
            as: .count,
            example: 100,
            says: "100"
        ),
        Mapping(
            .totalReasoningTokens,
            "worktrace.totals.reasoning_tokens",
            .workTrace,
            as: .count,
            example: 32,
            says: "32"
        ),
        Mapping(.totalUSD, "worktrace.totals.usd", .workTrace, as: .dollars, example: 0.25, says: "0.25"),
        Mapping(
            .totalTimes,
            "worktrace.totals.nanos",
            .workTrace,
            as: .texts,
            example: ["llm=40", "own=2"],
            says: "llm=40,own=2"
        ),
    ]
}
