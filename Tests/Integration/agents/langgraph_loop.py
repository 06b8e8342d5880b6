# SPDX-License-Identifier: Apache-2.0
"""LangGraph under OpenInference: a graph of three nodes whose check sends the work back twice, each round with a model
call and a tool call."""

import time
from typing import TypedDict

from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.graph import END, START, StateGraph
from openinference.instrumentation.langchain import LangChainInstrumentor
from telemetry import telemetry, tell


class Work(TypedDict):
    rounds: int


def line(text):
    return AIMessage(text, usage_metadata=dict(input_tokens=30, output_tokens=7, total_tokens=37))


model = GenericFakeChatModel(messages=iter([line("one"), line("two"), line("three")]))


@tool
def measure(round: int) -> int:
    """Measures the work of a round."""
    time.sleep(0.03)
    return round


def plan(work: Work) -> Work:
    model.invoke("What next?")
    return {"rounds": work["rounds"] + 1}


def act(work: Work) -> Work:
    measure.invoke({"round": work["rounds"]})
    return work


def check(work: Work) -> Work:
    return work


graph = StateGraph(Work)
for node in (plan, act, check):
    graph.add_node(node.__name__, node)
graph.add_edge(START, "plan")
graph.add_edge("plan", "act")
graph.add_edge("act", "check")
graph.add_conditional_edges("check", lambda work: END if work["rounds"] == 3 else "plan")

with telemetry("graph-desk"):
    LangChainInstrumentor().instrument()
    config = {"configurable": {"thread_id": "task-17"}}
    end = graph.compile(name="improver").invoke({"rounds": 0}, config)
    tell(rounds=end["rounds"], tokens={"improver": [90, 21]})
