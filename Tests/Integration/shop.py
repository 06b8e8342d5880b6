# SPDX-License-Identifier: Apache-2.0
"""A small shop written against the OpenTelemetry API, run inside the SDK of whichever version is installed.

Used by the test of the newest SDK in this process, and by the classic Jaeger program in a process of its own. What it
makes is one trace of three spans: an HTTP server span, a card charge that raises below it, and a parcel beside that.
"""

from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

LINKED_TRACE, LINKED_SPAN = 0x0AF7651916CD43DD8448EB211C80319C, 0x00F067AA0BA902B7


class CardDeclined(Exception):
    pass


def check_out(tracer, marker):
    """Makes the trace and gives its id as 32 hex digits."""
    link = Link(SpanContext(LINKED_TRACE, LINKED_SPAN, True, TraceFlags(1)), {"link.why": "retry"})
    with tracer.start_as_current_span("POST /checkout", kind=SpanKind.SERVER, links=[link]) as root:
        root.set_attribute("test.marker", marker)
        root.set_attribute("user.id", "abc123")
        root.set_attribute("cart.items", 3)
        root.set_attribute("cart.total", 99.5)
        root.set_attribute("cart.gift", True)
        root.set_attribute("cart.skus", ["sku-1", "sku-2"])
        root.set_attribute("big.number", 2**60)
        root.add_event("cart checked", {"items.missing": 0, "warehouse": "north"})
        try:
            with tracer.start_as_current_span("charge card", kind=SpanKind.CLIENT) as charge:
                charge.set_attribute("card.scheme", "visa")
                raise CardDeclined("no funds on card")
        except CardDeclined:
            pass
        with tracer.start_as_current_span("send parcel") as parcel:
            parcel.set_status(Status(StatusCode.OK))
        return f"{root.get_span_context().trace_id:032x}"
