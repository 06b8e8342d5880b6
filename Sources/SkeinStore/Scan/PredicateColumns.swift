// SPDX-License-Identifier: Apache-2.0

extension SpanPredicate {
    /// The columns that testing it needs.
    package var columns: SpanColumns {
        switch self {
        case .true: .fixed
        case .compare(let field, _, _), .exists(let field): field.columns
        case .and(let parts), .or(let parts): parts.reduce(.fixed) { $0.union($1.columns) }
        case .not(let part): part.columns
        }
    }
}

extension SpanField {
    /// The columns that hold the field.
    package var columns: SpanColumns {
        switch self {
        case .duration, .name, .kind, .status, .serviceName, .traceID, .spanID, .parentSpanID: .fixed
        case .statusMessage, .scopeName, .scopeVersion: .details
        case .eventName: .events
        case .linkTraceID: .links
        case .attribute(let scope, _):
            switch scope {
            case .any: [.attributes, .details]
            case .span: .attributes
            case .resource, .instrumentation: .details
            case .event: .events
            case .link: .links
            }
        }
    }
}
