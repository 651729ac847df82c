"""What AWS's operations take and answer: structures with their members, enums with their values, from botocore's models."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

Model = Mapping[str, Any]
"""A service model of botocore, as its data files have it."""


@dataclass(frozen=True, slots=True)
class Api:
    """What the suite may see of a service: its operations and, by the name of the shape, members and enum values."""

    operations: frozenset[str] = frozenset()
    structures: Mapping[str, frozenset[str]] = field(default_factory=dict)
    enums: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def names(self) -> frozenset[str]:
        """Every member and enum value as ``Shape.name``."""
        both = (*self.structures.items(), *self.enums.items())
        return frozenset(f"{shape}.{own}" for shape, all_own in both for own in all_own)

    def without(self, names: Collection[str]) -> Api:
        """The same, lacking members and enum values named as in ``names``."""

        def left(shapes: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
            kept = {s: frozenset(one for one in own if f"{s}.{one}" not in names) for s, own in shapes.items()}
            return {shape: own for shape, own in kept.items() if own}

        return Api(self.operations, left(self.structures), left(self.enums))


def service_model(service: str) -> Model:
    """botocore's model of a service; one without operations for a service that it does not know."""
    from botocore.exceptions import UnknownServiceError
    from botocore.loaders import Loader

    # Not the models that a user has added in ~/.aws/models.
    loader = Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    try:
        return cast("Model", loader.load_service_model(service, "service-2"))
    except UnknownServiceError:
        return {"operations": {}, "shapes": {}}


def read(model: Model, operations: Iterable[str], closed: Collection[str] = ()) -> Api:
    """Everything that can be in what ``operations`` take and answer; operations that the model lacks are left out.

    What is only reached through a member in ``closed`` (``Shape.member``, or ``Shape.*``) is left out.
    """
    known = [name for name in operations if name in model["operations"]]
    shapes = {name: model["shapes"][name] for name in _reached(model, known, closed)}
    return Api(
        frozenset(known),
        {name: frozenset(one["members"]) for name, one in shapes.items() if one.get("members")},
        {name: frozenset(one["enum"]) for name, one in shapes.items() if one.get("enum")},
    )


def reaching(model: Model, operations: Iterable[str], wanted: Collection[str]) -> dict[str, list[str]]:
    """Shape -> the operations that take or answer it, for the shapes of ``wanted``."""
    found: dict[str, list[str]] = {name: [] for name in wanted}
    for operation in sorted(operations if wanted else ()):
        if operation in model["operations"]:
            for name in _reached(model, [operation], ()) & found.keys():
                found[name].append(operation)
    return found


def _reached(model: Model, operations: Iterable[str], closed: Collection[str]) -> set[str]:
    """The names of the shapes that operations use. Shapes may contain themselves (filters, findings)."""
    called = [model["operations"][name] for name in operations]
    waiting = [one[part]["shape"] for one in called for part in ("input", "output") if one.get(part)]
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _parts(name, model["shapes"][name], closed)
    return found


def _parts(name: str, shape: Model, closed: Collection[str]) -> Iterator[str]:
    for part in ("member", "key", "value"):
        if part in shape:
            yield shape[part]["shape"]
    if f"{name}.*" not in closed:
        for member, reference in shape.get("members", {}).items():
            if f"{name}.{member}" not in closed:
                yield reference["shape"]
