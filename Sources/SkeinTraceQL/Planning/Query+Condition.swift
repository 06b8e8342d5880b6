// SPDX-License-Identifier: Apache-2.0
import SkeinStore

extension Query {
    /// The condition that the query is, for places that know nothing else of TraceQL.
    func condition() throws(QueryError) -> SpanPredicate {
        guard hints.isEmpty, case .spans(let pipeline) = statement, pipeline.stages.count == 1,
            case .spansets(.filter(let expression)) = pipeline.stages.first
        else { throw moreThanCondition() }
        let lowered = Lowering.predicate(expression)
        if lowered.isExact { return lowered.predicate }
        let place = Lowering.excess(expression) ?? 0..<source.count
        throw QueryError(
            "\(String(decoding: source[place], as: UTF8.self)) takes more than the span itself to answer; this place "
                + "takes conditions on a span and its resource only",
            at: place,
            of: source
        )
    }

    /// What is said of the first token that belongs to no condition.
    private func moreThanCondition() -> QueryError {
        let isBraced = Parser.startsWithPipeline(source)
        var lexer = Lexer(source, isBraced ? .braces : .bare)
        var isBehind = !isBraced
        var depth = 0
        while let token = try? lexer.next(), token.kind != .end {
            let what: String
            switch token.kind {
            case .openBrace:
                depth += 1
                continue
            case .closeBrace:
                depth -= 1
                isBehind = true
                continue
            case _ where depth > 0: continue
            case .pipe: what = "pipelines after |"
            case _ where isBraced && token.relation?.relation.isStructural == true:
                what = "structural operators such as \(String(decoding: source[token.range], as: UTF8.self))"
            case .binary where isBraced: what = "several { … }"
            case .word("with") where isBehind: what = "hints after with"
            case .word(let word) where isBraced: what = "functions such as \(word)()"
            default: continue
            }
            return QueryError("this place takes one condition on spans, without \(what)", at: token.range, of: source)
        }
        return QueryError("this place takes one condition on spans", at: 0..<source.count, of: source)
    }
}
