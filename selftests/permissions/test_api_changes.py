"""New and vanished members and enum values of AWS's models are found, and have to be reviewed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from permissions import api_reviews, api_snapshot
from permissions.api_changes import Changes, called_operations, compare, instructions, main, report, survey
from permissions.api_model import Api, read, service_model
from permissions.api_reviews import Review
from permissions.api_snapshot import SnapshotError

FILTER = {"type": "structure", "members": {"Name": {"shape": "String"}, "And": {"shape": "Filters"}}}
SHAPES: dict[str, dict[str, Any]] = {
    "String": {"type": "string"},
    "Color": {"type": "string", "enum": ["red", "green"]},
    "Filter": FILTER,
    "Filters": {"type": "list", "member": {"shape": "Filter"}},
    "ListThingsRequest": {"type": "structure", "members": {"Filters": {"shape": "Filters"}}},
    "ListThingsResponse": {"type": "structure", "members": {"Things": {"shape": "Things"}}},
    "Things": {"type": "map", "key": {"shape": "Color"}, "value": {"shape": "Thing"}},
    "Thing": {"type": "structure", "members": {"Zyx": {"shape": "String"}, "Part": {"shape": "Thing"}}},
    "Unused": {"type": "structure", "members": {"Zyx": {"shape": "String"}}},
}
LIST = {"input": {"shape": "ListThingsRequest"}, "output": {"shape": "ListThingsResponse"}}
JUDGED = Review(judged="extra1: red fails")
NO_BEARING = Review(of_no_bearing="is a colour")


def model(operations: dict[str, Any] | None = None, **more: dict[str, Any]) -> dict[str, Any]:
    """A service model; ``more`` are shapes that it has in addition or of another content."""
    return {"operations": operations or {"ListThings": LIST}, "shapes": {**SHAPES, **more}}


def structure(**members: str) -> dict[str, Any]:
    return {"type": "structure", "members": {name: {"shape": shape} for name, shape in members.items()}}


KNOWN = read(model(), ["ListThings"])


def changes(new: dict[str, Any], reviews: api_reviews.Reviews | None = None, called: str = "ListThings") -> Changes:
    return compare("things", new, called.split(), KNOWN, reviews or {})


def test_everything_that_an_operation_takes_and_answers_is_read_once() -> None:
    expected = Api(
        frozenset({"ListThings"}),
        {
            "ListThingsRequest": frozenset({"Filters"}),
            "ListThingsResponse": frozenset({"Things"}),
            "Filter": frozenset({"Name", "And"}),
            "Thing": frozenset({"Zyx", "Part"}),
        },
        {"Color": frozenset({"red", "green"})},
    )
    assert read(model(), ["ListThings"]) == expected


def test_nothing_new() -> None:
    found = changes(model())
    assert (list(report([found])), instructions([found]), found.api) == ([], "", KNOWN)


def test_a_new_member_and_a_new_value_have_to_be_reviewed() -> None:
    new = model(
        Thing=structure(Zyx="String", Part="Thing", Quux="String"),
        Color={"type": "string", "enum": ["red", "green", "u:v"]},
        ListThingsRequest=structure(Filters="Filters", IncludeHidden="String"),
    )
    found = changes(new)
    assert list(report([found])) == [
        "things: new Color.u:v (ListThings), not reviewed",
        "things: new ListThingsRequest.IncludeHidden (ListThings), not reviewed",
        "things: new Thing.Quux (ListThings), not reviewed",
    ]
    assert instructions([found]) == (
        "AWS added what nobody has reviewed. Write the lines below into permissions/api_reviews.yaml. Once a check takes it"
        ' into account: {judged: "CHECK: what it means for the verdict"}; if none has to: {of no bearing: "why"},'
        " which covers what is behind a member as well. Then run python -m permissions.api_changes --update\n"
        "things:\n"
        '  Color.u:v: {judged: ""}  # in ListThings\n'
        '  ListThingsRequest.IncludeHidden: {judged: ""}  # in ListThings\n'
        '  Thing.Quux: {judged: ""}  # in ListThings'
    )
    assert found.api == KNOWN, "what is not reviewed must not get into the snapshot"


def test_a_review_lets_it_into_the_snapshot() -> None:
    blue = {"type": "string", "enum": ["red", "green", "blue"]}
    new = model(Color=blue, Filter=structure(Name="String", And="Filters", Arn="String"))
    found = changes(new, {"Color.blue": JUDGED, "Filter.*": NO_BEARING})
    assert list(report([found])) == [
        "things: new Color.blue, judged: extra1: red fails",
        "things: new Filter.Arn, of no bearing: is a colour",
    ]
    assert found.api.names == KNOWN.names | {"Color.blue", "Filter.Arn"}
    assert found.is_outdated


def test_a_new_structure_is_reviewed_member_by_member_unless_it_is_behind_one_of_no_bearing() -> None:
    new = model(
        Thing=structure(Zyx="String", Part="Thing", Extra="Extra"),
        Extra=structure(Inner="Inner", Self="Extra"),
        Inner=structure(Deep="Color"),
    )
    assert changes(new).unreviewed == ("Extra.Inner", "Extra.Self", "Inner.Deep", "Thing.Extra")
    assert changes(new, {"Thing.Extra": JUDGED}).unreviewed == ("Extra.Inner", "Extra.Self", "Inner.Deep")
    found = changes(new, {"Thing.Extra": NO_BEARING})
    assert found.unreviewed == ()
    assert found.reviewed["Inner.Deep"] == "behind a member of no bearing"
    found = changes(new, {"Thing.Extra": JUDGED, "Extra.*": NO_BEARING})
    assert found.unreviewed == ()


def test_what_is_behind_a_member_of_no_bearing_counts_where_another_leads_there() -> None:
    new = model(
        Thing=structure(Zyx="String", Part="Thing", Extra="Extra", Other="Extra"), Extra=structure(Inner="String")
    )
    assert changes(new, {"Thing.Extra": NO_BEARING, "Thing.Other": JUDGED}).unreviewed == ("Extra.Inner",)


def test_vanished_members_values_and_operations() -> None:
    new = model(Thing=structure(Part="Thing"), Color={"type": "string", "enum": ["red"]})
    found = changes(new, called="ListThings GetThing")
    assert found.vanished == ("Color.green", "Thing.Zyx")
    assert "things: vanished Thing.Zyx (no check names it)" in report([found])
    assert "things: vanished operation GetThing" in report([found])
    text = instructions([found])
    assert (
        "things Thing.Zyx vanished from AWS's model (no check names it): see that no check relies on it, then run"
        " python -m permissions.api_changes --update" in text
    )
    assert "things:GetThing vanished from AWS's model: no check can call it" in text


def test_a_vanished_member_names_the_modules_that_have_its_word() -> None:
    known = Api(
        frozenset({"ListThings"}), {**KNOWN.structures, "Thing": frozenset({"Zyx", "Part", "VpcConfig"})}, KNOWN.enums
    )
    lines = list(report([compare("things", model(), ["ListThings"], known, {})]))
    assert len(lines) == 1
    assert lines[0].startswith("things: vanished Thing.VpcConfig (this word is in ")
    assert ".py" in lines[0]


def test_a_newly_called_operation_needs_no_review_but_what_known_ones_have_does() -> None:
    both = {"ListThings": LIST, "GetThing": {"output": {"shape": "Answer"}}}
    new = model(both, Answer=structure(Zyx="Color"), Color={"type": "string", "enum": ["red", "green", "blue"]})
    found = changes(new, called="ListThings GetThing")
    assert found.unreviewed == ("Color.blue",)
    assert found.reviewed == {"Answer.Zyx": "of an operation newly called"}
    assert list(report([found])) == [
        "things: new Color.blue (GetThing, ListThings), not reviewed",
        "things: new operation GetThing",
    ]
    del new["shapes"]["Color"]["enum"][2]
    found = changes(new, called="ListThings GetThing")
    assert instructions([found]) == (
        "permissions/api/ is out of date for things: run python -m permissions.api_changes --update"
    )


def test_an_operation_that_no_check_calls_any_more_leaves_the_snapshot() -> None:
    found = compare("things", model(), [], KNOWN, {})
    assert (found.vanished, found.api, found.is_outdated) == ((), Api(), True)


def test_reviews_of_what_is_not_there_are_refused() -> None:
    found = changes(model(), {"Thing.Gone": JUDGED, "Unused.*": NO_BEARING, "Color.*": NO_BEARING})
    assert instructions([found]).splitlines() == [
        "permissions/api_reviews.yaml: delete Thing.Gone under things: no operation that is called has it any more",
        "permissions/api_reviews.yaml: delete Unused.* under things: no operation that is called has it any more",
    ]


def test_a_member_that_no_module_names_is_not_judged() -> None:
    reviews = {"Thing.Zyx": JUDGED, "Thing.Part": NO_BEARING, "Color.red": JUDGED, "Filter.Name": JUDGED}
    new = model(Thing=structure(Zyx="String", Part="Thing", Yxwv="String"))
    found = changes(new, {**reviews, "Thing.Yxwv": NO_BEARING})
    assert instructions([found]) == (
        "permissions/api_reviews.yaml: Thing.Zyx under things is said to be judged, but no check's module names it"
    )


def test_what_begins_alike_has_lines_of_its_own_once_it_takes_more_than_one() -> None:
    names = frozenset(f"c5d.{size}xlarge" for size in ("", *range(2, 20, 2))) | {"c5n.large", "c6.large", "c7.large"}
    assert api_snapshot.text(Api(frozenset({"List"}), {}, {"Type": names})).splitlines()[3:] == [
        "  Type: [",
        "    c5d.10xlarge, c5d.12xlarge, c5d.14xlarge, c5d.16xlarge, c5d.18xlarge, c5d.2xlarge, c5d.4xlarge, c5d.6xlarge,",
        "    c5d.8xlarge, c5d.xlarge,",
        "    c5n.large,",
        "    c6.large, c7.large,",
        "    ]",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('s: {A.b: {judged: ""}}', "s A.b needs either judged or of no bearing, with a reason"),
        ("s: {A.b: {judged: x, of no bearing: y}}", "s A.b needs either judged or of no bearing, with a reason"),
        ("s: {A.*: {judged: x}}", "s A.*: name each member or value that is judged, without *"),
        ("s: {A: {judged: x}}", "s A: write Shape.member, Shape.value or Shape.*"),
        ("s: {A.b: {ignored: x}}", "Object contains unknown field `ignored`"),
        ("s: [", "did not find expected node content"),
    ],
)
def test_what_is_wrong_with_a_review(text: str, problem: str, tmp_path: Path) -> None:
    file = tmp_path / "reviews.yaml"
    file.write_text(text)
    with pytest.raises(SnapshotError) as caught:
        api_reviews.load(file)
    assert str(caught.value).startswith(str(file))
    assert problem in str(caught.value)


def test_the_reviews_of_the_guide_can_be_written_so(tmp_path: Path) -> None:
    page = (api_snapshot.FOLDER.parent.parent / "docs" / "aws-changes.md").read_text()
    file = tmp_path / "reviews.yaml"
    file.write_text(page.split("```yaml\n")[1].split("```")[0])
    assert [bool(review.judged) for review in api_reviews.load(file)["ec2"].values()] == [False, True]


def test_a_snapshot_reads_back_whatever_the_names(tmp_path: Path) -> None:
    odd = frozenset({"on", "off", "null", "1.2", "2012-10-17", "*", "", "a, b", "AWS::S3::Bucket", "#", 'x"y', "é"})
    many = frozenset(f"m{size}.{kind}large" for size in range(40) for kind in ("", "x", "2x", "4x", "metal-"))
    apis = {"things": Api(frozenset({"ListThings"}), {"Thing": odd}, {"InstanceType": many})}
    assert api_snapshot.write(apis, tmp_path) == ["things.yaml"]
    assert api_snapshot.load(tmp_path) == apis
    text = (tmp_path / "things.yaml").read_text()
    assert max(map(len, text.splitlines())) <= api_snapshot.WIDTH
    assert api_snapshot.write(apis, tmp_path) == []
    more = {"things": Api(frozenset({"ListThings"}), {"Thing": odd}, {"InstanceType": many | {"m20.8xlarge"}})}
    api_snapshot.write(more, tmp_path)
    differing = set((tmp_path / "things.yaml").read_text().splitlines()) - set(text.splitlines())
    assert len(differing) == 1, "a new name must not move the others"
    assert api_snapshot.write({}, tmp_path) == ["things.yaml"]
    assert not list(tmp_path.iterdir())


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The options that make the command work on a copy of the committed file of SQS alone."""
    (tmp_path / "api").mkdir()
    shutil.copy(api_snapshot.FOLDER / "sqs.yaml", tmp_path / "api")
    (tmp_path / "reviews.yaml").touch()
    sqs = {"sqs": called_operations()["sqs"]}
    monkeypatch.setattr("permissions.api_changes.called_operations", lambda: sqs)
    return ["--snapshot", str(tmp_path / "api"), "--reviews", str(tmp_path / "reviews.yaml")]


def test_the_command_on_real_models(copied: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "api" / "sqs.yaml"
    whole = file.read_text()
    assert "QueueUrls" in whole
    file.write_text(whole.replace(", QueueUrls", ""))
    line = "sqs: new ListQueuesResult.QueueUrls (ListQueues), not reviewed"

    assert main(copied) == 0, "without an option it only tells"
    assert line in capsys.readouterr().out
    for option in ("--check", "--update"):
        assert main([*copied, option]) == 1
        assert '  ListQueuesResult.QueueUrls: {judged: ""}  # in ListQueues' in capsys.readouterr().err
        assert "QueueUrls" not in file.read_text()

    review = 'sqs:\n  ListQueuesResult.QueueUrls: {judged: "extra727: the queues"}\n'
    (tmp_path / "reviews.yaml").write_text(review)
    assert main([*copied, "--check"]) == 1, "the snapshot lacks it still"
    assert "permissions/api/ is out of date for sqs: run" in capsys.readouterr().err
    assert main([*copied, "--update"]) == 0
    assert "wrote 1 files: sqs.yaml" in capsys.readouterr().out
    assert file.read_text() == whole
    assert main([*copied, "--check"]) == 0


def test_a_broken_file_is_named_in_one_line(
    copied: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "api" / "sqs.yaml").write_text("operations: 3\n")
    assert main([*copied, "--check"]) == 4
    error = capsys.readouterr().err
    assert error == f"{tmp_path}/api/sqs.yaml: Expected `array`, got `int` - at `$.operations`\n"


def test_a_service_that_botocore_does_not_know_has_nothing() -> None:
    assert read(service_model("no-such-service"), ["ListThings"]) == Api()


def test_all_that_aws_has_in_the_calls_of_the_checks_is_reviewed() -> None:
    found = survey(called_operations(), api_snapshot.load(), api_reviews.load())
    left = instructions(found)
    assert not left, f"\n{left}"
