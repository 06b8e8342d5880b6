// SPDX-License-Identifier: Apache-2.0

/// What an operator may say of the Zipkin API.
package struct ZipkinSettings: Sendable {
    /// Whether ids of 128 bits are compared whole (Zipkin's `STRICT_TRACE_ID`). Otherwise traces that share the lower 64 bits are
    /// one, as they are where a client on the way cut the id; to find them takes a look at the ids of all traces.
    package var strictTraceID = true
    /// Tags whose values the page suggests (Zipkin's `AUTOCOMPLETE_KEYS`); `nil` for the tags of spans that are most in use.
    package var autocompleteKeys: [String]?

    package init() {}
}
