"""LangChain's and LangGraph's own tracing, with a model that is made up, is found again; run with their own Python."""

import unittest
from typing import TypedDict

from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import tool
from langgraph.graph import END, START, StateGraph

from tests.clients.tracing import CLIENT, listed, traced, tree


@tool
def look_up(order: str) -> str:
    """Where an order is."""
    return f"{order} is on its way"


class State(TypedDict):
    order: str
    found: str
    answer: str


def ask(state: State) -> dict[str, str]:
    return {"found": look_up.invoke({"order": state["order"]})}


def say(state: State) -> dict[str, str]:
    return {"answer": FakeListChatModel(responses=["Soon 📦"]).invoke([HumanMessage(state["found"])]).text}


class LangChain(unittest.TestCase):
    def test_a_chain(self) -> None:
        chain = ChatPromptTemplate.from_template("Say {word}") | FakeListChatModel(responses=["hé"]) | StrOutputParser()
        with traced() as project:
            config = RunnableConfig(tags=["beta"], metadata={"thread_id": "lc"}, run_name="chain")
            assert chain.invoke({"word": "hello"}, config) == "hé"
            assert "".join(chain.stream({"word": "hello"}, RunnableConfig(run_name="stream"))) == "hé"
        [root] = listed(project, filter='eq(name, "chain")')
        root = CLIENT.read_run(root.id, load_child_runs=True)
        assert (root.inputs, root.outputs, root.status) == ({"word": "hello"}, {"output": "hé"}, "success")
        assert [run.run_type for run in root.child_runs] == ["prompt", "llm", "parser"]
        assert "beta" in root.tags
        assert root.extra["metadata"]["thread_id"] == "lc"
        model = root.child_runs[1]
        assert model.outputs["generations"][0][0]["text"] == "hé"
        assert model.inputs["messages"][0][0]["kwargs"]["content"] == "Say hello"
        [streamed] = listed(project, filter='eq(name, "stream")')
        assert streamed.outputs == {"output": "hé"}

    def test_an_error(self) -> None:
        with traced() as project, self.assertRaises(KeyError):
            ChatPromptTemplate.from_template("Say {word}").invoke({})
        [run] = listed(project)
        assert run.status == "error"
        assert "KeyError" in run.error

    def test_a_graph(self) -> None:
        graph = StateGraph(State)
        graph.add_node("ask", ask)
        graph.add_node("say", say)
        graph.add_edge(START, "ask")
        graph.add_conditional_edges("ask", lambda state: "say" if state["found"] else END, ["say", END])
        graph.add_edge("say", END)
        with traced() as project:
            graph.compile().invoke({"order": "A-1"}, RunnableConfig(metadata={"thread_id": "graph"}))
        root = tree(project)
        assert root.inputs == {"order": "A-1"}
        assert root.outputs == {"order": "A-1", "found": "A-1 is on its way", "answer": "Soon 📦"}
        assert [run.name for run in root.child_runs] == ["ask", "say"]
        [looked] = listed(project, run_type="tool")
        assert (looked.name, looked.outputs["output"]) == ("look_up", "A-1 is on its way")
        [model] = listed(project, run_type="llm")
        assert model.trace_id == root.id
        [thread] = CLIENT.list_threads(project_name=project)
        assert (thread["thread_id"], thread["count"]) == ("graph", 1)
