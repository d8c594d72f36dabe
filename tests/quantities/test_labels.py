"""Labels: a panel's or hypothesis's own, then those of the tables, then the name."""

import datetime as dt
from dataclasses import replace

import pytest

from densing_bayes import load_hypothesis, load_panel, load_spec
from densing_bayes.display.headline import mean_of
from densing_bayes.inputs.hypothesis import ChangeSpec
from densing_bayes.observed.observations import observe
from densing_bayes.quantities.labels import benchmark_label, change_label

SPEC = load_spec("joint")


@pytest.fixture(scope="module")
def observed():
    """The open panel, whose own table calls one of its benchmarks something else."""
    panel = load_panel("open")
    called = panel.benchmarks["label"].where(panel.benchmarks.index != "mmlu", "57 subjects")
    return observe(replace(panel, benchmarks=panel.benchmarks.assign(label=called)), SPEC)


def test_a_benchmark_is_called_as_its_panel_calls_it(observed):
    assert benchmark_label("mmlu", observed) == "57 subjects"
    assert benchmark_label("hellaswag", observed) == "HellaSwag"
    assert benchmark_label("my_benchmark", observed) == "my_benchmark"
    assert benchmark_label("mmlu") == "MMLU"
    alone = replace(observed, benchmarks=("mmlu",), labels=("57 subjects",))
    assert mean_of(alone) == "on 57 subjects alone"


def test_a_change_is_called_as_its_hypothesis_calls_it():
    changes = (
        ChangeSpec(name="chatgpt", date=dt.date(2022, 11, 30)),
        ChangeSpec(name="spring", label="the spring of 2023", date=dt.date(2023, 4, 1)),
    )
    assert change_label("chatgpt", changes) == "ChatGPT"
    assert change_label("spring", changes) == "the spring of 2023"
    assert change_label("llama-2") == "Llama 2"
    assert change_label("spring") == "spring"


def test_labels_are_no_part_of_what_is_fitted(observed):
    assert observed.hash() == observe(load_panel("open"), SPEC).hash()
    chatgpt = load_hypothesis("chatgpt")
    own = chatgpt.changes[0].model_copy(update={"label": "the chat"})
    labelled = chatgpt.model_copy(update={"changes": (own,)})
    assert SPEC.under(labelled).hash == SPEC.under(chatgpt).hash
