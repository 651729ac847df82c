"""One name, one kind of resource: checks that ask for it must not look at another class of that name."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.kinds import kind_named
from fixtures.model import Resource, SameKindError
from selftests.whole_runs import Suite

OWN = """
from fixtures.model import Resource

class Queue(Resource, name="queue", service="sqs", resource_type="AwsSqsQueue"):
    @classmethod
    def discover(cls, api):
        yield cls(api, "mine", arn="arn:aws:sqs:eu-west-1:123456789012:mine", attributes={}, public_statements=[])

def test_own(queue):
    assert queue.id
"""


@pytest.mark.usefixtures("_kinds_as_they_were")
def test_a_second_kind_of_a_name_is_refused_with_both_places() -> None:
    class First(Resource, name="twice"):
        pass

    assert kind_named("twice") is First
    with pytest.raises(SameKindError) as refused:

        class Second(Resource, name="twice"):
            pass

    message = str(refused.value)
    assert message.count(__file__) == 2
    assert ".Second in " in message
    assert ".First in " in message
    assert kind_named("twice") is First


@pytest.mark.usefixtures("_kinds_as_they_were")
def test_a_module_that_is_imported_again_defines_the_same_kind() -> None:
    def define() -> type[Resource]:
        class Again(Resource, name="again"):
            pass

        return Again

    define()
    last = define()
    assert kind_named("again") is last


@pytest.fixture
def _kinds_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    from fixtures import kinds, model

    monkeypatch.setattr(model, "defined_kinds", dict(model.defined_kinds))
    monkeypatch.setattr(kinds, "defined_kinds", model.defined_kinds)


def test_a_kind_of_ones_own_does_not_replace_the_suites(suite: Suite, tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "test_own_queue.py").write_text(OWN)
    run = suite("--check=extra727", f"--checks-dir={folder}", "--list-checks")
    assert run.code == 4
    [line] = [line for line in (run.out + run.err).splitlines() if line.strip()]
    assert "'queue'" in line
    assert str(folder / "test_own_queue.py") in line
    assert "sqs.py" in line
