// SPDX-License-Identifier: Apache-2.0

/// What of WorkTrace can be chosen.
package struct WorkOptions: Hashable, Sendable {
    /// Whether names that conventions only propose are written, too: `gen_ai.transfer.*` of handoffs and spawns (`agents.md` §1.3,
    /// semantic-conventions-genai, draft).
    package var writesDrafts = false
    /// Whether each action of `do-trace` is listed as a tool of its own, in the place of the one.
    package var listsActions = false

    package init() {}
}
