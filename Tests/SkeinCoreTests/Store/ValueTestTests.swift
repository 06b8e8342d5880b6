// SPDX-License-Identifier: Apache-2.0
import SkeinModel
import SkeinStore
import Testing

@Suite struct ValueTestTests {
    typealias Comparison = SpanPredicate.Comparison

    static func holds(_ value: AttributeValue, _ comparison: Comparison, _ literal: SpanPredicate.Literal) -> Bool {
        ValueTest(comparison, literal).holds(value)
    }

    /// The order comparisons that hold, as text.
    static func holding(_ value: AttributeValue, _ literal: SpanPredicate.Literal) -> String {
        Comparison.allCases.filter { holds(value, $0, literal) }.map(\.rawValue).joined(separator: " ")
    }

    @Test func `numbers compare across int and double, exactly`() {
        #expect(Self.holding(1, .int(1)) == "= <= >=")
        #expect(Self.holding(1, .double(1.5)) == "!= < <=")
        #expect(Self.holding(-1, .double(-1.5)) == "!= > >=")
        #expect(Self.holding(1.5, .int(1)) == "!= > >=")
        // 2^53 + 1 is no double; its nearest one is 2^53.
        #expect(Self.holding(.int(1 << 53 + 1), .double(0x1p53)) == "!= > >=")
        #expect(Self.holding(.double(0x1p53), .int(1 << 53 + 1)) == "!= < <=")
        #expect(Self.holding(.int(.max), .double(0x1p63)) == "!= < <=")
        #expect(Self.holding(.int(.min), .double(-0x1p63)) == "= <= >=")
        #expect(Self.holding(.int(.min), .double(-.infinity)) == "!= > >=")
        #expect(Self.holding(0, .double(-0.0)) == "= <= >=")
        #expect(Self.holding(1, .double(.nan)) == "!=" && Self.holding(.double(.nan), .int(1)) == "!=")
    }

    @Test func `texts compare by their bytes`() {
        #expect(Self.holding("b", .string("b")) == "= <= >=")
        #expect(Self.holding("a", .string("ab")) == "!= < <=")
        #expect(Self.holding("é", .string("e\u{301}")) == "!= > >=")
    }

    @Test func `what differs in type compares false, also for unequal`() {
        #expect(Self.holding("1", .int(1)) == "" && Self.holding(1, .string("1")) == "")
        #expect(Self.holding(true, .int(1)) == "" && Self.holding(.bytes([1]), .string("1")) == "")
        #expect(Self.holding(.null, .int(0)) == "" && Self.holding(.map([Attribute("a", 1)]), .int(1)) == "")
        #expect(Self.holding("server", .kind(.server)) == "")
    }

    @Test func `bools have no order`() {
        #expect(Self.holding(true, .bool(true)) == "=" && Self.holding(true, .bool(false)) == "!=")
    }

    @Test func `an array satisfies when any element does, and unequal when none is equal`() {
        #expect(Self.holding([1, 5], .int(5)) == "= < <= >=")
        #expect(Self.holding([1, 5], .int(7)) == "!= < <=")
        #expect(Self.holding(.array([]), .int(7)) == "!=")
        #expect(Self.holding([["a"], "b"], .string("a")) == "= <= > >=")
    }

    @Test func `durations beyond the ints compare as what they are`() {
        func holding(_ nanos: UInt64, _ literal: SpanPredicate.Literal) -> String {
            Comparison.allCases.filter { ValueTest($0, literal).holds(nanos: nanos) }.map(\.rawValue)
                .joined(separator: " ")
        }
        #expect(holding(.max, .int(.max)) == "!= > >=" && holding(0, .int(-1)) == "!= > >=")
        #expect(holding(.max, .double(0x1p64)) == "!= < <=" && holding(1 << 63, .double(0x1p63)) == "= <= >=")
        #expect(holding(5, .double(4.5)) == "!= > >=" && holding(5, .double(.nan)) == "!=")
        #expect(holding(.max, .double(.nan)) == "!=" && holding(5, .string("5")) == "")
    }
}
