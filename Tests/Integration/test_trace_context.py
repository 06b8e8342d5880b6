# SPDX-License-Identifier: Apache-2.0
"""W3C Trace Context, level 2, and W3C Baggage, as a service sees them that is called and calls others."""

import string

import pytest

TRACE = "5b8aa5a2d2c872e8321cf37308d69df2"
SPAN = "5fb397be34d26b51"
PARENT = f"00-{TRACE}-{SPAN}-01"
STATE = ("tracestate", "foo=1")


@pytest.fixture(scope="module")
def service(calling):
    return calling()


def parent(text=PARENT, name="traceparent"):
    return name, text


# traceparent


@pytest.mark.parametrize(
    "text",
    [
        PARENT,
        f"  {PARENT}",
        f"{PARENT} ",
        f"\t {PARENT} \t",
        f"01-{TRACE}-{SPAN}-01",
        f"cc-{TRACE}-{SPAN}-01",
        f"fe-{TRACE}-{SPAN}-01",
        f"cc-{TRACE}-{SPAN}-01-",
        f"cc-{TRACE}-{SPAN}-01-what-comes.Later",
        f"00-{'0' * 31}1-{'0' * 15}1-01",
        f"00-{'f' * 32}-{'f' * 16}-01",
    ],
)
def test_a_trace_goes_on(service, text):
    call = service.call(parent(text), STATE)
    _, trace_id, parent_id, *_ = text.strip().split("-")
    assert call.trace_id == trace_id and call.parent_id not in (parent_id, "0" * 16)
    assert call.flags == "01" and call["tracestate"] == "foo=1"


@pytest.mark.parametrize("name", ["traceparent", "Traceparent", "TraceParent", "TRACEPARENT", "tRaCePaReNt"])
def test_case_of_the_parents_name_does_not_matter(service, name):
    assert service.call(parent(name=name)).trace_id == TRACE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        TRACE,
        # version
        f"ff-{TRACE}-{SPAN}-01",
        f"ff-{TRACE}-{SPAN}-01-more",
        f"0-{TRACE}-{SPAN}-01",
        f"000-{TRACE}-{SPAN}-01",
        f"-{TRACE}-{SPAN}-01",
        f".0-{TRACE}-{SPAN}-01",
        f"0g-{TRACE}-{SPAN}-01",
        f"CC-{TRACE}-{SPAN}-01",
        # version 00 ends with its flags, a later one goes on after a dash
        f"{PARENT}-",
        f"{PARENT}-more",
        f"{PARENT}.",
        f"{PARENT}0",
        f"cc-{TRACE}-{SPAN}-01.more",
        f"cc-{TRACE}-{SPAN}-010",
        f"cc-{TRACE}-{SPAN}-0",
        # trace id
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE[1:]}-{SPAN}-01",
        f"00-{TRACE}0-{SPAN}-01",
        f"00-{TRACE[:-1]}.-{SPAN}-01",
        f"00-{TRACE[:-1]}g-{SPAN}-01",
        f"00--{SPAN}-01",
        # parent id
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN.upper()}-01",
        f"00-{TRACE}-{SPAN[1:]}-01",
        f"00-{TRACE}-{SPAN}0-01",
        f"00-{TRACE}-{SPAN[:-1]}.-01",
        f"00-{TRACE}--01",
        # flags
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}-001",
        f"00-{TRACE}-{SPAN}-.1",
        f"00-{TRACE}-{SPAN}-0F",
        f"00-{TRACE}-{SPAN}-",
        f"00-{TRACE}-{SPAN}",
        # what stands between
        f"00_{TRACE}_{SPAN}_01",
        f"00{TRACE}{SPAN}01---",
        f"00 - {TRACE}-{SPAN}-01",
        f'"{PARENT}"',
        f"{PARENT},",
        f"{PARENT};a=b",
    ],
)
def test_a_parent_that_cannot_be_read_begins_a_new_trace_without_state(service, text):
    call = service.call(parent(text), STATE)
    assert call.trace_id not in (TRACE, "0" * 32)
    assert call["tracestate"] is None


@pytest.mark.parametrize(
    "parents",
    [
        [PARENT, PARENT],
        [PARENT, f"00-{'1' * 32}-{SPAN}-01"],
        [PARENT, ""],
        ["", PARENT],
        [PARENT, f"ff-{TRACE}-{SPAN}-01"],
        [f"cc-{TRACE}-{SPAN}-01", f"cc-{TRACE}-{SPAN}-01"],
    ],
)
@pytest.mark.parametrize("name", ["traceparent", "TraceParent"])
def test_two_parents_are_none(service, parents, name):
    first, second = parents
    call = service.call(parent(first), STATE, parent(second, name))
    assert call.trace_id not in (TRACE, "1" * 32)
    assert call["tracestate"] is None


def test_without_headers_a_new_trace_begins(service):
    first, second = service.call(), service.call()
    assert "0" * 32 not in (first.trace_id, second.trace_id) and first.trace_id != second.trace_id
    assert "0" * 16 not in (first.parent_id, second.parent_id)
    assert first.flags == "03", "sampled, and its id is random"
    assert first["tracestate"] is None and first["baggage"] is None


def test_state_without_a_parent_is_dropped(service):
    assert service.call(STATE)["tracestate"] is None


@pytest.mark.parametrize(
    ("flags", "sent"),
    [
        ("00", "00"),
        ("01", "01"),
        ("02", "02"),
        ("03", "03"),
        ("04", "00"),
        ("08", "00"),
        ("fc", "00"),
        ("fd", "01"),
        ("fe", "02"),
        ("ff", "03"),
    ],
)
def test_flags_that_have_a_meaning_go_on(service, flags, sent):
    call = service.call(parent(f"00-{TRACE}-{SPAN}-{flags}"))
    assert (call.trace_id, call.flags) == (TRACE, sent)


@pytest.mark.parametrize(("flags", "is_sampled"), [("00", 0), ("01", 1), ("fe", 0), ("ff", 1)])
def test_a_later_version_still_says_whether_it_is_sampled(service, flags, is_sampled):
    call = service.call(parent(f"cc-{TRACE}-{SPAN}-{flags}-later"))
    assert call.trace_id == TRACE and int(call.flags, 16) & 1 == is_sampled


@pytest.mark.parametrize("headers", [[parent()], []])
def test_several_calls_are_of_one_trace_each_with_a_parent_of_its_own(service, headers):
    calls = service.calls(*headers, count=4)
    assert len({c.trace_id for c in calls}) == 1
    assert len({c.parent_id for c in calls} | {SPAN}) == 5


def test_requests_of_one_trace_have_parents_of_their_own(service):
    calls = [service.call(parent()) for _ in range(3)]
    assert {c.trace_id for c in calls} == {TRACE}
    assert len({c.parent_id for c in calls} | {SPAN}) == 4


def test_what_is_not_sampled_goes_on_unsampled(service):
    calls = service.calls(parent(f"00-{TRACE}-{SPAN}-00"), STATE, ("baggage", "a=1"), count=3)
    assert [(c.trace_id, c.flags, c["tracestate"], c["baggage"]) for c in calls] == [(TRACE, "00", "foo=1", "a=1")] * 3
    assert len({c.parent_id for c in calls} | {SPAN}) == 4


@pytest.mark.parametrize(
    ("sampler", "flags", "sent"),
    [("always_on", "00", "01"), ("always_on", "02", "03"), ("always_off", "01", "00"), ("always_off", "03", "02")],
)
def test_a_sampler_changes_nothing_but_the_flag(calling, sampler, flags, sent):
    call = calling(OTEL_TRACES_SAMPLER=sampler).call(parent(f"00-{TRACE}-{SPAN}-{flags}"), STATE)
    assert (call.trace_id, call.flags, call["tracestate"]) == (TRACE, sent, "foo=1")
    assert call.parent_id != SPAN


def test_a_new_trace_that_is_not_sampled_goes_on_too(calling):
    call = calling(OTEL_TRACES_SAMPLER="always_off").call()
    assert call.trace_id != "0" * 32 and call.flags == "02"


# tracestate


def members(count, prefix="k"):
    return ",".join(f"{prefix}{i}={i}" for i in range(count))


LONG_KEY = "k" * 256
LONG_VALUE = "v" * 256
# All that a value may hold.
VALUE = "".join(c for c in map(chr, range(0x20, 0x7F)) if c not in ",=")
BIG = ",".join(f"k{i}={'v' * 250}" for i in range(32))


@pytest.mark.parametrize(
    ("headers", "sent"),
    [
        (["foo=1"], "foo=1"),
        # as they came, in one header
        (["foo=1,bar=2"], "foo=1,bar=2"),
        (["bar=2,foo=1"], "bar=2,foo=1"),
        (["foo=1", "bar=2"], "foo=1,bar=2"),
        (["foo=1", "bar=2,rojo=3", "congo=4"], "foo=1,bar=2,rojo=3,congo=4"),
        (["z=1", "y=2", "x=3"], "z=1,y=2,x=3"),
        # blanks, and nothing at all, between members
        (["foo=1 \t , \t bar=2"], "foo=1,bar=2"),
        ([" \tfoo=1\t "], "foo=1"),
        (["foo=1,,bar=2"], "foo=1,bar=2"),
        ([",foo=1, ,\t,"], "foo=1"),
        (["foo=1", "", "bar=2"], "foo=1,bar=2"),
        (["", "foo=1"], "foo=1"),
        ([""], None),
        ([" , "], None),
        # how many
        ([members(32)], members(32)),
        ([members(16), members(16, "l")], members(16) + "," + members(16, "l")),
        ([members(32) + ",,"], members(32)),
        ([members(33)], None),
        ([members(16), members(17, "l")], None),
        # keys
        ([string.ascii_lowercase + string.digits + "_-*/@=1"], string.ascii_lowercase + string.digits + "_-*/@=1"),
        (["0foo=1"], "0foo=1"),
        (["f=1"], "f=1"),
        (["foo@=1,bar=2"], "foo@=1,bar=2"),
        (["foo@@bar=1,bar=2"], "foo@@bar=1,bar=2"),
        (["t*242@v=1"], "t*242@v=1"),
        (["tenant@system=1"], "tenant@system=1"),
        ([f"{'t' * 242}@{'v' * 13}=1"], f"{'t' * 242}@{'v' * 13}=1"),
        ([f"{LONG_KEY}=1"], f"{LONG_KEY}=1"),
        ([f"{LONG_KEY}k=1"], None),
        (["@foo=1,bar=2"], None),
        (["-foo=1"], None),
        (["*foo=1"], None),
        (["_foo=1"], None),
        (["FOO=1,bar=2"], None),
        (["fOo=1"], None),
        (["foo.bar=1"], None),
        (["foo$=1"], None),
        (["foo =1"], None),
        (["foo bar=1"], None),
        (["f\xf6\xf6=1"], None),
        (["=1"], None),
        (["foo"], None),
        (["foo=1,bar"], None),
        (["foo=1;bar=2,baz"], None),
        # values
        ([f"foo={VALUE}"], f"foo={VALUE}"),
        (["foo=a b"], "foo=a b"),
        (["foo=  1,bar=2"], "foo=  1,bar=2"),
        (["foo=1 ,bar=2"], "foo=1,bar=2"),
        ([f"foo={LONG_VALUE}"], f"foo={LONG_VALUE}"),
        ([f"foo={LONG_VALUE}v"], None),
        (["foo="], None),
        (["foo= "], None),
        (["foo=,bar=2"], None),
        (["foo=bar=baz"], None),
        (["foo=1=,bar=2"], None),
        (["foo=a\tb"], None),
        (["foo=\xe4,bar=2"], None),
        # more than 512 bytes
        ([f"foo={LONG_VALUE},bar={LONG_VALUE[:247]}"], f"foo={LONG_VALUE},bar={LONG_VALUE[:247]}"),
        ([BIG], BIG),
        # what samplers say to each other; a threshold that would not have sampled this trace goes
        (["foo=1,ot=th:c;rv:d123456789abcd"], "foo=1,ot=th:c;rv:d123456789abcd"),
        (["foo=1,ot=th:c;rv:0123456789abcd"], "ot=rv:0123456789abcd,foo=1"),
    ],
)
def test_state(service, headers, sent):
    call = service.call(parent(), *(("tracestate", h) for h in headers))
    assert call["tracestate"] == sent
    assert (call.trace_id, call.flags) == (TRACE, "01"), "whatever becomes of the state, the trace goes on"


@pytest.mark.parametrize(
    "headers", [["foo=1,foo=1,bar=2"], ["foo=1,bar=2,foo=1"], ["foo=1", "foo=1,bar=2"], ["foo=1,foo=2", "bar=2"]]
)
def test_of_two_members_with_one_key_the_first_goes_on(service, headers):
    call = service.call(parent(), *(("tracestate", h) for h in headers))
    assert call["tracestate"] == "foo=1,bar=2"


@pytest.mark.parametrize("name", ["tracestate", "Tracestate", "TraceState", "TRACESTATE"])
def test_case_of_the_states_name_does_not_matter(service, name):
    call = service.call(parent(), STATE, (name, "bar=2"))
    assert call["tracestate"] == "foo=1,bar=2"


# baggage


def pairs(count, width=1):
    return ",".join(f"k{i:02}={i:0{width}}" for i in range(count))


# 64 members of 127 bytes and the commas between them: 8191, and one byte more.
FULL = pairs(64, 123) + "0"


@pytest.mark.parametrize(
    ("headers", "sent"),
    [
        (["a=1"], "a=1"),
        (["b=2,a=1"], "b=2,a=1"),
        (["a=1", "b=2"], "a=1,b=2"),
        ([" a \t=\t 1 , b=2\t"], "a=1,b=2"),
        (["a=1,,b=2,"], "a=1,b=2"),
        (["a="], "a="),
        (["a=b=c"], "a=b=c"),
        (["Key=1,key=2"], "Key=1,key=2"),
        (["!#$%&'*+-.^_`|~9Z=1"], "!#$%&'*+-.^_`|~9Z=1"),
        # properties
        (["a=1;p;q=2 ; r = 3"], "a=1;p;q=2;r = 3"),
        # values are percent-encoded
        (["a=x%20y%2Cz%3B%25%22%5C"], "a=x%20y%2Cz%3B%25%22%5C"),
        (["a=x+y"], "a=x+y"),
        (["a=%C3%A4%E2%82%AC"], "a=%C3%A4%E2%82%AC"),
        (["a=%41%62"], "a=Ab"),
        (["a=%FF"], "a=%EF%BF%BD"),
        # of one key the last counts
        (["a=1,b=2,a=3"], "a=3,b=2"),
        # what is malformed is left out alone
        (["a,b=2"], "b=2"),
        (["=1,b=2"], "b=2"),
        (["a b=1,b=2"], "b=2"),
        (['a="1",b=2'], "b=2"),
        (["a=x y,b=2"], "b=2"),
        (["a=\xe4,b=2"], "b=2"),
        ([""], None),
        (["nonsense"], None),
        # limits
        ([pairs(64)], pairs(64)),
        ([pairs(40), "l=1", "m=2"], pairs(40) + ",l=1,m=2"),
        ([pairs(65)], pairs(64)),
        ([FULL], FULL),
        ([FULL + "0"], FULL.rsplit(",", 1)[0]),
        (["a=" + "v" * 8190], "a=" + "v" * 8190),
        (["a=" + "v" * 8191], None),
    ],
)
@pytest.mark.parametrize(
    "parents", [[parent()], [parent(f"00-{TRACE}-{SPAN}-00")], []], ids=["sampled", "not", "none"]
)
def test_baggage(service, headers, sent, parents):
    call = service.call(*parents, *(("baggage", h) for h in headers))
    assert call["baggage"] == sent


@pytest.mark.parametrize("name", ["baggage", "Baggage", "BAGGAGE"])
def test_case_of_the_baggages_name_does_not_matter(service, name):
    assert service.call((name, "a=1"))["baggage"] == "a=1"
