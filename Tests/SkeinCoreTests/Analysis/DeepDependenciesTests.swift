// SPDX-License-Identifier: Apache-2.0
import SkeinAnalysis
import SkeinBase
import SkeinModel
import SkeinTestKit
import Testing

@Suite struct DeepDependenciesTests {
    typealias Span = SkeinModel.Span

    /// A trace whose spans are written as services with the number of the parent: `["web", "0 shop", "1 stock"]`.
    static func trace(_ id: UInt64, _ spans: [String], weight: Double = 1) -> SpanBatch {
        SpanBatch(
            spans: spans.enumerated().map { number, text in
                let words = text.split(separator: " ", omittingEmptySubsequences: false)
                var span = TraceTreeTests.span(
                    UInt64(number) + 1,
                    parent: words.count > 1 ? UInt64(words[0])! + 1 : 0,
                    start: UInt64(number),
                    service: String(words.last ?? ""),
                    trace: id
                )
                span.weight = weight
                return span
            }
        )
    }

    static func dependencies(_ batches: SpanBatch...) -> DeepDependencies {
        var dependencies = DeepDependencies()
        for batch in batches { dependencies.add(batch) }
        return dependencies
    }

    static func lines(_ dependencies: DeepDependencies) -> [String] {
        dependencies.paths.map { "\($0.services.joined(separator: ">")) \($0.traceCount) \($0.callCount)" }
    }

    @Test func `paths are services from the root to the last, with traces and calls`() {
        let dependencies = Self.dependencies(
            Self.trace(1, ["web", "0 shop", "1 stock", "1 stock", "0 users"]),
            Self.trace(2, ["web", "0 shop", "1 stock"]),
            Self.trace(3, ["app", "0 shop"])
        )
        #expect(Self.lines(dependencies) == ["web>shop>stock 2 3.0", "app>shop 1 1.0", "web>users 1 1.0"])
        #expect(dependencies.traceCount == 3)
        #expect(dependencies.paths[0].exemplar.low == 1)
    }

    @Test func `spans of one service that follow each other are one, those without a name are passed over`() {
        let trace = Self.trace(1, ["web", "0 web", "1 ", "2 web", "3 shop", "2 shop", "4 "])
        #expect(Self.lines(Self.dependencies(trace)) == ["web>shop 1 2.0"])
        #expect(Self.lines(Self.dependencies(Self.trace(1, ["", "0 "]))) == [])
    }

    @Test func `calls count by weight and failed ones are told`() {
        var spans = Self.trace(1, ["web", "0 shop"], weight: 4).spans
        spans[1].status.code = .error
        let path = Self.dependencies(SpanBatch(spans: spans)).paths[0]
        #expect(path.callCount == 4 && path.errorCount == 4 && path.traceCount == 1)
    }

    @Test func `the graph around a service has only what stands with it on a path`() {
        let dependencies = Self.dependencies(
            Self.trace(1, ["web", "0 shop", "1 stock", "2 db", "0 users", "4 db"]),
            Self.trace(2, ["app", "0 gate", "1 shop", "2 stock", "2 stock"])
        )
        let graph = FocalGraph(around: "shop", in: dependencies)
        #expect(
            graph.nodes.map { "\($0.hop) \($0.service) \($0.callCount)" } == [
                "-2 app 1.0", "-1 gate 1.0", "-1 web 1.0", "0 shop 2.0", "1 stock 3.0", "2 db 1.0",
            ]
        )
        #expect(
            graph.edges.map { "\(graph.nodes[$0.from].service)>\(graph.nodes[$0.to].service) \($0.callCount)" }
                == ["app>gate 1.0", "gate>shop 1.0", "web>shop 1.0", "shop>stock 3.0", "stock>db 1.0"]
        )
        #expect(FocalGraph(around: "users", in: dependencies).nodes.map(\.service) == ["web", "users", "db"])
        #expect(FocalGraph(around: "nobody", in: dependencies).nodes.isEmpty)
    }

    @Test func `a path that comes back to the service goes on from the first time`() {
        let graph = FocalGraph(around: "a", in: Self.dependencies(Self.trace(1, ["web", "0 a", "1 b", "2 a", "3 c"])))
        #expect(graph.nodes.map { "\($0.hop) \($0.service)" } == ["-1 web", "0 a", "1 b", "2 a", "3 c"])
    }

    @Test func `paths beyond the limits are only counted`() {
        let deep = (0..<100).map { $0 == 0 ? "s0" : "\($0 - 1) s\($0 % 2)" }
        let dependencies = Self.dependencies(Self.trace(1, deep))
        #expect(dependencies.paths.map(\.services.count) == [DeepDependencies.depthMax])
        #expect(dependencies.cutCallCount == 36)
        let wide = ["web"] + (0..<(DeepDependencies.pathCountMax + 9)).map { "0 s\($0)" }
        let cut = Self.dependencies(Self.trace(1, wide))
        #expect(cut.paths.count == DeepDependencies.pathCountMax - 1 && cut.cutCallCount == 10)
    }

    @Test func `what parts show adds up to what all do`() {
        var generator = TraceGenerator(seed: 2)
        let batches = (0..<50).map { _ in SpanBatch(spans: generator.trace()) }
        var (whole, first, second) = (DeepDependencies(), DeepDependencies(), DeepDependencies())
        for (number, batch) in batches.enumerated() {
            whole.add(batch)
            if number < 20 { first.add(batch) } else { second.add(batch) }
        }
        first.merge(second)
        #expect(first.paths == whole.paths && first.traceCount == 50)
        let (mine, theirs) = (FocalGraph(around: "cart", in: first), FocalGraph(around: "cart", in: whole))
        #expect(mine.nodes == theirs.nodes && mine.edges == theirs.edges && !mine.edges.isEmpty)
    }
}
