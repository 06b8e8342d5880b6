// SPDX-License-Identifier: Apache-2.0

extension MCPTool {
    /// In the order in which they are listed, which never changes while a server runs.
    static let all: [MCPTool] =
        [
            listServices, listOperations, searchTraces, getTrace, getSpan, criticalPath, compareTraces, explainSlow,
            findErrors,
        ]
        + [findProblems, metrics, serviceGraph, listAttributes, attributeValues]
}
