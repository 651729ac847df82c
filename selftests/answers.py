"""What tests say of AWS is held against botocore's models: answers given by hand, and the parameters of calls.

An answer is written down as the api layer gives it: all pages merged, parsed by botocore, without ResponseMetadata. The
Python types are those that botocore's parsers and handlers make:

=========================  ==========================================================================================
model                      Python
=========================  ==========================================================================================
structure, map             dict (a union: exactly one member); keys of a map as its key's shape says
list                       list
string                     str; of an enum one of its values, or ``Undocumented(value)``
boolean                    bool
integer, long              int
float, double              float; also int where the protocol is JSON
timestamp                  datetime with a time zone
blob                       bytes; something to ``read()`` where it is streamed
document, JSON value       whatever JSON has
IAM's policyDocumentType   decoded JSON; str where it is none (likewise TemplateBody of CloudFormation's GetTemplate)
=========================  ==========================================================================================

None is never a value: botocore leaves out what is null (but LocationConstraint of S3's GetBucketLocation is None in
us-east-1). A member that is marked as required may be absent, for AWS leaves out empty lists, and newer members in old
resources. What is wrong on purpose is wrapped: ``Malformed(answer, reason)``.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from urllib.parse import unquote

from botocore.exceptions import DataNotFoundError, UnknownServiceError
from botocore.model import OperationModel, OperationNotFoundError, ServiceModel
from botocore.validate import ParamValidator, type_check

from fixtures.api.backend import Answer
from fixtures.api.light_clients import ReadingLoader

SHOWN = 5
"""How many mismatches a message names."""
SIMPLE: Mapping[str, type] = {
    "boolean": bool,
    "integer": int,
    "long": int,
    "float": float,
    "double": float,
    "timestamp": datetime,
    "blob": bytes,
    "string": str,
    "character": str,
}
XML_PROTOCOLS = frozenset({"query", "ec2", "rest-xml"})
CASELESS = frozenset({("ec2", "State"), ("config", "RecorderStatus")})
"""Enums whose values AWS does not write as the model does: "available", "SUCCESS". Source: AWS CLI Command Reference, examples
of describe-vpc-endpoint-connections and describe-configuration-recorder-status."""


class Undocumented(str):
    """A value that an enum does not have (yet): what a check makes of it is what the test is about."""

    __slots__ = ()


@dataclass(frozen=True)
class Malformed:
    """An answer that does not fit the operation's output on purpose; ``reason`` says when AWS would give it."""

    answer: Answer
    reason: str


Stub: TypeAlias = Answer | Malformed | Exception | Callable[[dict[str, Any]], "Answer | Malformed | Exception"]


class Misfit(AssertionError):
    """A test's answer, or a call's parameters, which AWS's model does not know; the message has one path on each line."""


_loader = ReadingLoader()


class _Validator(ParamValidator):  # type: ignore[misc]
    """Takes a text of any length: a name in a test may be shorter than AWS allows, and says nothing about the call."""

    @type_check(valid_types=(str,))  # type: ignore[untyped-decorator]
    def _validate_string(self, param: str, shape: Any, errors: Any, name: str) -> None:
        """A text."""


_validator = _Validator()


@functools.cache
def _service(name: str) -> ServiceModel:
    """botocore's model of a service, as far as the suite may read. Raises Misfit for an unknown name."""
    try:
        return ServiceModel(_loader.load_service_model(name, "service-2"), service_name=name)
    except (UnknownServiceError, DataNotFoundError):
        raise Misfit(f"{name}: botocore knows no such service") from None


@functools.cache
def operation_model(service: str, operation: str) -> OperationModel:
    """botocore's model of an operation. Raises Misfit when there is none, or the suite never calls it."""
    try:
        return _service(service).operation_model(operation)
    except OperationNotFoundError:
        raise Misfit(f"{service}:{operation}: no operation of {service} that only reads has this name") from None


def fitting(service: str, operation: str, answer: Answer | Malformed) -> Answer:
    """The answer itself, when it has the form that the operation's model describes (Malformed: when it has not).

    Raises Misfit, which names each path: ``ListAnalyzers.analyzers[0].arn: ...``.
    """
    model = operation_model(service, operation)
    given = answer.answer if isinstance(answer, Malformed) else answer
    found = list(_misfits(model, model.output_shape, given, operation))
    if isinstance(answer, Malformed):
        if not found:
            raise Misfit(f"{service}:{operation}: the answer is well-formed, so it is not Malformed ({answer.reason})")
        return given
    if found:
        more = [f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
        raise Misfit("\n".join([f"{service}: the answer is none that AWS could give", *found[:SHOWN], *more]))
    return given


def verify_parameters(service: str, operation: str, parameters: Mapping[str, Any]) -> None:
    """Raise Misfit unless AWS accepts these parameters: their names, types, and enums, with the required ones."""
    shape = operation_model(service, operation).input_shape
    if shape is None:
        if parameters:
            raise Misfit(f"{service}:{operation} takes no parameters, but is given {', '.join(sorted(parameters))}")
        return
    report = _validator.validate(dict(parameters), shape)
    if report.has_errors():
        raise Misfit(f"{service}:{operation}: {report.generate_report()}")
    found = [
        f"{operation}.{name}: {value!r} is none of {_listed(shape.members[name].enum)}"
        for name, value in parameters.items()
        if getattr(shape.members[name], "enum", ()) and value not in shape.members[name].enum
    ]
    if found:
        raise Misfit("\n".join([f"{service}: parameters that AWS refuses", *found]))


def _misfits(model: OperationModel, shape: Any, value: Any, path: str) -> Iterator[str]:
    """The mismatches of a value and its shape, each with its path."""
    if shape is None:
        if value != {}:
            yield f"{path}: the operation has no output"
    elif (decoded := _decoded(model, shape, value, path)) is not None:
        yield from decoded
    elif shape.type_name == "structure":
        yield from _structure(model, shape, value, path)
    elif shape.type_name == "list":
        if not isinstance(value, list):
            yield f"{path}: {_shown(value)} is no list"
            return
        for position, one in enumerate(value):
            yield from _misfits(model, shape.member, one, f"{path}[{position}]")
    elif shape.type_name == "map":
        if not isinstance(value, dict):
            yield f"{path}: {_shown(value)} is no map"
            return
        for key, one in value.items():
            yield from _misfits(model, shape.key, key, f"{path} key")
            yield from _misfits(model, shape.value, one, f"{path}[{key!r}]")
    else:
        yield from _simple(model, shape, value, path)


def _decoded(model: OperationModel, shape: Any, value: Any, path: str) -> list[str] | None:
    """What is wrong with a value that botocore does not leave as its shape says; None for all others."""
    if getattr(shape, "is_document_type", False) or shape.serialization.get("jsonvalue"):
        return []
    if shape.serialization.get("eventstream") or shape.serialization.get("streaming"):
        return [] if hasattr(value, "read") or hasattr(value, "__iter__") else [f"{path}: {_shown(value)} is no stream"]
    service = model.service_model.service_name
    if service == "iam" and shape.name == "policyDocumentType":
        return _json_or_text(value, path, unquote)
    if path == "GetTemplate.TemplateBody" and service == "cloudformation":
        return _json_or_text(value, path, str)
    if path == "GetBucketLocation.LocationConstraint" and value is None:
        return []
    return None


def _json_or_text(value: Any, path: str, unpacked: Callable[[str], str]) -> list[str]:
    """A document that botocore decodes where it can."""
    if not isinstance(value, str):
        return [] if isinstance(value, dict | list | int | float) else [f"{path}: {_shown(value)} is not JSON"]
    try:
        json.loads(unpacked(value))
    except ValueError:
        return []
    return [f"{path}: a string, but botocore has decoded this document"]


def _structure(model: OperationModel, shape: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: {_shown(value)} is no structure"
        return
    if shape.is_tagged_union and len(value) != 1:
        yield f"{path}: a union has exactly one of {_listed(shape.members)}"
    members = shape.members
    for name, one in value.items():
        if name in members:
            yield from _misfits(model, members[name], one, f"{path}.{name}")
        else:
            yield f"{path}.{name}: no such member; {shape.name} has {_listed(members)}"


def _simple(model: OperationModel, shape: Any, value: Any, path: str) -> Iterator[str]:
    wanted = SIMPLE[shape.type_name]
    fits = isinstance(value, wanted) and not (wanted is int and isinstance(value, bool))
    if wanted is float and model.service_model.resolved_protocol not in XML_PROTOCOLS:
        fits = fits or type(value) is int
    if not fits:
        yield f"{path}: {_shown(value)} is no {shape.type_name} ({wanted.__name__})"
    elif isinstance(value, datetime) and value.tzinfo is None:
        yield f"{path}: {value} has no time zone"
    elif isinstance(value, str) and shape.enum:
        yield from _enum(model, shape, value, path)


def _enum(model: OperationModel, shape: Any, value: str, path: str) -> Iterator[str]:
    known = value in shape.enum
    if (model.service_model.service_name, shape.name) in CASELESS:
        known = value.lower() in {one.lower() for one in shape.enum}
    if isinstance(value, Undocumented):
        if known:
            yield f"{path}: {value!r} is documented"
    elif not known:
        yield f"{path}: {value!r} is none of {_listed(shape.enum)}; if AWS may come to say it: Undocumented({value!r})"


def _shown(value: Any) -> str:
    return "None" if value is None else f"{str(value)[:40]!r} ({type(value).__name__})"


def _listed(names: Any) -> str:
    names = [*names]
    return ", ".join(names[:12]) + (", …" if len(names) > 12 else "") or "no members"
