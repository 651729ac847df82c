"""``--accounts-file FILE``: the accounts to audit, with what is special about each.

YAML, a list::

    - id: "111111111111"
      name: production                # as reports show it
      role: SecurityAuditRole         # name or ARN; default: --role
      regions: [eu-west-1, us-east-1]
      tags: {team: web}
      config:                         # thresholds, as in --config
        check14: {max_access_key_age_days: 30}

Only ``id`` is required. What is wrong is refused with file and line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from fixtures.api.account_ids import is_account_id
from fixtures.api.regions import known_regions
from plugins.yaml_file import CONVERSIONS, YamlError, verify

KEYS = ("id", "name", "role", "regions", "tags", "config")


@dataclass(frozen=True)
class ListedAccount:
    """An account of the file. ``where``: file and line, for messages."""

    id: str
    where: str
    name: str = ""
    role: str = ""
    regions: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    config_where: str = ""


class _File:
    """The file as a tree of YAML nodes, which know their lines."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def where(self, node: yaml.Node | None, line: int = 0) -> str:
        return f"--accounts-file: {self.path}, line {node.start_mark.line + 1 if node is not None else line}"

    def refuse(self, node: yaml.Node, problem: str) -> pytest.UsageError:
        return pytest.UsageError(f"{self.where(node)}: {problem}")

    def mapping(self, node: yaml.Node, what: str, known: Iterable[str] = ()) -> dict[str, yaml.Node]:
        """The values by key. Refuses unknown and repeated keys."""
        if not isinstance(node, yaml.MappingNode):
            raise self.refuse(node, f"{what} must be a table of {', '.join(known) or 'names and values'}")
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = self.text(key, "a key")
            if known and name not in known:
                from plugins.did_you_mean import nearest

                raise self.refuse(key, f"unknown key {name!r}{nearest(name, known)} (known: {', '.join(known)})")
            if name in found:
                raise self.refuse(key, f"the key {name!r} is there twice")
            found[name] = value
        return found

    def items(self, node: yaml.Node, what: str) -> list[yaml.Node]:
        if not isinstance(node, yaml.SequenceNode):
            raise self.refuse(node, f"{what} must be a list")
        return list(node.value)

    def text(self, node: yaml.Node, what: str) -> str:
        """A value as it is written: an account ID without quotes would lose its leading zeros as a number."""
        if not isinstance(node, yaml.ScalarNode) or not node.value:
            raise self.refuse(node, f"{what} must be a text")
        return str(node.value)


def read_accounts(path: Path, is_role: Callable[[str], bool]) -> list[ListedAccount]:
    """Read and check the file; thresholds are checked later, when the checks are known. Raises pytest.UsageError."""
    file = _File(path)
    try:
        text = path.read_text(encoding="utf-8")
        verify(text)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except OSError as error:
        raise pytest.UsageError(f"--accounts-file: {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise pytest.UsageError(f"--accounts-file: {path} is not UTF-8 text") from None
    except YamlError as error:
        raise pytest.UsageError(f"{file.where(None, error.line or 1)}: not YAML ({error})") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise pytest.UsageError(f"{file.where(None, line)}: not YAML ({error.problem})") from None
    except yaml.YAMLError as error:
        raise pytest.UsageError(f"--accounts-file: {path}: not YAML ({' '.join(str(error).split())})") from None
    if root is None:
        raise pytest.UsageError(f"--accounts-file: {path} lists no accounts")
    accounts: dict[str, ListedAccount] = {}
    for node in file.items(root, "the file"):
        account = _account(file, node, is_role)
        if account.id in accounts:
            raise file.refuse(node, f"the account {account.id} is there twice")
        accounts[account.id] = account
    if not accounts:
        raise pytest.UsageError(f"--accounts-file: {path} lists no accounts")
    return list(accounts.values())


def _account(file: _File, node: yaml.Node, is_role: Callable[[str], bool]) -> ListedAccount:
    facts = file.mapping(node, "an account", KEYS)
    if "id" not in facts:
        raise file.refuse(node, "an account needs its id")
    id = file.text(facts["id"], "id")
    if not is_account_id(id):
        raise file.refuse(facts["id"], f"{id!r} is not a 12-digit account ID")
    role = file.text(facts["role"], "role") if "role" in facts else ""
    if role and (not is_role(role) or (role.startswith("arn:") and role.split(":")[4] != id)):
        raise file.refuse(facts["role"], f"{role!r} is not a role's name, or ARN in account {id}")
    regions = []
    for region in file.items(facts["regions"], "regions") if "regions" in facts else []:
        regions.append(file.text(region, "a region"))
        if regions[-1] not in known_regions():
            raise file.refuse(region, f"unknown region {regions[-1]!r}")
    tags = file.mapping(facts["tags"], "tags") if "tags" in facts else {}
    return ListedAccount(
        id,
        where=file.where(node),
        name=file.text(facts["name"], "name") if "name" in facts else "",
        role=role,
        regions=regions,
        tags={key: file.text(value, f"the tag {key}") for key, value in tags.items()},
        config=_config(file, facts["config"]) if "config" in facts else {},
        config_where=file.where(facts.get("config", node)),
    )


def _config(file: _File, node: yaml.Node) -> dict[str, Any]:
    """The thresholds by check id, as plain values."""
    for check, values in file.mapping(node, "config").items():
        file.mapping(values, f"the thresholds of {check}")
    try:
        found: dict[str, Any] = yaml.SafeLoader("").construct_document(node)
    except (yaml.YAMLError, *CONVERSIONS) as error:
        raise file.refuse(node, f"config cannot be read ({' '.join(str(error).split())})") from None
    return found
