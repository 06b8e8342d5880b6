// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinPropagation
import Testing

@Suite struct TraceContextTests {
    private static let ids = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"
    private static let read = "4bf92f3577b34da6a3ce929d0e0e4736 00f067aa0ba902b7"
    private static let none = "none deferred"

    static let parents: [(header: String, summary: String)] = [
        ("00-\(ids)-01", "\(read) sampled"),
        ("00-\(ids)-00", "\(read) notSampled"),
        (" \t00-\(ids)-01\t ", "\(read) sampled"),
        ("00-\(ids)-ff", "\(read) sampled"),
        ("00-\(ids)-fe", "\(read) notSampled"),
        ("cc-\(ids)-01", "\(read) sampled"),
        ("cc-\(ids)-01-what-the-future-will-bring", "\(read) sampled"),
        ("cc-\(ids)-01.what", none),
        ("00-\(ids)-01-more", none),
        ("00-\(ids)-01-", none),
        ("ff-\(ids)-01", none),
        ("00-\(ids.uppercased())-01", none),
        ("00-\(ids)-1", none),
        ("00-\(ids)-0.", none),
        (".0-\(ids)-01", none),
        ("0-\(ids)-01", none),
        ("00-00000000000000000000000000000000-00f067aa0ba902b7-01", none),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", none),
        ("00-\(ids.replacing("-", with: "_"))-01", none),
        ("00-\(ids)-01,00-\(ids)-01", none),
        ("", none), ("00", none), (String(repeating: "-", count: 60), none),
        ("é" + String(repeating: "0", count: 54), none),
    ]

    @Test(arguments: parents.indices)
    func `a parent is read as the specification says, or not at all`(index: Int) {
        let (header, summary) = Self.parents[index]
        #expect(TraceContextPropagator().read(["TraceParent": header]).summary == summary, "\(header)")
    }

    @Test func `flags that have a meaning are passed on, others are not`() {
        let context = TraceContextPropagator().read(["traceparent": "00-\(Self.ids)-ff"])
        #expect(context.spanContext?.flags == [.sampled, .random])
        #expect(context.spanContext?.isRemote == true)
        #expect(TraceContextPropagator().written(context).value("traceparent") == "00-\(Self.ids)-03")
    }

    static let states: [(header: String, written: String?)] = [
        ("foo=1", "foo=1"),
        ("foo=1,bar=2", "foo=1,bar=2"),
        (" foo=1 ,\tbar=2\t", "foo=1,bar=2"),
        ("foo=1,,bar=2,", "foo=1,bar=2"),
        ("foo=1,foo=2,bar=3", "foo=1,bar=3"),
        ("foo@=1,foo@@bar=2,t*242@v=3,0a=4,a/b-c_d=5", "foo@=1,foo@@bar=2,t*242@v=3,0a=4,a/b-c_d=5"),
        ("foo=  a b", "foo=  a b"),
        ("@foo=1,bar=2", nil), ("FOO=1", nil), ("foo.bar=1", nil), ("foo =1", nil), ("foo=bar=baz", nil),
        ("foo=,bar=3", nil), ("foo", nil), ("foo=é", nil), ("=1", nil), ("", nil),
        (
            String(repeating: "a", count: 256) + "=" + String(repeating: "b", count: 256),
            .some(
                String(repeating: "a", count: 256) + "=" + String(repeating: "b", count: 256)
            )
        ),
        (String(repeating: "a", count: 257) + "=1", nil),
        ("a=" + String(repeating: "b", count: 257), nil),
        ((1...32).map { "k\($0)=1" }.joined(separator: ","), (1...32).map { "k\($0)=1" }.joined(separator: ",")),
        ((1...33).map { "k\($0)=1" }.joined(separator: ","), nil),
    ]

    @Test(arguments: states.indices)
    func `a state is read whole or dropped whole, and the parent stays`(index: Int) {
        let (header, written) = Self.states[index]
        let propagator = TraceContextPropagator()
        let context = propagator.read(["traceparent": "00-\(Self.ids)-01", "tracestate": header])
        #expect(context.summary == "\(Self.read) sampled")
        #expect(propagator.written(context).value("tracestate") == written, "\(header)")
    }

    @Test func `a state is joined from several headers, and dropped with a parent that cannot be read`() {
        let propagator = TraceContextPropagator()
        let joined = propagator.read(["traceparent": "00-\(Self.ids)-01", "tracestate": "a=1", "TraceState": "b=2"])
        #expect(propagator.written(joined).value("tracestate") == "a=1,b=2")
        #expect(propagator.read(["traceparent": "00-\(Self.ids)-0", "tracestate": "a=1"]).spanContext == nil)
    }

    @Test func `what is set comes first, the last goes where there are too many`() throws {
        var state = try #require(TraceState(header: (1...32).map { "k\($0)=1" }.joined(separator: ",")))
        #expect(state.set("k7", "2") && state.members.count == 32 && state.members[0].key == "k7")
        #expect(state.set("ot", "th:c") && state.members.count == 32 && state["ot"] == "th:c" && state["k32"] == nil)
        #expect(!state.set("Key", "1") && !state.set("key", "a,b") && !state.set("key", "") && !state.set("key", "a "))
        state.remove("ot")
        #expect(state.members.count == 31)
    }

    @Test func `a long state is cut member by member, long ones first`() throws {
        let long = "long=" + String(repeating: "x", count: 200)
        let state = try #require(TraceState(header: "a=1,\(long),b=2,c=3"))
        #expect(state.header(limit: 512) == "a=1,\(long),b=2,c=3")
        #expect(state.header(limit: 100) == "a=1,b=2,c=3")
        #expect(state.header(limit: 8) == "a=1,b=2")
        #expect(state.header(limit: 0) == "")
    }

    @Test func `nothing is written of a context without a trace`() {
        #expect(TraceContextPropagator().written(PropagatedContext()).pairs.isEmpty)
    }
}
