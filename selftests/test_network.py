"""What the inbound rules of a security group open to the internet: tables of rules and verdicts."""

from __future__ import annotations

import ipaddress
import random
from datetime import UTC, datetime
from typing import Any

import pytest

from fixtures.account import Account
from fixtures.api import Crew, RegionApi
from fixtures.ec2 import SecurityGroup
from fixtures.errors import ApiError
from fixtures.network import (
    can_admit_everyone,
    covers_everything,
    covers_port,
    prefix_length,
    prefix_list_entries,
    single_rules,
)
from selftests.cis.test_4_networking import rule as permission
from selftests.conftest import ACCOUNT, StubBackend, access_denied

WORLD, WORLD6 = "0.0.0.0/0", "::/0"
HALVES = ("0.0.0.0/1", "128.0.0.0/1")
LISTS = {
    "pl-all": ["10.0.0.0/8", "0.0.0.0/0"], "pl-all6": ["::/0"], "pl-low": ["0.0.0.0/1"], "pl-office": ["203.0.113.0/24"],
    "pl-empty": [], "pl-shared": ["0.0.0.0/0"], "pl-aws": ["0.0.0.0/0"],
}  # fmt: skip
OWNERS = {"pl-aws": "AWS", "pl-shared": "999999999999"}
CALLS = ["DescribeManagedPrefixLists", "GetManagedPrefixListEntries"]


def rule(protocol: str, first: int | None, last: int | None, *sources: str) -> dict[str, Any]:
    """An IpPermissions entry; sources are CIDRs, prefix lists (pl-...) or groups (sg-...)."""
    return permission(protocol, None if first is None or last is None else (first, last), *sources)


def entries(params: dict[str, Any]) -> Any:
    listed = params["PrefixListId"]
    if listed not in LISTS:
        raise ApiError("ec2", "GetManagedPrefixListEntries", "InvalidPrefixListID.NotFound", "no such list")
    return {"Entries": [{"Cidr": cidr} for cidr in LISTS[listed]]}


class World:
    """Security groups of a region where the lists of LISTS exist; ``calls`` are the operations that were asked."""

    def __init__(self, crew: Crew) -> None:
        described = [{"PrefixListId": one, "OwnerId": OWNERS.get(one, ACCOUNT)} for one in LISTS]
        self.backend = StubBackend(
            {"ec2:DescribeManagedPrefixLists": {"PrefixLists": described}, "ec2:GetManagedPrefixListEntries": entries},
            None,
        )
        account = Account(ACCOUNT, backend=self.backend, crew=crew, now=datetime(2026, 1, 1, tzinfo=UTC))
        self.api: RegionApi = account.in_region("eu-west-1")

    def deny(self, operation: str) -> None:
        self.backend.answers = {**self.backend.answers, f"ec2:{operation}": access_denied("ec2", operation)}

    def group(self, *rules: dict[str, Any]) -> SecurityGroup:
        data = {"GroupName": "web", "VpcId": "vpc-1", "IpPermissions": list(rules), "IpPermissionsEgress": []}
        return SecurityGroup(self.api, id="sg-1", data=data)

    @property
    def calls(self) -> list[str]:
        return [operation for _, _, operation, _ in self.backend.calls]


@pytest.fixture
def world() -> Any:
    crew = Crew(2)
    yield World(crew)
    crew.close()


def texts(openings: Any) -> list[str]:
    return [str(opening) for opening in openings]


@pytest.mark.parametrize(
    ("protocol", "first", "last", "asked", "covers"),
    [
        ("tcp", 22, 22, ("tcp",), True), ("tcp", 20, 25, ("tcp",), True), ("tcp", 22, 30, ("tcp",), True), ("tcp", 10, 22, ("tcp",), True),
        ("tcp", 23, 30, ("tcp",), False), ("tcp", 10, 21, ("tcp",), False), ("tcp", 0, 65535, ("tcp",), True),
        ("tcp", None, None, ("tcp",), True), ("tcp", -1, -1, ("tcp",), True),
        ("6", 22, 22, ("tcp",), True), ("17", 22, 22, ("udp",), True), ("17", 22, 22, ("tcp",), False),
        ("udp", 22, 22, ("tcp",), False), ("udp", 22, 22, ("tcp", "udp"), True),
        ("-1", None, None, ("tcp",), True), ("-1", None, None, ("udp",), True), ("-1", 443, 443, ("tcp",), True),
        ("icmp", 8, 0, ("tcp", "udp"), False), ("icmp", -1, -1, ("tcp", "udp"), False), ("icmp", 3, 30, ("tcp",), False),
        ("icmpv6", None, None, ("tcp", "udp"), False), ("58", None, None, ("tcp",), False), ("50", None, None, ("tcp", "udp"), False),
    ],
)  # fmt: skip
def test_covers_port(protocol: str, first: int | None, last: int | None, asked: tuple[str, ...], covers: bool) -> None:
    assert covers_port(rule(protocol, first, last), 22, asked) is covers


@pytest.mark.parametrize(
    ("family", "cidrs", "everything"),
    [
        (4, [], False), (4, ["0.0.0.0/0"], True), (4, ["10.0.0.0/8", "0.0.0.0/0"], True), (4, ["203.0.113.7/0"], True),
        (4, [*HALVES], True), (4, ["128.0.0.0/1", "0.0.0.0/2", "64.0.0.0/2"], True), (4, ["0.0.0.0/1", "64.0.0.0/1"], False),
        (4, ["0.0.0.0/1"] * 4, False), (4, ["0.0.0.0/1", "128.0.0.0/2", "192.0.0.0/3"], False), (4, ["10.0.0.0/8"], False),
        (4, [f"{n}.0.0.0/8" for n in range(256)], True), (4, [f"{n}.0.0.0/8" for n in range(256) if n != 127], False),
        (4, ["203.0.113.7"], False), (4, ["203.0.113.7/32", *HALVES], True),
        (6, ["::/0"], True), (6, ["::/1", "8000::/1"], True), (6, ["::/1"], False), (6, ["2000::/3"], False), (6, ["2001:db8::1"], False),
    ],
)  # fmt: skip
def test_covers_everything(family: int, cidrs: list[str], everything: bool) -> None:
    assert covers_everything(cidrs, family) is everything


@pytest.mark.parametrize("family", [4, 6])
def test_a_cover_by_networks_of_every_size_is_everything_in_any_order(family: int) -> None:
    rest: Any = ipaddress.ip_network("0.0.0.0/0" if family == 4 else "::/0")
    cidrs = []
    while rest.prefixlen < rest.max_prefixlen:
        half, rest = rest.subnets()
        cidrs.append(str(half))
    shuffle = random.Random(4)
    for _ in range(50):
        order = [*cidrs, str(rest)]
        shuffle.shuffle(order)
        assert covers_everything(order, family)
        assert not covers_everything(order[1:], family)


@pytest.mark.parametrize("cidr", ["everyone", "0.0.0.0/", "10.0.0.0/33", ""])
def test_what_is_no_cidr_is_an_error(cidr: str) -> None:
    with pytest.raises(ValueError):
        covers_everything([cidr], 4)


@pytest.mark.parametrize(
    ("rules", "possible"),
    [
        ([], False), ([rule("tcp", 22, 22, "10.0.0.0/8", "2000::/3", "sg-2")], False), ([rule("tcp", 22, 22, HALVES[0], "8000::/1")], False),
        ([rule("tcp", 22, 22, WORLD)], True), ([rule("tcp", 22, 22, WORLD6)], True), ([rule("icmp", -1, -1, WORLD)], True),
        ([rule("tcp", 22, 22, HALVES[0]), rule("udp", 1, 2, HALVES[1])], True), ([rule("tcp", 22, 22, "pl-aws")], True),
        ([rule("tcp", 22, 22, "::/1"), rule("tcp", 22, 22, "8000::/1")], True),
    ],
)  # fmt: skip
def test_can_admit_everyone(rules: list[Any], possible: bool) -> None:
    assert can_admit_everyone(rules) is possible


def test_prefix_length() -> None:
    assert [prefix_length(c) for c in ("0.0.0.0/0", "10.0.0.0/8", "10.1.2.3", "::/0", "::1")] == [0, 8, 32, 0, 128]


# Rules, and the texts of the openings of tcp 22.
SSH: list[tuple[str, list[dict[str, Any]], list[str]]] = [
    ("exact", [rule("tcp", 22, 22, WORLD)], ["tcp port 22 from 0.0.0.0/0"]),
    ("ipv6 only", [rule("tcp", 22, 22, WORLD6)], ["tcp port 22 from ::/0"]),
    ("both", [rule("tcp", 22, 22, WORLD, WORLD6)], ["tcp port 22 from 0.0.0.0/0", "tcp port 22 from ::/0"]),
    ("range", [rule("tcp", 20, 25, WORLD)], ["tcp ports 20-25 from 0.0.0.0/0"]),
    ("all tcp", [rule("tcp", None, None, WORLD)], ["tcp all ports from 0.0.0.0/0"]),
    ("protocol by number", [rule("6", 22, 22, WORLD)], ["tcp port 22 from 0.0.0.0/0"]),
    ("all traffic", [rule("-1", None, None, WORLD)], ["all traffic all ports from 0.0.0.0/0"]),
    ("two rules", [rule("tcp", 22, 22, WORLD), rule("-1", None, None, WORLD6)], ["tcp port 22 from 0.0.0.0/0", "all traffic all ports from ::/0"]),
    ("only the open source is named", [rule("tcp", 22, 22, "10.0.0.0/8", WORLD)], ["tcp port 22 from 0.0.0.0/0"]),
    ("halves in one rule", [rule("tcp", 22, 22, *HALVES)], ["tcp port 22 from 0.0.0.0/1", "tcp port 22 from 128.0.0.0/1"]),
    ("halves in rules of other protocols", [rule("tcp", 22, 22, HALVES[0]), rule("-1", None, None, HALVES[1])], ["tcp port 22 from 0.0.0.0/1", "all traffic all ports from 128.0.0.0/1"]),
    ("one half for another port", [rule("tcp", 22, 22, HALVES[0]), rule("tcp", 23, 23, HALVES[1])], []),
    ("one half by udp", [rule("tcp", 22, 22, HALVES[0]), rule("udp", 22, 22, HALVES[1])], []),
    ("halves of two families", [rule("tcp", 22, 22, "0.0.0.0/1", "8000::/1")], []),
    ("customer list", [rule("tcp", 22, 22, "pl-all")], ["tcp port 22 from 0.0.0.0/0 (pl-all)"]),
    ("customer list of ipv6", [rule("tcp", 22, 22, "pl-all6")], ["tcp port 22 from ::/0 (pl-all6)"]),
    ("list shared by another account", [rule("tcp", 22, 22, "pl-shared")], ["tcp port 22 from 0.0.0.0/0 (pl-shared)"]),
    ("half by list, half by CIDR", [rule("tcp", 22, 22, "pl-low", HALVES[1])], ["tcp port 22 from 128.0.0.0/1", "tcp port 22 from 0.0.0.0/1 (pl-low)"]),
    ("list of AWS", [rule("tcp", 22, 22, "pl-aws")], []),
    ("list without everyone", [rule("tcp", 22, 22, "pl-office", "pl-empty")], []),
    ("list that was deleted", [rule("tcp", 22, 22, "pl-gone")], []),
    ("private", [rule("tcp", 22, 22, "10.0.0.0/8", "fd00::/8")], []),
    ("group", [rule("-1", None, None, "sg-2")], []),
    ("udp", [rule("udp", 22, 22, WORLD)], []),
    ("icmp", [rule("icmp", 8, 0, WORLD), rule("icmp", -1, -1, WORLD)], []),
    ("esp and icmpv6", [rule("50", None, None, WORLD), rule("icmpv6", None, None, WORLD6)], []),
    ("another port", [rule("tcp", 443, 443, WORLD)], []),
    ("nothing", [], []),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "expected"), [row[1:] for row in SSH], ids=[row[0] for row in SSH])
def test_open_to_the_world(world: World, rules: list[Any], expected: list[str]) -> None:
    group = world.group(*rules)
    assert texts(group.opens_to_the_world(22, "tcp")) == expected
    found = group.open_ports([22], "tcp")
    assert {port: texts(openings) for port, openings in found.items()} == ({22: expected} if expected else {})


@pytest.mark.parametrize(
    ("rules", "ports", "protocols", "expected"),
    [
        ([rule("tcp", 1521, 1521, WORLD)], (1521, 2483, 2484), ("tcp",), {1521: ["tcp port 1521 from 0.0.0.0/0"]}),
        ([rule("tcp", 2000, 3000, WORLD6)], (1521, 2483, 2484), ("tcp",), {p: ["tcp ports 2000-3000 from ::/0"] for p in (2483, 2484)}),
        ([rule("tcp", 1522, 1522, WORLD)], (1521, 2483), ("tcp",), {}),
        ([rule("tcp", 1521, 1521, HALVES[0]), rule("tcp", 2483, 2483, HALVES[1])], (1521, 2483), ("tcp",), {}),
        ([rule("udp", 11211, 11211, WORLD)], (11211,), ("tcp", "udp"), {11211: ["udp port 11211 from 0.0.0.0/0"]}),
        ([rule("-1", None, None, WORLD)], (11211,), ("tcp", "udp"), {11211: ["all traffic all ports from 0.0.0.0/0"]}),
        ([rule("tcp", 11211, 11211, HALVES[0]), rule("udp", 11211, 11211, HALVES[1])], (11211,), ("tcp", "udp"), {}),
        ([], (11211,), ("tcp", "udp"), {}),
    ],
)  # fmt: skip
def test_open_ports(world: World, rules: list[Any], ports: Any, protocols: Any, expected: dict[int, list[str]]) -> None:
    found = world.group(*rules).open_ports(iter(ports), *protocols)
    assert {port: texts(openings) for port, openings in found.items()} == expected


def test_protocols_taken_together(world: World) -> None:
    """opens_to_the_world merges the sources of its protocols, open_ports does not."""
    group = world.group(rule("tcp", 3389, 3389, HALVES[0]), rule("udp", 3389, 3389, HALVES[1]))
    assert texts(group.opens_to_the_world(3389, "tcp", "udp")) == [
        "tcp port 3389 from 0.0.0.0/1",
        "udp port 3389 from 128.0.0.0/1",
    ]
    assert not group.open_ports([3389], "tcp", "udp")


ALL_PORTS: list[tuple[str, list[dict[str, Any]], list[str]]] = [
    ("all traffic", [rule("-1", None, None, WORLD)], ["all traffic all ports from 0.0.0.0/0"]),
    ("all traffic by ipv6", [rule("-1", None, None, WORLD6)], ["all traffic all ports from ::/0"]),
    ("from 0", [rule("tcp", 0, 65535, WORLD)], ["tcp ports 0-65535 from 0.0.0.0/0"]),
    ("from 1", [rule("tcp", 1, 65535, WORLD)], ["tcp ports 1-65535 from 0.0.0.0/0"]),
    ("no ports", [rule("tcp", None, None, WORLD)], ["tcp all ports from 0.0.0.0/0"]),
    ("two ranges", [rule("tcp", 0, 32767, WORLD), rule("tcp", 32768, 65535, WORLD)], ["tcp ports 0-32767 from 0.0.0.0/0", "tcp ports 32768-65535 from 0.0.0.0/0"]),
    ("all but one and one", [rule("tcp", 65535, 65535, WORLD), rule("tcp", 0, 65534, WORLD)], ["tcp ports 0-65534 from 0.0.0.0/0", "tcp port 65535 from 0.0.0.0/0"]),
    ("overlapping ranges, one not needed", [rule("tcp", 1, 40000, WORLD), rule("tcp", 100, 200, WORLD), rule("tcp", 30000, 65535, WORLD)], ["tcp ports 1-40000 from 0.0.0.0/0", "tcp ports 30000-65535 from 0.0.0.0/0"]),
    ("ranges of two families", [rule("tcp", 0, 32767, WORLD), rule("tcp", 32768, 65535, WORLD6)], []),
    ("ranges of two protocols", [rule("tcp", 0, 32767, WORLD), rule("udp", 32768, 65535, WORLD)], []),
    ("udp", [rule("17", 0, 65535, WORLD)], ["udp ports 0-65535 from 0.0.0.0/0"]),
    ("a gap", [rule("tcp", 1, 1023, WORLD), rule("tcp", 1025, 65535, WORLD)], []),
    ("port 1 missing", [rule("tcp", 2, 65535, WORLD)], []),
    ("port 65535 missing", [rule("tcp", 0, 65534, WORLD)], []),
    ("halves", [rule("-1", None, None, *HALVES)], ["all traffic all ports from 0.0.0.0/1", "all traffic all ports from 128.0.0.0/1"]),
    ("halves of two rules", [rule("tcp", 0, 65535, HALVES[0]), rule("-1", None, None, HALVES[1])], ["tcp ports 0-65535 from 0.0.0.0/1", "all traffic all ports from 128.0.0.0/1"]),
    ("half of it narrowed", [rule("tcp", 0, 65535, HALVES[0]), rule("tcp", 1, 1000, HALVES[1])], []),
    ("list", [rule("tcp", 0, 65535, "pl-all")], ["tcp ports 0-65535 from 0.0.0.0/0 (pl-all)"]),
    ("list of AWS", [rule("-1", None, None, "pl-aws")], []),
    ("one port", [rule("tcp", 443, 443, WORLD)], []),
    ("icmp", [rule("icmp", -1, -1, WORLD)], []),
    ("esp and icmpv6", [rule("50", None, None, WORLD), rule("icmpv6", None, None, WORLD6)], []),
    ("itself", [rule("-1", None, None, "sg-1")], []),
    ("nothing", [], []),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "expected"), [row[1:] for row in ALL_PORTS], ids=[row[0] for row in ALL_PORTS])
def test_all_ports(world: World, rules: list[Any], expected: list[str]) -> None:
    assert sorted(texts(world.group(*rules).all_ports_openings)) == sorted(expected)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([rule("tcp", 443, 443, WORLD)], ["tcp port 443 from 0.0.0.0/0"]),
        ([rule("icmp", -1, -1, WORLD)], ["icmp all ports from 0.0.0.0/0"]),
        ([rule("50", None, None, WORLD6)], ["50 all ports from ::/0"]),
        ([rule("udp", 53, 53, *HALVES)], ["udp port 53 from 0.0.0.0/1", "udp port 53 from 128.0.0.0/1"]),
        ([rule("udp", 53, 53, HALVES[0]), rule("tcp", 53, 53, HALVES[1])], []),
        ([rule("tcp", 443, 443, "pl-all")], ["tcp port 443 from 0.0.0.0/0 (pl-all)"]),
        ([rule("tcp", 443, 443, "10.0.0.0/8", "sg-2", "pl-aws")], []),
    ],
)  # fmt: skip
def test_open_rules(world: World, rules: list[Any], expected: list[str]) -> None:
    assert texts(world.group(*rules).open_rules) == expected


JUDGEMENTS = ["opens_to_the_world", "open_ports", "open_rules", "all_ports_openings"]


def judge(group: SecurityGroup, judgement: str) -> Any:
    found = getattr(group, judgement)
    return (
        found(22, "tcp")
        if judgement == "opens_to_the_world"
        else found([22], "tcp")
        if judgement == "open_ports"
        else found
    )


@pytest.mark.parametrize("judgement", JUDGEMENTS)
@pytest.mark.parametrize("operation", CALLS)
def test_a_list_that_cannot_be_read(world: World, judgement: str, operation: str) -> None:
    world.deny(operation)
    with pytest.raises(ApiError, match=operation):
        judge(world.group(rule("-1", None, None, "pl-office")), judgement)
    assert judge(world.group(rule("-1", None, None, "pl-office", WORLD)), judgement), "the CIDR is open anyway"
    assert not judge(world.group(rule("-1", None, None, "10.0.0.0/8")), judgement), "it names no list"


@pytest.mark.parametrize("judgement", JUDGEMENTS)
def test_what_lists_cost(world: World, judgement: str) -> None:
    judge(world.group(rule("-1", None, None, "10.0.0.0/8", "sg-2")), judgement)
    judge(world.group(rule("-1", None, None, "pl-office", WORLD)), judgement)
    assert world.calls == [], "no list matters"
    for _ in range(3):
        judge(world.group(rule("-1", None, None, "pl-office", "pl-aws")), judgement)
    assert world.calls == CALLS, "owners once per region, entries once per list, none for a list of AWS"


def test_a_list_of_another_port_is_not_read(world: World) -> None:
    group = world.group(rule("tcp", 443, 443, "pl-all"))
    assert not group.opens_to_the_world(22, "tcp")
    assert not group.open_ports([22, 3389], "tcp", "udp")
    assert world.calls == []


def test_a_port_open_by_cidr_does_not_wait_for_the_list_of_another(world: World) -> None:
    world.deny("GetManagedPrefixListEntries")
    group = world.group(rule("tcp", 1521, 1521, "pl-office"), rule("tcp", 2483, 2483, WORLD))
    assert list(group.open_ports([1521, 2483], "tcp")) == [2483]
    with pytest.raises(ApiError):
        group.open_ports([1521], "tcp")


def test_prefix_list_entries(world: World) -> None:
    assert prefix_list_entries("pl-all", world.api) == ["10.0.0.0/8", "0.0.0.0/0"]
    assert prefix_list_entries("pl-gone", world.api) == []
    assert "DescribeManagedPrefixLists" not in world.calls
    world.deny("GetManagedPrefixListEntries")
    with pytest.raises(ApiError):
        prefix_list_entries("pl-low", world.api)


def test_single_rules() -> None:
    rules = [
        rule("tcp", 22, 25, "10.0.0.0/8", "::/0", "pl-1", "sg-1"),
        rule("-1", None, None, "0.0.0.0/0"),
        rule("17", 53, 53),
        {"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1, "UserIdGroupPairs": [{"GroupName": "web"}]},
    ]
    assert single_rules(rules) == [
        "tcp ports 22-25: 10.0.0.0/8", "tcp ports 22-25: ::/0", "tcp ports 22-25: pl-1", "tcp ports 22-25: sg-1",
        "all traffic all ports: 0.0.0.0/0", "udp port 53: nobody", "icmp all ports: a group",
    ]  # fmt: skip
    assert single_rules([]) == []


def test_nothing_is_parsed_for_a_group_that_is_not_open(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Accounts have security groups by the ten thousand: a closed one must cost microseconds."""
    monkeypatch.setattr("fixtures.network.parsed", lambda cidr: pytest.fail(f"{cidr} was parsed"))
    group = world.group(
        rule("tcp", 22, 22, *(f"10.{n}.0.0/16" for n in range(200)), "2001:db8::/32"), rule("-1", None, None, "sg-1")
    )
    assert not any(judge(group, judgement) for judgement in JUDGEMENTS)
