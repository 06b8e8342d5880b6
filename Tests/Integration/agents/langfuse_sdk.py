# SPDX-License-Identifier: Apache-2.0
"""The Langfuse SDK, which knows a host and appends its own path: an agent, two generations and a tool that fails once."""

import time

from langfuse import Langfuse, propagate_attributes
from telemetry import tell

# Where to comes from LANGFUSE_HOST.
langfuse = Langfuse(public_key="pk-lf-1", secret_key="sk-lf-2")


def think(model, prompt, completion):
    with langfuse.start_as_current_observation(name="answer", as_type="generation", model=model) as generation:
        time.sleep(0.02)
        generation.update(
            usage_details={"input": prompt, "output": completion}, cost_details={"input": 0.001, "output": 0.002}
        )


def search(fails):
    with langfuse.start_as_current_observation(name="search", as_type="tool", input={"q": "upload"}) as tool:
        time.sleep(0.02)
        tool.update(level="ERROR", status_message="no reply") if fails else tool.update(output="a page")


with langfuse.start_as_current_observation(name="librarian", as_type="agent") as agent:
    with propagate_attributes(session_id="task-17", user_id="ada"):
        think("model-a", 120, 30)
        search(fails=True)
        search(fails=False)
        think("model-a", 150, 40)
langfuse.shutdown()
tell(traceId=agent.trace_id, tokens={"librarian": [270, 70]}, usd=0.006)
