"""The whitelist: both forms of the file, every mistake with its line, what matches, and what the summary says."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.api.clock import utcnow
from fixtures.api.crew import Crew
from fixtures.model import Account, Resource
from plugins.catalog.checks import Check
from plugins.findings.finding import unpacked
from plugins.findings.row import Row
from plugins.findings.verdict import Verdict
from plugins.reporting.whitelist_notes import Reach, notes
from plugins.suite import ROOT
from plugins.whitelist.file import Entry, WhitelistError, load, parse, plain_texts
from plugins.whitelist.matching import FEW, EntryIndex, Matcher
from plugins.whitelist.usage import Usage
from selftests.conftest import ACCOUNT, Stub, StubBackend, access_denied
from selftests.plugins.outputs.test_formats import CHECK, finding

TODAY = date(2026, 3, 1)
FAIL = Verdict("FAIL", "it is public")


def entries(text: str, name: str = "w.yaml") -> list[Entry]:
    return parse(text.encode(), name)


# -- the file ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "checks", "resource", "reason"),
    [
        ("extra73:site", {"extra73"}, "site", "listed in w.txt"),
        ("  check104 : arn:aws:iam::1:user/x  ", {"check14"}, "arn:aws:iam::1:user/x", "listed in w.txt"),
        ("extra73:site # static  web site", {"extra73"}, "site", "static web site"),
        ("extra73:site#web", {"extra73"}, "site", "web"),
        ("extra73:a.b*", {"extra73"}, "a.b*", "listed in w.txt"),
        ("cislevel1:x", {"cislevel1"}, "x", "listed in w.txt"),
        ("cis-1-2:x", {"cis-1-2"}, "x", "listed in w.txt"),
        ("eks_cluster_not_publicly_accessible:x", {"extra795", "extra796"}, "x", "listed in w.txt"),
        ("ec2_securitygroup_allow_*_port_22:*", {"check41"}, None, "listed in w.txt"),
        ("extra79[56]:x", {"extra795", "extra796"}, "x", "listed in w.txt"),
        ("extra73:*", {"extra73"}, None, "listed in w.txt"),
        ("*:x", set(), "x", "listed in w.txt"),
        ("\ufeffextra73:Zürich\r", {"extra73"}, "Zürich", "listed in w.txt"),
    ],
)
def test_a_line_of_text(line: str, checks: set[str], resource: str | None, reason: str) -> None:
    [entry] = entries(line, "w.txt")
    assert entry.scope.checks == checks
    assert [pattern.text for pattern in entry.scope.resources] == ([] if resource is None else [resource])
    assert (entry.reason, entry.line) == (reason, 1)


def test_comments_and_empty_lines_count_as_lines() -> None:
    assert [entry.line for entry in entries("# a\n\n  # b\nextra73:x\n \nextra73:y#\n", "w.txt")] == [4, 6]
    assert entries("", "w.txt") == entries("# nothing\n", "w.yaml") == entries("[]", "w.yml") == []


def test_yaml_says_everything() -> None:
    text = """\
# head
- check: [check104, extra73, gdpr]
  account: 012345670123   # not an octal number
  region: [eu-west-1, us-east-1]
  resource: ["^a", b$]
  tags: {team: web, stage: [dev, 1.10]}
  not: {region: eu-west-1, check: gdpr}
  reason: >
    two
    lines
  owner: web team
  expires: 2027-01-31
- check: "*"
  account: "*"
  region: ["*"]
  not: [{resource: x}, {tags: {a: no}}]
  reason: all
"""
    first, second = entries(text)
    assert first.scope.checks == {"check14", "extra73", "gdpr"}
    assert first.scope.accounts == {"012345670123"}
    assert first.scope.regions == {"eu-west-1", "us-east-1"}
    assert first.scope.tags == (("team", frozenset({"web"})), ("stage", frozenset({"dev", "1.10"})))
    assert [one.regions for one in first.exceptions] == [{"eu-west-1"}]
    assert first.label == "two lines, owner web team, until 2027-01-31"
    assert (first.line, first.expires, first.position) == (2, date(2027, 1, 31), 0)
    assert (second.line, second.position, second.label) == (13, 1, "all")
    assert not (second.scope.checks or second.scope.accounts or second.scope.regions or second.scope.resources)
    assert second.exceptions[1].tags == (("a", frozenset({"no"})),)
    assert entries(text, "w.conf") == [first, second]  # told by its first entry


def test_patterns_in_yaml() -> None:
    [entry] = entries("- {check: ['check4?', gdpr], not: {check: 'ec2_*_port_3389'}, reason: r}")
    assert entry.scope.checks == {"check41", "check42", "check43", "check44", "gdpr"}
    assert [one.checks for one in entry.exceptions] == [{"check42"}]
    assert entry.title == "check4? gdpr"


def test_a_group_of_a_framework_accepts(checks: dict[str, Check]) -> None:
    [entry] = entries("cis-1-2:*", "w.txt")
    assert entry.scope.covers_check(checks["check11"])
    assert not entry.scope.covers_check(checks["extra73"])


HEAD = "# one\n- reason: r\n  check: extra73\n"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (HEAD + "  regoin: eu-west-1", 4, "unknown key 'regoin'; did you mean region"),
        (HEAD + "  not:\n    owner: me", 5, "unknown key 'owner' (known: check, account, region, resource, tags)"),
        (HEAD + "  not:\n  - region: eu-west-1\n  - expires: 2027-01-01", 6, "unknown key 'expires'"),
        (HEAD + "  reason: again", 4, "duplicate key 'reason'"),
        (HEAD + "  tags:\n    a: b\n    a: c", 6, "duplicate key 'a'"),
        (HEAD + "  not: {region: eu-west-1,\n   region: eu-west-1}", 5, "duplicate key 'region'"),
        (HEAD + "  resource: '['", 4, "resource: '[' is no regular expression (unterminated character set"),
        (HEAD + "  resource:\n  - a\n  - (b", 6, "resource: '(b' is no regular expression"),
        (HEAD + "  not:\n  - resource: a\n  - resource:\n    - a\n    - a**", 8, "resource: 'a**' is no regular expression"),
        (HEAD + "  resource: '*'", 4, "leave resource out for all"),
        (HEAD + "  resource: a{99999999999999999999}", 4, "is no regular expression"),
        (HEAD + "  resource:", 4, "resource is empty"),
        (HEAD + "  region: []", 4, "region is empty"),
        (HEAD + "  tags: {}", 4, "tags is empty"),
        (HEAD + "  not: {}", 4, "the exception is empty"),
        ("- check: extra73", 1, "the entry has no reason"),
        ("- check: extra73\n  reason: ' '", 2, "the reason is empty"),
        ("- reason: r", 1, "the entry has no check"),
        ("- check: extra73x\n  reason: r", 1, "unknown check or group 'extra73x'; did you mean extra73"),
        ("- reason: r\n  check:\n  - extra73\n  - cislevel9", 4, "unknown check or group 'cislevel9'; did you mean cislevel"),
        (HEAD + "  not: {check: 'nothing*'}", 4, "unknown check or group 'nothing*'"),
        (HEAD + "  not: {check: nothing}", 4, "unknown check or group 'nothing'"),
        (HEAD + "  region: eu-wset-1", 4, "unknown region 'eu-wset-1'; did you mean eu-west-1"),
        (HEAD + "  account: 12345678901", 4, "account: '12345678901' is not a 12-digit account ID"),
        (HEAD + "  account:\n  - '*'\n  - prod", 6, "account: 'prod' is not a 12-digit account ID"),
        (HEAD + "  expires: 31.1.2027", 4, "expires: '31.1.2027' is no date like 2027-01-31"),
        (HEAD + "  expires: 2027-02-30", 4, "expires: '2027-02-30' is no date"),
        (HEAD + "  expires:", 4, "expires: '' is no date"),
        (HEAD + "  expires: [2027-01-31]", 4, "is no date"),
        (HEAD + "  region: {a: b}", 4, "region: Expected a text or a list"),
        (HEAD + "  tags: team", 4, "tags: Expected a group of keys"),
        (HEAD + "  tags:\n    team:\n      a: b", 4, "tags: Expected"),
        (HEAD + "  owner: [a]", 4, "owner: Expected a text, got a list"),
        (HEAD + "- extra73", 4, "an entry is a list of keys and values"),
        ("check: extra73", 1, "a list of entries is expected"),
        ("extra73:x", 1, "a list of entries is expected"),
        (HEAD + "  - x", 4, "did not find expected"),
        (HEAD + "  ? [x]\n  : y", 4, "unhashable key"),
        (HEAD + "  a: &b [*b]", 4, "recursive"),
        (HEAD + "---\n- x", 4, "found another document"),
        (HEAD + "  owner: \x07", 4, "control character"),
        ("- " * 100_000, 1, "too many brackets"),
        ("[" * 100_000, 1, "too many brackets"),
    ],
)  # fmt: skip
def test_mistakes_in_yaml(text: str, line: int, message: str) -> None:
    with pytest.raises(WhitelistError) as raised:
        entries(text)
    assert str(raised.value).startswith(f"line {line}: ")
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("extra73", "'extra73' is not of the form checkid:resource"),
        ("extra73: # all?", "'extra73:' is not of the form checkid:resource"),
        (":x", "':x' is not of the form checkid:resource"),
        ("extra7x:x", "unknown check or group 'extra7x'; did you mean extra7"),
        ("\x1b[2J:x", r"unknown check or group '\x1b[2J'"),
    ],
)
def test_mistakes_in_text(text: str, message: str) -> None:
    with pytest.raises(WhitelistError) as raised:
        entries(f"# head\nextra73:x\n{text}\n", "w")
    assert str(raised.value).startswith(f"line 3: {message}")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    file = tmp_path / "w.txt"
    file.write_bytes(b"extra73:x\nextra73:\xff\n")
    with pytest.raises(pytest.UsageError, match=re.escape(f"--whitelist: {file}, line 2: the file is not UTF-8")):
        load(file, [])
    for path, reason in ((tmp_path / "none", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(pytest.UsageError, match=f"--whitelist: {path} cannot be read: {reason}"):
            load(path, [])
    file.write_text("own1:x\n")
    assert load(file, ["own1"])[0].scope.checks == {"own1"}
    assert load(None, []) == []


KEYS = st.sampled_from(
    ["check", "account", "region", "resource", "tags", "not", "reason", "owner", "expires", "x", "<<"]
)
VALUES = st.recursive(
    st.one_of(
        st.sampled_from(
            ["extra73", "'*'", "eu-west-1", "2027-01-31", "[", "&a", "*a", "!!int 3", "|", "~", "'", "# c"]
        ),
        st.text(max_size=6),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda them: f"[{', '.join(them)}]"),
        st.lists(st.tuples(KEYS, inner), max_size=3).map(
            lambda them: "{" + ", ".join(f"{k}: {v}" for k, v in them) + "}"
        ),
    ),
    max_leaves=5,
)
FILES = st.one_of(
    st.binary(max_size=60),
    st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.lists(st.lists(st.tuples(KEYS, VALUES), max_size=5), max_size=3).map(
        lambda them: "\n".join("- " + "\n  ".join(f"{key}: {value}" for key, value in one) for one in them).encode(
            "utf-8", "surrogatepass"
        )
    ),
)


@settings(max_examples=500, deadline=None)
@given(FILES, st.sampled_from(["w.yaml", "w.txt"]))
def test_any_file_is_read_or_refused_with_a_line(content: bytes, name: str) -> None:
    try:
        assert all(entry.reason for entry in parse(content, name))
        refusal = "line 1: none"
    except WhitelistError as error:
        refusal = str(error)
    assert re.match(r"line [1-9]\d*: .", refusal)
    assert refusal.isprintable()


# -- matching ---------------------------------------------------------------------------------------------------------


class Thing(Resource):
    """A resource whose listing gives no tags."""

    scope = "region"
    resource_type = "Other"


def row(id: str = "site-1", arn: str = "", region: str = "eu-west-1", account: str = ACCOUNT,
        kind: type[Resource] = Thing, answers: dict[str, Stub] | None = None) -> Row:  # fmt: skip
    audited = Account(account, backend=StubBackend(answers or {}, None), crew=Crew(1), now=utcnow(), regions=[region])
    resource = kind(audited.in_region(region), id, region=region, arn=arn or f"arn:aws:s3:::{id}")
    return Row(audited, region, id, resource)


def verdict(text: str, where: Row, check: Check = CHECK, given: Verdict = FAIL, today: date = TODAY) -> Verdict:
    return Matcher(entries(text, "w.yaml" if text.startswith("-") else "w.txt"), today).judge(given, check, where)


ONE = "- reason: r\n  check: extra73\n"


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        ("extra73:site", True),
        ("extra73:ite-1", True),
        ("extra73:aws:s3", True),
        ("extra73:site-2", False),
        ("extra73:s.te", False),
        ("extra73:SITE", False),
        ("extra73:*", True),
        ("*:site", True),
        ("*:*", True),
        ("extras:site", True),
        ("cislevel1:site", False),
        ("check11:site", False),
        ("check11:site\nextra73:1", True),
        (ONE, True),
        (ONE + "  account: [111111111111, '123456789012']", True),
        (ONE + "  account: 111111111111", False),
        (ONE + "  region: eu-west-1", True),
        (ONE + "  region: [us-east-1, us-east-2]", False),
        (ONE + "  region: [us-east-1, '*']", True),
        (ONE + "  resource: ^site", True),
        (ONE + "  resource: ^arn:.*:site-\\d$", True),
        (ONE + "  resource: ite$", False),
        (ONE + "  resource: [x, y, e-1]", True),
        (ONE + "  resource: (?i)SITE", True),
        (ONE + "  resource: site|x\n  region: us-east-1", False),
        (ONE + "  not: {region: eu-west-1}", False),
        (ONE + "  not: {region: eu-west-1, resource: x}", True),
        (ONE + "  not: {account: '*', check: extras}", False),
        (ONE + "  not: {check: check11}", True),
        (ONE + "  not: [{resource: x}, {resource: site}]", False),
        (ONE + "  not: {resource: site}\n" + ONE, True),
        (ONE + "  expires: 2026-03-01", True),
        (ONE + "  expires: 2026-02-28", False),
    ],
)
def test_what_is_accepted(text: str, accepted: bool) -> None:
    found = verdict(text, row())
    assert found.status == ("WARNING" if accepted else "FAIL")
    assert bool(found.entries) == accepted
    if not accepted:
        assert found == FAIL


def test_the_first_entry_gives_the_reason_and_all_are_noted() -> None:
    text = "- {check: check11, reason: a}\n- {check: extras, reason: b, owner: o}\n- {check: '*', reason: c}"
    assert verdict(text, row()) == Verdict(
        "WARNING", "it is public (accepted: b, owner o)", accepted="b, owner o", entries=(1, 2)
    )
    assert verdict(text, row(), given=Verdict("PASS", "fine")) == Verdict("PASS", "fine", entries=(1, 2))
    for status in ("ERROR", "INFO", "WARNING"):
        one = Verdict(status, "x", "crash")
        assert verdict(text, row(), given=one) is one
    assert verdict(text, row(), replace(CHECK, kind="requirement")) is FAIL


class Tagged(Thing):
    """A resource whose listing gives its tags."""

    tags = {"team": "web", "stage": "dev"}


TAGGING = "resourcegroupstaggingapi:GetResources"
LISTED: dict[str, Stub] = {
    TAGGING: {"ResourceTagMappingList": [{"ResourceARN": "arn:aws:s3:::site-1", "Tags": [{"Key": "team", "Value": "web"}]}]}
}  # fmt: skip


def test_tags_of_the_listing() -> None:
    for tags, accepted in (("{team: web}", True), ("{team: web, stage: [dev, test]}", True), ("{team: web, stage: prod}", False),
                           ("{team: we}", False), ("{owner: web}", False)):  # fmt: skip
        assert bool(verdict(ONE + f"  tags: {tags}", row(kind=Tagged)).accepted) == accepted, tags


def test_tags_are_asked_for_only_where_they_decide() -> None:
    def calls(where: Row) -> list[Any]:
        return where.account.calls.backend.calls  # type: ignore[attr-defined,no-any-return]

    where = row(answers=LISTED)
    assert verdict(ONE + "  tags: {team: web}\n  resource: other", where) is FAIL
    assert calls(where) == []
    assert verdict(ONE + "  tags: {team: web}", where).accepted == "r"
    assert calls(where) == [
        (
            "eu-west-1",
            "resourcegroupstaggingapi",
            "GetResources",
            {"ResourceTypeFilters": ["s3"], "ResourcesPerPage": 100},
        )
    ]
    assert verdict(ONE + "  tags: {team: ops}", where) is FAIL
    assert verdict(ONE + "  not: {tags: {team: web}}", where) is FAIL
    assert len(calls(where)) == 1
    assert verdict(ONE + "  tags: {team: web}", row(arn="site-1")) is FAIL


def test_tags_of_iam_come_from_its_details() -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:user/ann"
    details = {
        "UserDetailList": [{"Arn": arn, "Tags": [{"Key": "team", "Value": "web"}]}],
        "RoleDetailList": [],
        "Policies": [],
    }
    where = row("ann", arn, answers={"iam:GetAccountAuthorizationDetails": details})
    assert verdict(ONE + "  tags: {team: web}", where).accepted == "r"


def test_tags_that_cannot_be_read_accept_nothing() -> None:
    denied: dict[str, Stub] = {TAGGING: access_denied("resourcegroupstaggingapi", "GetResources")}
    found = verdict(ONE + "  tags: {team: web}", row(answers=denied))
    assert found.status == "FAIL"
    assert (
        "it is public (whether the whitelist accepts it is not known, its tags cannot be read: access denied"
        in found.message
    )
    assert "tag:GetResources is needed" in found.message
    assert verdict(ONE + "  not: {tags: {team: web}}", row(answers=denied)).status == "FAIL"
    assert verdict(ONE + "  tags: {team: web}\n" + ONE, row(answers=denied)).accepted == "r"


# -- cost -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pattern", ["^site-{:04}$", "(web|site)-{:04}$", "arn:aws:s3:::(?:x|site)-{:04}", "[a-z]+-{:04}(x|$)"]
)
def test_of_a_thousand_entries_only_those_that_can_match_are_tried(pattern: str) -> None:
    text = "".join(f"- {{check: extra73, reason: r, resource: '{pattern.format(number)}'}}\n" for number in range(1000))
    drawer = EntryIndex(entries(text))
    for number in range(0, 1000, 37):
        names = f"site-{number:04}\narn:aws:s3:::site-{number:04}"
        assert [entry.position for entry in drawer.possible(names)] == [number]


PATTERNS = st.one_of(
    st.sampled_from(
        [r"^public-site-.*", r"a\.b+c?d", r"x{2}y*z", r"[a\]b]cd(e|f)g", r"\x41bc", r"(?i)abc", r"(?:ab|cd)ef", r"a\(?:b",
         r"ab|cd", r"(a(b)c)d\\e", r"a+?bc", r"a{b", r"\bsite\b", r"[^]a]bc", r"ab{0}c", r"(ab)?cd", r".*prod-db$", "a\\\nb"]
    ),
    st.text(st.sampled_from(r"ab1-.^$*+?{}[]()|\d:" + "\0"), max_size=8),
)  # fmt: skip


@pytest.mark.filterwarnings("ignore::FutureWarning")
@settings(max_examples=500, deadline=None)
@given(PATTERNS, st.data())
def test_what_a_pattern_finds_contains_its_literal(pattern: str, data: st.DataObject) -> None:
    try:
        with warnings.catch_warnings(action="ignore"):
            compiled = re.compile(pattern)
    except (re.error, OverflowError):
        return
    text = data.draw(st.one_of(st.from_regex(compiled), st.text("ab1-")))
    assert not compiled.search(text) or all(plain in text for plain in plain_texts(pattern))


@pytest.mark.parametrize(
    ("pattern", "texts"),
    [("^public-site-.*", ["public-site-"]), (".*-prod-db$", ["-prod-db"]), ("web[12](a|b)-blue", ["web", "-blue"]),
     ("sites?", ["site"]), ("(?:web|api)-blue", ["-blue"]), ("a|b", []), ("(?i)abc", [])],
)  # fmt: skip
def test_plain_texts(pattern: str, texts: list[str]) -> None:
    assert plain_texts(pattern) == texts


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.text("ab:-", min_size=1, max_size=8), min_size=FEW + 1, max_size=FEW + 20),
    st.text("ab:-", min_size=1, max_size=16),
)
def test_looking_up_finds_what_trying_each_would_find(texts: list[str], id: str) -> None:
    listed = entries("\n".join(f"extra73:{text}" for text in texts), "w.txt")
    where = row(id, arn=f"b:{id}")
    found = Matcher(listed, TODAY).judge(FAIL, CHECK, where).entries
    assert list(found) == [number for number, text in enumerate(texts) if text in id or text in f"b:{id}"]


# -- the summary ------------------------------------------------------------------------------------------------------


def test_findings_carry_the_entries() -> None:
    one = replace(finding("x", "WARNING"), accepted="r", entries=(1, 2))
    assert unpacked(CHECK, one.packed()) == one
    usage = Usage()
    for other in (one, replace(one, status="PASS"), finding("y")):
        usage.add(other)
    assert dict(usage.accepted) == dict(usage.passed) == {1: 1, 2: 1}


def summary(
    listed: list[Entry], usage: Usage, errors: set[str] | None = None, most: int = 25, partial: str = ""
) -> Iterator[str]:
    account = row().account
    looked = Reach([CHECK], [account], lambda _, check: check in (errors or ()), partial)
    return iter(notes("w.yaml", listed, usage, TODAY, looked, most))


def test_the_summary_lists_entries_by_what_is_wrong_with_them() -> None:
    def expiring(days: int) -> str:
        return f"  expires: {TODAY + timedelta(days=days)}\n"

    listed = entries(
        ONE + "  owner: me\n"  # 1: accepts
        + ONE + expiring(-1)  # 4: expired
        + ONE + expiring(0)  # 7: soon
        + ONE + expiring(30)  # 10: soon
        + ONE + expiring(31)  # 13: unused
        + ONE  # 16: passes
        + ONE + "  resource: '\\x1b\\[2J'\n"  # 18: unused
        + "- {check: check11, reason: r}\n"  # 21: not judged
        + ONE + "  region: us-east-2\n"  # 22
        + ONE + "  account: 111111111111\n"  # 25
        + "- {check: [extras, extra73], reason: r}\n"  # 28: unused
    )  # fmt: skip
    usage = Usage()
    usage.accepted.update([0, 2, 3])
    usage.passed.update([0, 5])
    assert "\n".join(summary(listed, usage)) == (
        "whitelist w.yaml: 3 of 11 entries accept failures\n"
        "  expired, they no longer count\n"
        "    w.yaml:4  extra73, r, expired 2026-02-28\n"
        "  expire within 30 days\n"
        "    w.yaml:7  extra73, r, until 2026-03-01\n"
        "    w.yaml:10  extra73, r, until 2026-03-31\n"
        "  no longer needed, what they accept passes\n"
        "    w.yaml:16  extra73, r\n"
        "  unused, they matched nothing\n"
        "    w.yaml:13  extra73, r\n"
        "    w.yaml:18  extra73 \\x1b\\[2J, r\n"
        "    w.yaml:28  extras extra73, r\n"
        "  not judged, this run did not look at all that they are about\n"
        "    w.yaml:21  check11, r\n"
        "    w.yaml:22  extra73, r\n"
        "    w.yaml:25  extra73, r"
    )


def test_the_summary_of_runs_that_did_not_see_all() -> None:
    listed = entries(ONE * 3)
    assert "  not judged, this run did not look at all that they are about" in summary(
        listed, Usage(), errors={"extra73"}
    )
    assert list(summary(listed, Usage(), most=1, partial="-x"))[1:] == [
        "  unused, they matched nothing (-x)", "    w.yaml:1  extra73, r", "    and 2 more, -v lists all",
    ]  # fmt: skip


# -- examples ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["whitelist.yaml", "whitelist.txt"])
def test_the_examples_load(name: str) -> None:
    listed = load(ROOT / "examples" / name, [])
    assert len(listed) >= 3
    assert all(not entry.reason.startswith("listed in") for entry in listed)


def test_the_documentation_shows_what_the_summary_says() -> None:
    listed = load(ROOT / "examples" / "whitelist.yaml", [])
    usage = Usage()
    usage.accepted.update([1])
    looked = Reach([], [], lambda *_: False)
    shown = notes("examples/whitelist.yaml", listed, usage, date(2027, 1, 2), looked, 25)[:3]
    assert "\n".join(shown) in (ROOT / "docs" / "whitelist.md").read_text()
