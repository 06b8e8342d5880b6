// SPDX-License-Identifier: Apache-2.0
package import SkeinModel

/// One row of the table by which spans of all dialects are read: an attribute, and what it says of an agent's work.
///
/// The rows of one field are asked in their order, and the first whose value can be used counts: precedence is the order of
/// ``Mapping/table``.
package struct Mapping: Sendable {
    /// What the row fills.
    package var field: Field
    /// The attribute's key.
    package var key: String
    /// The member to take of a value that is an object, or JSON text of one; `nil` for the value itself.
    package var member: String?
    package var dialect: AgentSpan.Dialect
    package var era: Era
    package var reading: Reading
    /// The kinds of spans of which the attribute says this; empty for all.
    package var kinds: [AgentSpan.Kind]
    /// Whether only the dialect's own spans are read, since anyone may use the key for something else.
    package var isOwn: Bool
    /// A value as clients send it.
    package var example: AttributeValue
    /// What the field is after ``example`` was read.
    package var says: String

    init(
        _ field: Field,
        _ key: String,
        member: String? = nil,
        _ dialect: AgentSpan.Dialect,
        _ era: Era = .current,
        as reading: Reading = .text,
        of kinds: [AgentSpan.Kind] = [],
        isOwn: Bool = false,
        example: AttributeValue,
        says: String
    ) {
        self.field = field
        self.key = key
        self.member = member
        self.dialect = dialect
        self.era = era
        self.reading = reading
        self.kinds = kinds
        self.isOwn = isOwn
        self.example = example
        self.says = says
    }

    /// What of an ``AgentSpan`` a row fills.
    package enum Field: Int, Sendable, CaseIterable {
        case kind
        case agentName, agentID, agentVersion, subAgentID, subAgentName, sessionKey
        case provider, requestedModel, answeredModel, responseID, finishReasons, firstChunk
        case inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, reasoningTokens, totalTokens, usd
        case toolName, toolCallID, toolServer, requestID, toolArguments, toolResult
        case argumentsHash, resultBytes
        case handoffMode, handoffFrom, handoffTo
        case waitKind, waitID
        case nodeID, nodeParentID, designNodes, designEdges
        case errorType, attempt
        case workSession, workParentSession, workRootSession, workStep, workParentStep, workStepKind, workAction
        case workOutcome, workTask, workPriority, workThread, workRetryOf, workLinkMode, workState, workSelf
        case workLate
        case totalSteps, totalErrors, totalModelCalls, totalToolCalls, totalToolErrors, totalInputTokens
        case totalOutputTokens, totalCacheReadTokens, totalCacheWriteTokens, totalReasoningTokens, totalUSD, totalTimes,
            totalWait
    }

    /// How old a way to say something is.
    package enum Era: Sendable, Hashable {
        case current
        /// Renamed; the text names what replaced it, or the version that did.
        case until(String)
    }

    /// How a value is read.
    package enum Reading: Sendable {
        /// Text, or a number as text.
        case text
        /// The part of a text behind the last full stop.
        case lastPart
        /// Text that is no number.
        case word
        /// Texts: a list, JSON text of one, or one alone.
        case texts
        /// A number of tokens or attempts.
        case count
        /// As ``count``, of tokens that leave those of the cache out.
        case countWithoutCache
        /// As ``count``, of tokens that leave those of the cache out where the provider counts so.
        case countByProvider
        /// As ``count``, of tokens that sum up those of other spans.
        case sum
        /// US dollars.
        case dollars
        /// US dollars in parts, the members of an object.
        case dollarsInParts
        case seconds, milliseconds
        /// Any value, of which only a hash or a size is kept.
        case content
        /// A word for a kind.
        case kind([KindWord])
    }

    /// A word that a dialect has for a kind.
    package struct KindWord: Sendable {
        package var word: String
        /// `nil` where the word says nothing, so that other rows are asked.
        package var kind: AgentSpan.Kind?
        /// Whether all texts that begin so are meant.
        package var isPrefix = false

        init(_ word: String, _ kind: AgentSpan.Kind?, isPrefix: Bool = false) {
            self.word = word
            self.kind = kind
            self.isPrefix = isPrefix
        }

        /// Whether `text` is this word, in capitals or not.
        package func matches(_ text: String) -> Bool {
            isPrefix ? text.hasPrefix(word) : text == word || text.lowercased() == word
        }
    }
}

extension Mapping {
    /// All rows; within a field in the order of precedence.
    package static let table: [Mapping] =
        kindRows + identityRows + sessionRows + modelRows + usageRows + toolRows + flowRows + workRows + totalRows

    /// For each field, by its raw value, the rows of the table that fill it.
    static let rowsByField: [[Int]] = Field.allCases.map { field in
        table.indices.filter { table[$0].field == field }
    }

    /// The keys of all rows, each once.
    static let keys: [String] = {
        var seen: Set<String> = []
        return (table.map(\.key) + Marker.extraKeys).filter { seen.insert($0).inserted }
    }()
}
