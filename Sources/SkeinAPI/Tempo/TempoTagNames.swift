// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore

/// Names that a query may use.
enum TempoTagNames {
    /// The scopes of attributes, as answers order them.
    static let scopes: [AttributeScope] = [.resource, .span, .event, .link, .instrumentation]

    /// What every span has and is no attribute. Grafana's editor offers no more than is listed here.
    static let intrinsics = [
        "duration", "event:name", "event:timeSinceStart", "instrumentation:name", "instrumentation:version", "kind",
        "name",
        "rootName", "rootServiceName", "span:duration", "span:kind", "span:name", "span:status", "span:statusMessage",
        "status", "statusMessage", "trace:duration", "trace:rootName", "trace:rootService", "traceDuration",
    ]

    /// Names of one scope.
    struct Scope {
        var name: String
        var tags: [String]
    }
}

/// What the lists of names are asked for.
struct TempoTagNamesRequest {
    /// A scope of attributes, `intrinsic`, or all of them.
    enum Scope: Hashable {
        case all
        case intrinsic
        case attributes(AttributeScope)
    }

    var scope = Scope.all
    /// The spans that the attributes are of; it may be half written.
    var query = ""
    var range = TimeRange.all
    /// Most names of a scope; 0 for all.
    var limit = 0

    init() {}

    /// The question of an HTTP request.
    init(_ call: APICall) throws(APIError) {
        try setScope(call.request.query("scope") ?? "")
        query = call.request.query("q") ?? ""
        range = try call.secondsRange()
        limit = Int(try call.uint32("limit") ?? 0)
    }

    mutating func setScope(_ name: String) throws(APIError) {
        switch name {
        case "", "none": scope = .all
        case "intrinsic": scope = .intrinsic
        default:
            guard let known = TempoTagNames.scopes.first(where: { $0.rawValue == name }) else {
                throw .invalid("scope", "invalid scope: \(name.prefix(100))")
            }
            scope = .attributes(known)
        }
    }

    func includes(_ other: AttributeScope) -> Bool { scope == .all || scope == .attributes(other) }
}

/// `tempopb.SearchTagsV2Response { 1 scopes* { 1 name, 2 tags* }, 2 metrics }`, or without scopes
/// `tempopb.SearchTagsResponse { 1 tagNames*, 2 metrics }`.
struct TempoTagNamesAnswer: Message {
    var scopes: [TempoTagNames.Scope]
    /// Whether scopes are told apart (version 2).
    var isScoped: Bool

    func write<Writer: MessageWriter & ~Copyable>(to writer: inout Writer, _ room: inout AnswerRoom) throws(APIError) {
        if isScoped {
            writer.list(1, "scopes", required: true, scopes) { scope, writer in
                writer.field(1, "name", text: scope.name)
                writer.list(2, "tags", texts: scope.tags)
            }
        } else {
            writer.list(1, "tagNames", texts: Set(scopes.flatMap(\.tags)).sorted())
        }
        writer.field(2, "metrics") { TempoMetadata.write(to: &$0) }
    }
}

/// `tempopb.MetadataMetrics { 2 totalJobs, 3 completedJobs }`: one job, which is done.
enum TempoMetadata {
    static func write<Writer: MessageWriter & ~Copyable>(to writer: inout Writer) {
        writer.field(2, "totalJobs", uint32: 1)
        writer.field(3, "completedJobs", uint32: 1)
    }
}
