"""Options that another installed plugin has, too: one line that says which, in the place of argparse's traceback."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from plugins.options.values import OPTIONS


def refuse_clashes(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Raise pytest.UsageError when a plugin that is loaded already has declared an option of the suite."""
    own = {name for option in OPTIONS.values() for name in option.names}
    taken = sorted(own & _names(parser), key=lambda name: (not name.startswith("--"), name))
    if not taken:
        return
    plugin = next((name for name, plugin in pluginmanager.list_name_plugin() if _declares(plugin, taken[0])), "")
    whose = f"the plugin {plugin}" if plugin else "another plugin"
    better = f"-p no:{plugin}" if plugin else "-p no: and its name"
    raise pytest.UsageError(f"{taken[0]} is an option of the audit and of {whose}: give {better} to go on without it")


def _names(parser: pytest.Parser) -> set[str]:
    return {
        name for group in [*parser._groups, parser._anonymous] for option in group.options for name in option.names()
    }


def _declares(plugin: Any, name: str) -> bool:
    """Whether a plugin declares an option, by asking it to do so once more."""
    declare = getattr(plugin, "pytest_addoption", None)
    if not callable(declare) or plugin.__class__.__module__.startswith("_pytest"):
        return False
    scratch = pytest.Parser(_ispytest=True)
    given = {"parser": scratch, "pluginmanager": pytest.PytestPluginManager()}
    try:
        declare(**{one: given[one] for one in inspect.signature(declare).parameters if one in given})
    except Exception:  # noqa: BLE001 - whatever it does: it is asked for the sake of a message
        return False
    return name in _names(scratch)
