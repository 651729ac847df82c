"""fixtures.filter_pattern: the grammar of metric filter patterns and what a pattern covers."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.filter_pattern import (
    And,
    Case,
    Condition,
    Node,
    Or,
    Regex,
    Text,
    covers,
    events,
    matches,
    narrowing,
    parse,
    stands_alone,
)
from selftests.steps import verify_linear

TRAIL = events("cloudtrail.amazonaws.com", "CreateTrail UpdateTrail DeleteTrail StartLogging StopLogging")
VPC = events("ec2.amazonaws.com", "CreateVpc DeleteVpc CreateVpcPeeringConnection")
S3 = events(
    "s3.amazonaws.com",
    "PutBucketAcl PutBucketPolicy PutBucketCors PutBucketLifecycle PutBucketReplication"
    " DeleteBucketPolicy DeleteBucketCors DeleteBucketLifecycle DeleteBucketReplication",
)
FAILED_LOGIN = (
    Case(
        "failed login",
        {"eventName": "ConsoleLogin", "eventSource": "signin.amazonaws.com", "errorMessage": "Failed authentication"},
    ),
)
ROOT = (Case("root", {"userIdentity.type": "Root", "eventType": "AwsApiCall"}, absent=("userIdentity.invokedBy",)),)
EXCLUDED = "$.sourceIPAddress != delivery.logs.amazonaws.com"
DENIED = (Case("denied", {"errorCode": "AccessDenied"}, tolerated=(EXCLUDED, "$.eventName != HeadBucket")),)


def missing(pattern: str, cases: tuple[Case, ...]) -> list[str]:
    return [case.name for case in cases if not covers(parse(pattern), case)]


def names(cases: tuple[Case, ...]) -> list[str]:
    return [case.name for case in cases]


@pytest.mark.parametrize(
    ("pattern", "cases", "not_covered"),
    [
        # any order, quoted or not, line breaks, no blanks
        ('{($.eventName=CreateTrail)||($.eventName="UpdateTrail")||($.eventName = DeleteTrail) ||\n ($.eventName = "StopLogging")\n||($.eventName\t=\tStartLogging)}', TRAIL, []),
        ('{ $.eventName = "StopLogging" || $.eventName = StartLogging || $.eventName = DeleteTrail || $.eventName = UpdateTrail || $.eventName = CreateTrail }', TRAIL, []),
        ("{ ((($.eventName = *Trail))) || (($.eventName = St*Logging)) }", TRAIL, []),
        # a longer name does not stand for a shorter one
        ("{ ($.eventName = CreateVpcPeeringConnection) || ($.eventName = DeleteVpc) }", VPC, ["CreateVpc"]),
        # a further condition narrows
        ("{ ($.eventName = StopLogging) && ($.errorCode NOT EXISTS) }", TRAIL[4:], ["StopLogging"]),
        ('{ ($.eventName = StopLogging) && $.userIdentity.userName != "deploy-bot" }', TRAIL[4:], ["StopLogging"]),
        ("{ ($.eventName = StopLogging) && ($.errorCode IS NULL) }", TRAIL[4:], ["StopLogging"]),
        # && binds tighter than ||
        ("{ ($.eventSource = s3.amazonaws.com) && ($.eventName = PutBucketAcl) || ($.eventName = DeleteBucketCors) }", S3, [n for n in names(S3) if n not in ("PutBucketAcl", "DeleteBucketCors")]),
        ("{ $.eventName = StopLogging || $.eventName = StartLogging && $.userIdentity.userName = me }", TRAIL[3:], ["StartLogging"]),
        ("{ ($.eventName = StopLogging || $.eventName = StartLogging) && $.userIdentity.userName = me }", TRAIL[3:], ["StartLogging", "StopLogging"]),
        # wildcards, event source
        ("{ ($.eventSource = s3.amazonaws.com) && (($.eventName = PutBucket*) || ($.eventName = DeleteBucket*)) }", S3, []),
        ("{ ($.eventSource = ec2.amazonaws.com) && ($.eventName = DeleteTrail) }", TRAIL[2:3], ["DeleteTrail"]),
        ("{ ($.eventSource = cloudtrail.amazonaws.com) && ($.eventName = DeleteTrail) }", TRAIL[2:3], []),
        ("{ $.eventSource = *.amazonaws.com }", TRAIL, []),
        ("{ $.eventName = * }", TRAIL, []),
        ("{ $.eventName EXISTS }", TRAIL, []),
        ("{ $.eventName exists && $.eventName Not  Exists }", TRAIL[:1], ["CreateTrail"]),
        # quoted or bare, blanks inside
        ("{ ($.eventName = ConsoleLogin) && ($.errorMessage = Failed authentication) }", FAILED_LOGIN, []),
        ('{ ($.errorMessage = "Failed authentication") && ($.eventName = "ConsoleLogin") }', FAILED_LOGIN, []),
        ("{ $.errorMessage = Failed  authentication }", FAILED_LOGIN, ["failed login"]),
        # != with a fact
        ('{ $.eventName != "DescribeInstances" }', (*TRAIL, *VPC, *S3), []),
        ("{ $.eventName != *Trail }", TRAIL, ["CreateTrail", "UpdateTrail", "DeleteTrail"]),
        # selectors, values are case-sensitive
        ("{ $.eventname = StopLogging }", TRAIL[4:], ["StopLogging"]),
        ("{ $.eventName = stoplogging }", TRAIL[4:], ["StopLogging"]),
        # absent fields
        ('{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType != "AwsServiceEvent" }', ROOT, []),
        ("{ $.userIdentity.type = Root && $.userIdentity.invokedBy EXISTS }", ROOT, ["root"]),
        ("{ $.userIdentity.type = Root && $.eventType = AwsConsoleSignIn }", ROOT, ["root"]),
        # tolerated conditions, however they are written
        (f'{{ $.errorCode = "AccessDenied*" && {EXCLUDED} && $.eventName!="HeadBucket" }}', DENIED, []),
        ("{ $.errorCode = AccessDenied* && $.eventName = HeadBucket }", DENIED, ["denied"]),
        ("{ $.errorCode = AccessDenied* && $.eventName != GetBucketAcl }", DENIED, ["denied"]),
        ("{ $.eventName != HeadBucket }", DENIED, []),
        # regular expressions are searched for
        ("{ $.eventName = %Trail|Logging% }", TRAIL, []),
        ("{ $.eventName = %^St[a-z]{2,3}Log% }", TRAIL[3:], []),
        ("{ $.eventName = %^Trail% }", TRAIL[:1], ["CreateTrail"]),
        ("{ $.eventName != %^Describe% }", TRAIL, []),
        ("{ $.eventName != %Trail$% }", TRAIL[:1], ["CreateTrail"]),
        ("{ $.eventName = %(Create|Delete)Trail% }", TRAIL[:1], ["CreateTrail"]),
        ("{ $.eventName != %(Describe)% }", TRAIL[:1], ["CreateTrail"]),
        # comparisons of numbers
        ("{ $.eventName >= A }", TRAIL[:1], ["CreateTrail"]),
        ("{ $.eventName IS NOT NULL }", TRAIL[:1], ["CreateTrail"]),
        # no JSON pattern, or a mistake in it
        ("?StopLogging ?DeleteTrail", TRAIL, names(TRAIL)),
        ("CreateTrail", TRAIL[:1], ["CreateTrail"]),
        ("[w1, w2]", TRAIL, names(TRAIL)),
        ("{ ($.eventName = StopLogging }", TRAIL[4:], ["StopLogging"]),
    ],
)  # fmt: skip
def test_patterns(pattern: str, cases: tuple[Case, ...], not_covered: list[str]) -> None:
    assert missing(pattern, cases) == not_covered


@pytest.mark.parametrize(
    ("pattern", "tree"),
    [
        ("{$.a=b}", Condition("a", "=", Text(("b",)))),
        (" \n{ ( ( $.a = b ) ) }\n", Condition("a", "=", Text(("b",)))),
        ('{$.a="b"}', Condition("a", "=", Text(("b",)))),
        (r'{$.a="b\"c\\\* *"}', Condition("a", "=", Text(('b"c\\* ', "")))),
        ("{$.a != b c & d | e && $.f=g}", And((Condition("a", "!=", Text(("b c & d | e",))), Condition("f", "=", Text(("g",)))))),
        ("{$.a=b && $.c=d || $.e=f}", Or((And((Condition("a", "=", Text(("b",))), Condition("c", "=", Text(("d",))))), Condition("e", "=", Text(("f",)))))),
        ("{$.a=b && ($.c=d || $.e=f)}", And((Condition("a", "=", Text(("b",))), Or((Condition("c", "=", Text(("d",))), Condition("e", "=", Text(("f",)))))))),
        ("{$.a[0].b-c <= 1}", Condition("a[0].b-c", "<=", Text(("1",)))),
        ("{$.a is not\tnull}", Condition("a", "IS NOT NULL")),
        ("{$.a IS TRUE}", Condition("a", "IS TRUE")),
        ("{$.a not exists}", Condition("a", "NOT EXISTS")),
        (r"{$.a=%x\%|y%}", Condition("a", "=", Regex(r"x\%|y"))),
        *((wrong, None) for wrong in (
            "", " ", "{}", "{ }", "{$.a}", "{$.a = }", "{$.a = b", "$.a = b", "{$.a = b} c", "{$.a = b}}", "{a = b}", "{$.a = 'b' && }",
            '{$.a = "b}', '{$.a = "b" c}', "{$.a = %b}", "{$.a NOTEXISTS}", "{$.a IS}", "{$.a IS NULLABLE}", "{$.a EXISTSNOT}", "{&& $.a = b}", "{$.a = b || || $.c = d}",
            "{($.a = b)($.c = d)}", "{()}", "{! $.a = b}", '{ "CreateTrail" }', "{ CreateTrail }",
        )),
    ],
)  # fmt: skip
def test_trees(pattern: str, tree: Node | None) -> None:
    assert parse(pattern) == tree


def test_conditions_read_like_the_pattern() -> None:
    texts = ["$.a != b*c", "$.a = %x|y%", "$.a NOT EXISTS"]
    assert [str(parse(f"{{ {text} }}")) for text in texts] == texts


def test_why_a_case_is_missed() -> None:
    stop = TRAIL[4]

    def why(pattern: str, case: Case = stop) -> list[str]:
        node = parse(pattern)
        assert node is not None
        return list(map(str, narrowing(node, case)))

    assert why("{ ($.eventName = StopLogging) && ($.errorCode NOT EXISTS) && $.userAgent != x }") == [
        "$.errorCode NOT EXISTS",
        "$.userAgent != x",
    ]
    assert why("{ ($.eventName = Other) && ($.errorCode NOT EXISTS) }") == []
    assert why("{ $.eventName = StopLogging && $.eventSource = wrong }") == []
    assert why(f"{{ $.errorCode = AccessDenied && {EXCLUDED} && $.eventName != HeadBucket }}", DENIED[0]) == []


@pytest.mark.parametrize(
    ("pattern", "alone"),
    [
        ('{ ($.errorCode = "AccessDenied*") || ($.sourceIPAddress!="x") || ($.eventName!="HeadBucket") }', ["$.sourceIPAddress != x", "$.eventName != HeadBucket"]),
        ("{ $.a = b || ($.c = d || $.e != f) }", ["$.e != f"]),
        ("{ $.a = b && ($.c = d || $.e != f) }", []),
        ("{ $.a = b && $.c != d }", []),
        ("{ $.a != b }", ["$.a != b"]),
    ],
)  # fmt: skip
def test_a_condition_that_lets_everything_through(pattern: str, alone: list[str]) -> None:
    node = parse(pattern)
    assert node is not None
    assert list(map(str, stands_alone(node))) == alone


# what a hostile pattern may look like: far beyond AWS's 1,024 characters
N = 5000
HOSTILE: dict[str, Callable[[int], str]] = {
    "brackets": lambda n: "{" + "(" * n + "$.a=b" + ")" * n + "}",
    "unclosed brackets": lambda n: "{" + "(" * n + "$.a=b}",
    "only brackets": lambda n: "(" * n,
    "many terms": lambda n: "{" + "||".join(["$.a=b"] * n) + "}",
    "deep alternation": lambda n: "{" + "($.x=y||($.a=b&&" * n + "$.a=b" + "))" * n + "}",
    "deep to the left": lambda n: "{" + "(" * n + "$.a=b" + "&&$.a=b)||$.x=y" * n + "}",
    "open string": lambda n: '{$.a="' + "\\" * (2 * n) + "}",
    "open string of quotes": lambda n: '{$.a="' + '\\"' * n + "}",
    "blanks": lambda n: "{$.a=" + " " * n + "}",
    "blanks in a value": lambda n: "{$.a=b" + " " * n + "|" + " " * n + "}",
    "ampersands": lambda n: "{$.a=" + "& " * n + "}",
    "long selector": lambda n: "{$." + "a" * n + "=b}",
    "wildcards": lambda n: "{$.a=" + "*b" * n + "*c}",
    "regex of stars": lambda n: "{$.a=%" + ".*" * n + "c%}",
    "regex of optional letters": lambda n: "{$.a=%" + "b?" * n + "b" * 40 + "c%}",
    "regex of counts": lambda n: "{$.a=%" + "b{0,9999}" * n + "c%}",
    "regex of bars": lambda n: "{$.a=%" + "|b" * n + "%}",
    "null": lambda n: "\0" * n,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_patterns(kind: str) -> None:
    assert sys.getrecursionlimit() < N
    case = Case("case", {"a": "b" * 40})

    def judge(length: int) -> None:
        node = parse(HOSTILE[kind](length))
        covers(node, case)
        if node is not None:
            narrowing(node, case)
            stands_alone(node)

    verify_linear(judge, N // 4)


def test_deep_patterns_are_understood() -> None:
    case = Case("case", {"a": "b", "x": "z"})
    assert all(covers(parse(HOSTILE[kind](N)), case) for kind in ("brackets", "many terms", "deep to the left"))
    assert covers(parse(HOSTILE["deep alternation"](N)), case)
    assert not covers(parse(HOSTILE["deep alternation"](N)), Case("case", {"a": "c", "x": "z"}))


@given(st.text(alphabet="{}()$.ab=!<>&|\"\\%* \nISNOTEXULRFnotexis'[]^-+?,09"))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    covers(parse(text), TRAIL[0])
    covers(parse(f"{{ $.eventName = {text} }}"), TRAIL[0])
    covers(parse(f"{{ $.eventName = %{text}% }}"), TRAIL[0])


WORDS = st.sampled_from(["Create", "CreateVpc", "Create*", "*Vpc", "a b", "x&y"])
CONDITIONS = st.one_of(
    st.builds(
        lambda field, operator, word: Condition(field, operator, Text(tuple(word.split("*")))),
        st.sampled_from(["eventName", "eventSource", "other"]),
        st.sampled_from(["=", "!=", "<"]),
        WORDS,
    ),
    st.builds(
        Condition, st.sampled_from(["eventName", "gone", "other"]), st.sampled_from(["EXISTS", "NOT EXISTS", "IS NULL"])
    ),
)
TREES: st.SearchStrategy[Node] = st.recursive(
    CONDITIONS,
    lambda inner: (
        st.builds(Or, st.lists(inner, min_size=2, max_size=4).map(tuple))
        | st.builds(And, st.lists(inner, min_size=2, max_size=4).map(tuple))
    ),
)
BLANKS = st.sampled_from(["", " ", "\n", " \t "])


@st.composite
def written(draw: st.DrawFn, node: Node) -> str:
    """The tree as somebody may write it: blanks, quotes, case of keywords and redundant brackets at will."""
    if isinstance(node, Condition):
        if node.value is None:
            words = "  ".join(node.operator.split())
            text = f"$.{node.selector} {draw(st.sampled_from([words, words.lower()]))}"
        else:
            value = draw(st.sampled_from([str(node.value), f'"{node.value}"']))
            text = f"$.{node.selector}{draw(BLANKS)}{node.operator}{draw(BLANKS)}{value}"
    else:
        sign = "||" if isinstance(node, Or) else "&&"
        parts = []
        for child in node.children:
            part = draw(written(child))
            # what binds as loosely or looser needs brackets to stay one child
            loose = isinstance(child, Or) or (isinstance(child, And) and isinstance(node, And))
            parts.append(f"({part})" if loose else part)
        text = f"{draw(BLANKS)}{sign}{draw(BLANKS)}".join(parts)
    if draw(st.booleans()):
        text = f"({draw(BLANKS)}{text}{draw(BLANKS)})"
    return text


def holds(node: Node, case: Case) -> bool:
    """``covers`` written down a second time, by recursion."""
    if isinstance(node, Or):
        return any(holds(child, case) for child in node.children)
    if isinstance(node, And):
        return all(holds(child, case) for child in node.children)
    if node.operator == "NOT EXISTS":
        return node.selector in case.absent
    if node.selector not in case.facts or node.operator not in ("=", "!=", "EXISTS"):
        return False
    if node.operator == "EXISTS":
        return True
    assert isinstance(node.value, Text)
    same = re.fullmatch(".*".join(map(re.escape, node.value.pieces)), case.facts[node.selector], re.DOTALL) is not None
    return same == (node.operator == "=")


@given(st.data(), TREES)
def test_every_way_to_write_a_tree_means_the_same(data: st.DataObject, tree: Node) -> None:
    pattern = "{" + data.draw(BLANKS) + data.draw(written(tree)) + data.draw(BLANKS) + "}"
    node = parse(pattern)
    assert node == tree, pattern
    for name in ("Create", "CreateVpc", "DeleteVpc"):
        case = Case(name, {"eventName": name, "eventSource": "x&y"}, absent=("gone",))
        assert covers(node, case) == holds(tree, case)


@given(st.lists(st.text("ab"), min_size=1, max_size=5), st.text("ab"))
def test_wildcards(pieces: list[str], fact: str) -> None:
    expected = re.fullmatch(".*".join(pieces), fact) is not None
    assert matches(Text(tuple(pieces)), fact) is expected


@pytest.mark.parametrize(
    ("pieces", "fact", "expected"),
    [
        (("", "a", "a"), "a", False),  # no character counts twice
        (("a", "a"), "a", False),
        (("ab", "b", ""), "ab", False),
        (("a", "b", "a"), "aba", True),
        (("", ""), "", True),
    ],
)
def test_overlapping_pieces(pieces: tuple[str, ...], fact: str, expected: bool) -> None:
    assert matches(Text(pieces), fact) is expected


def test_anchors_inside_a_regular_expression() -> None:
    assert matches(Regex("a^b"), "ba") is False
    assert matches(Regex("a$b"), "ab") is False
    assert matches(Regex("a*^b$|x"), "b") is True


ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", "[a-b]", r"\w", r"\.", r"\x61", r"\d", "c"])
REPEATS = st.sampled_from(["", "", "*", "+", "?", "{2}", "{1,}", "{0,2}", "{,"])
SEQUENCES = st.lists(st.tuples(ATOMS, REPEATS).map("".join), max_size=4).map("".join)


@given(
    st.lists(
        st.tuples(st.sampled_from(["", "^"]), SEQUENCES, st.sampled_from(["", "$"])).map("".join),
        min_size=1,
        max_size=3,
    ),
    st.text("abc."),
)
def test_regular_expressions(alternatives: list[str], fact: str) -> None:
    expression = "|".join(alternatives)
    expected = None if "{," in expression else re.search(expression, fact) is not None
    assert matches(Regex(expression), fact) is expected


@pytest.mark.parametrize(
    "expression", ["(a)", "a{", "a**", "[", "[]", "[z-a]", r"\q", r"\b", "a!", "a{99999}", "ä", "\\", "[a--b]"]
)
def test_regular_expressions_that_aws_refuses(expression: str) -> None:
    assert matches(Regex(expression), "a") is None
