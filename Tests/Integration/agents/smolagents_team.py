# SPDX-License-Identifier: Apache-2.0
"""smolagents under OpenInference: a manager asks a managed agent, which calls a tool. The model is one of our own, for
which the instrumentation makes no spans."""

import time

from openinference.instrumentation.smolagents import SmolagentsInstrumentor
from smolagents import ChatMessage, LogLevel, Model, ToolCallingAgent, tool
from smolagents.models import ChatMessageToolCall, ChatMessageToolCallFunction, MessageRole
from smolagents.monitoring import TokenUsage
from telemetry import telemetry, tell


class Scripted(Model):
    """Says one tool call after the other; each turn costs 10 tokens and 2."""

    def __init__(self, *script):
        super().__init__(model_id="scripted")
        self.script, self.turn = script, 0

    def generate(self, messages, **_):
        name, arguments = self.script[self.turn]
        self.turn += 1
        time.sleep(0.02)
        function = ChatMessageToolCallFunction(name=name, arguments=arguments)
        call = ChatMessageToolCall(id=f"call_{self.turn}", type="function", function=function)
        usage = TokenUsage(input_tokens=10, output_tokens=2)
        return ChatMessage(role=MessageRole.ASSISTANT, content="", tool_calls=[call], token_usage=usage)


@tool
def lookup(key: str) -> str:
    """Looks up a key.

    Args:
        key: the key
    """
    time.sleep(0.05)
    return "42"


def agent(name, *script, **more):
    model = Scripted(*script, ("final_answer", {"answer": "42"}))
    return ToolCallingAgent(
        model=model, name=name, description=f"The {name}.", verbosity_level=LogLevel.OFF, **{"tools": [], **more}
    )


with telemetry("smol-desk"):
    SmolagentsInstrumentor().instrument()
    researcher = agent("researcher", ("lookup", {"key": "answer"}), tools=[lookup])
    manager = agent("manager", ("researcher", {"task": "Find the answer"}), managed_agents=[researcher])
    output = manager.run("What is the answer?")
    tell(output=output, tokens={a.name: [10 * a.model.turn, 2 * a.model.turn] for a in (manager, researcher)})
