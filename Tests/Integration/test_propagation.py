# SPDX-License-Identifier: Apache-2.0
"""Every form of a context in headers, crossed both ways with OpenTelemetry for Python; nonsense in their place."""

import random
import re

import pytest
from calls import TRACEPARENT
from opentelemetry import baggage, trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context
from opentelemetry.propagators.aws import AwsXRayPropagator
from opentelemetry.propagators.b3 import B3MultiFormat, B3SingleFormat
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.propagators.jaeger import JaegerPropagator
from opentelemetry.propagators.textmap import Getter
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

FORMS = {
    "tracecontext,baggage": CompositePropagator([TraceContextTextMapPropagator(), W3CBaggagePropagator()]),
    "b3": B3SingleFormat(),
    "b3multi": B3MultiFormat(),
    "jaeger": JaegerPropagator(),
    "xray": AwsXRayPropagator(),
}
WITH_BAGGAGE = ["tracecontext,baggage", "jaeger"]
ALL = ",".join(FORMS)

TRACE = 0x5B8AA5A2D2C872E8321CF37308D69DF2
SPAN = 0x5FB397BE34D26B51
T, S = f"{TRACE:032x}", f"{SPAN:016x}"


class Headers(Getter):
    def get(self, carrier, key):
        return [value for name, value in carrier if name.lower() == key.lower()] or None

    def keys(self, carrier):
        return [name.lower() for name, _ in carrier]


def injected(form, trace_id=TRACE, is_sampled=True, **values):
    """The headers that Python sends."""
    span = trace.SpanContext(trace_id, SPAN, is_remote=False, trace_flags=trace.TraceFlags(int(is_sampled)))
    context = trace.set_span_in_context(trace.NonRecordingSpan(span), Context())
    for key, value in values.items():
        context = baggage.set_baggage(key, value, context)
    headers = {}
    FORMS[form].inject(headers, context)
    assert headers
    return headers.items()


def extracted(form, call):
    """What Python reads: a span's context and baggage."""
    context = FORMS[form].extract(call.pairs, Context(), Headers())
    return trace.get_current_span(context).get_span_context(), dict(baggage.get_all(context))


@pytest.mark.parametrize("is_sampled", [True, False], ids=["sampled", "not"])
@pytest.mark.parametrize("trace_id", [TRACE, TRACE & (1 << 64) - 1], ids=["128", "64"])
@pytest.mark.parametrize("form", FORMS)
def test_a_trace_of_python_goes_on_to_python(calling, form, trace_id, is_sampled):
    calls = calling(OTEL_PROPAGATORS=form).calls(*injected(form, trace_id, is_sampled), count=2)
    for span, _ in (extracted(form, call) for call in calls):
        assert span.is_valid and span.is_remote and span.span_id != SPAN
        assert (span.trace_id, span.trace_flags.sampled) == (trace_id, is_sampled)


@pytest.mark.parametrize("form", FORMS)
def test_a_trace_that_begins_here_goes_on_to_python(calling, form):
    span, carried = extracted(form, calling(OTEL_PROPAGATORS=form).call())
    assert span.is_valid and span.trace_flags.sampled and not carried


@pytest.mark.parametrize("is_sampled", [True, False], ids=["sampled", "not"])
@pytest.mark.parametrize("form", WITH_BAGGAGE)
def test_baggage_of_python_goes_on_to_python(calling, form, is_sampled):
    values = {"user": "abc-123", "city": "Zürich \u20ac", "odd": 'a=b,c;d "e" 100%', "empty-not": "0", "case": "Ab"}
    call = calling(OTEL_PROPAGATORS=form).call(*injected(form, is_sampled=is_sampled, **values))
    span, carried = extracted(form, call)
    assert span.trace_id == TRACE and carried == values


@pytest.mark.parametrize("is_sampled", [True, False], ids=["sampled", "not"])
@pytest.mark.parametrize("form", FORMS)
def test_what_comes_in_one_form_goes_out_in_all(calling, form, is_sampled):
    call = calling(OTEL_PROPAGATORS=ALL).call(*injected(form, is_sampled=is_sampled))
    spans = [extracted(other, call)[0] for other in FORMS]
    assert {(s.trace_id, s.trace_flags.sampled) for s in spans} == {(TRACE, is_sampled)}
    assert len({s.span_id for s in spans}) == 1


@pytest.mark.parametrize(("written", "read"), [("b3", "b3multi"), ("b3multi", "b3")])
def test_both_forms_of_b3_are_read(calling, written, read):
    call = calling(OTEL_PROPAGATORS=written).call(*injected(read))
    assert extracted(written, call)[0].trace_id == TRACE


HEX16, HEX32 = "[0-9a-f]{16}", "[0-9a-f]{32}"


@pytest.mark.parametrize(
    ("form", "headers", "sent"),
    [
        # half ids, a parent's parent, no decision, debug, a decision alone
        ("b3", {"b3": f"{T[16:]}-{S}-1"}, {"b3": f"{'0' * 16}{T[16:]}-{HEX16}-1"}),
        ("b3", {"b3": f"{T}-{S}-1-{S}"}, {"b3": f"{T}-{HEX16}-1"}),
        ("b3", {"b3": f"{T}-{S}"}, {"b3": f"{T}-{HEX16}-1"}),
        ("b3", {"b3": f"{T}-{S}-d"}, {"b3": f"{T}-{HEX16}-d"}),
        ("b3", {"b3": "0"}, {"b3": f"{HEX32}-{HEX16}-0"}),
        ("b3", {"b3": "d"}, {"b3": f"{HEX32}-{HEX16}-d"}),
        ("b3", {"B3": f"{T.upper()}-{S.upper()}-1"}, {"b3": f"{T}-{HEX16}-1"}),
        ("b3", {"b3": f"{T}-{S}-1", "X-B3-TraceId": "1" * 32, "X-B3-SpanId": S}, {"b3": f"{T}-{HEX16}-1"}),
        ("b3", {"b3": "nonsense", "X-B3-TraceId": T, "X-B3-SpanId": S}, {"b3": f"{T}-{HEX16}-1"}),
        (
            "b3multi",
            {"X-B3-TraceId": T, "X-B3-SpanId": S, "X-B3-Flags": "1"},
            {"x-b3-traceid": T, "x-b3-spanid": HEX16, "x-b3-flags": "1", "x-b3-sampled": None},
        ),
        (
            "b3multi",
            {"X-B3-TraceId": T, "X-B3-SpanId": S, "X-B3-Sampled": "false", "X-B3-ParentSpanId": S},
            {"x-b3-traceid": T, "x-b3-sampled": "0", "x-b3-parentspanid": None, "x-b3-flags": None},
        ),
        ("b3multi", {"X-B3-Sampled": "0"}, {"x-b3-traceid": HEX32, "x-b3-sampled": "0"}),
        # ids without leading zeros, colons that are encoded, debug, baggage in two forms
        ("jaeger", {"uber-trace-id": "abc:def:0:1"}, {"uber-trace-id": f"{'abc':0>32}:{HEX16}:0:1"}),
        ("jaeger", {"Uber-Trace-Id": f"{T}%3A{S}%3A0%3A0"}, {"uber-trace-id": f"{T}:{HEX16}:0:0"}),
        ("jaeger", {"uber-trace-id": f"{T}:{S}:0:2"}, {"uber-trace-id": f"{T}:{HEX16}:0:3"}),
        ("jaeger", {"jaeger-debug-id": "look"}, {"uber-trace-id": f"{HEX32}:{HEX16}:0:3"}),
        ("jaeger", {"uber-trace-id": f"0:{S}:0:1"}, {"uber-trace-id": f"(?!0{{32}}){HEX32}:{HEX16}:0:1"}),
        ("jaeger", {"Uberctx-A": "x%20y"}, {"uberctx-a": "x%20y"}),
        ("jaeger", {"jaeger-baggage": "a=1, b = 2"}, {"uberctx-a": "1", "uberctx-b": "2"}),
        ("jaeger", {"uberctx-a": "%0D%0Ax: y"}, {"uberctx-a": "%0D%0Ax:%20y", "x": None}),
        # any order and others among them, without a parent, without a decision
        (
            "xray",
            {"X-Amzn-Trace-Id": f"Self=1-2-3;Sampled=0;Parent={S};Lineage=a:1;Root=1-{T[:8]}-{T[8:]}"},
            {"x-amzn-trace-id": f"Root=1-{T[:8]}-{T[8:]};Parent={HEX16};Sampled=0"},
        ),
        (
            "xray",
            {"X-Amzn-Trace-Id": f"Root=1-{T[:8]}-{T[8:]};Sampled=?"},
            {"x-amzn-trace-id": f"Root=1-{T[:8]}-{T[8:]};Parent={HEX16};Sampled=1"},
        ),
        # nothing is read or written
        ("none", {"traceparent": f"00-{T}-{S}-01", "baggage": "a=1"}, {"traceparent": None, "baggage": None}),
        # a later form in the list wins where several name a trace
        (
            "tracecontext,b3",
            {"b3": f"{T}-{S}-0", "traceparent": f"00-{'1' * 32}-{S}-01"},
            {"traceparent": f"00-{T}-{HEX16}-00", "b3": f"{T}-{HEX16}-0"},
        ),
    ],
)
def test_what_other_clients_send(calling, form, headers, sent):
    call = calling(OTEL_PROPAGATORS=form).call(*headers.items())
    for name, pattern in sent.items():
        if pattern is None:
            assert call[name] is None
        else:
            assert re.fullmatch(pattern, call[name] or ""), call.pairs


# What a header may hold (RFC 9110 §5.5).
FIELD_BYTES = bytes([0x09, *range(0x20, 0x7F), *range(0x80, 0x100)])
VALID = {
    "traceparent": f"00-{T}-{S}-01",
    "tracestate": "foo=1,bar@b=2,ot=th:c;rv:d123456789abcd",
    "baggage": "a=1;p=2,b=%C3%A4,c=x%20y",
    "b3": f"{T}-{S}-1-{S}",
    "x-b3-traceid": T,
    "x-b3-spanid": S,
    "x-b3-sampled": "1",
    "x-b3-flags": "1",
    "uber-trace-id": f"{T}:{S}:0:1",
    "uberctx-a": "x%20y",
    "uberctx-!#$%&'*+.^_`|~": "1",
    "jaeger-baggage": "a=1,b=2",
    "jaeger-debug-id": "look",
    "x-amzn-trace-id": f"Root=1-{T[:8]}-{T[8:]};Parent={S};Sampled=1",
}
STATE = r"(?!.*,,)(,?[a-z0-9][a-z0-9_*/@-]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e])*"
# What must hold of whatever goes out.
SENT = {
    "traceparent": TRACEPARENT.pattern,
    "tracestate": STATE,
    "baggage": r"[\x21-\x7e \t]{1,8192}",
    "b3": f"{HEX32}-{HEX16}-[01d]",
    "uber-trace-id": f"{HEX32}:{HEX16}:0:[013]",
    "x-amzn-trace-id": f"Root=1-[0-9a-f]{{8}}-[0-9a-f]{{24}};Parent={HEX16};Sampled=[01]",
}


def nonsense(chance, value):
    """Bytes that look like this value, more or less, or like nothing."""
    kind = chance.randrange(5)
    if kind == 0:
        return bytes(chance.choices(FIELD_BYTES, k=chance.choice([0, 1, 16, 55, 300, 3000])))
    out = bytearray(value.encode())
    if kind == 1:
        for _ in range(chance.randint(1, 4)):
            out[chance.randrange(len(out))] = chance.choice(FIELD_BYTES)
    elif kind == 2:
        at = chance.randint(0, len(out))
        out[at:at] = bytes(chance.choices(b"-:;,=%@ \t0d\xff", k=chance.randint(1, 6)))
    elif kind == 3:
        del out[chance.randint(0, len(out)) :]
    else:
        out = bytearray((b",", b";", b"", b"-")[chance.randrange(4)].join([out] * chance.randint(2, 60)))
    return bytes(out)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("form", ["tracecontext,baggage", ALL])
def test_nonsense_in_headers_harms_nobody(calling, form, seed):
    service, chance = calling(OTEL_PROPAGATORS=form), random.Random(seed)
    for _ in range(60):
        names = chance.choices(list(VALID), k=chance.randint(1, 8))
        headers = [(name, nonsense(chance, VALID[name])) for name in names]
        call = service.call(*headers)
        assert int(call.trace_id, 16) and int(call.parent_id, 16), headers
        for name, pattern in SENT.items():
            assert call[name] is None or re.fullmatch(pattern, call[name]), (headers, call.pairs)
    call = service.call(("traceparent", VALID["traceparent"]))
    assert (call.trace_id, call.flags) == (T, "01")
