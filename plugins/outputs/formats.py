"""The register of report formats: a format is declared here, and here alone (docs/extending.md)."""

from __future__ import annotations

import errno
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from plugins.outputs.run_facts_report import ENDING, RunFactsWriter
from plugins.outputs.writer import Writer


@dataclass(frozen=True, kw_only=True)
class Format:
    """A format of reports."""

    name: str
    ending: str
    writer: str
    """``module:Class``; imported when such a report is written."""
    folder: str = ""
    """Below the output directory."""
    is_baseline: bool = False
    """Whether ``--baseline`` can read it."""

    def load(self) -> type[Writer]:
        """Its writer. Raises TypeError for a class that is none."""
        module, _, name = self.writer.partition(":")
        found = getattr(import_module(module), name)
        if not (isinstance(found, type) and issubclass(found, Writer)):
            raise TypeError(f"{self.writer} is not a Writer")
        return found


FORMATS: Mapping[str, Format] = {
    one.name: one
    for one in (
        Format(name="text", ending=".txt", writer="plugins.outputs.text_report:TextWriter"),
        Format(name="mono", ending=".txt", writer="plugins.outputs.text_report:MonoWriter"),
        Format(name="csv", ending=".csv", writer="plugins.outputs.csv_report:CsvWriter"),
        Format(name="json", ending=".json", writer="plugins.outputs.json_report:JsonWriter", is_baseline=True),
        Format(name="jsonl", ending=".jsonl", writer="plugins.outputs.json_report:JsonlWriter", is_baseline=True),
        Format(name="json-asff", ending=".asff.json", writer="plugins.outputs.asff_report:AsffWriter"),
        Format(
            name="junit-xml", ending=".xml", folder="junit-reports", writer="plugins.outputs.junit_report:JunitWriter"
        ),
        Format(name="html", ending=".html", writer="plugins.outputs.html_report:HtmlWriter"),
    )
}
"""Name -> format. Of those that would have the same file, the first one gets it (``place_of``)."""


def place_of(name: str, formats: Collection[str], filename: str) -> Path:
    """Where the report of a format is in the output directory, given the formats of the run.

    A second format of a run with the same folder and ending has its name in the ending. Raises KeyError for an unknown format.
    """
    wanted = FORMATS[name]
    chosen = [one for one in FORMATS.values() if one.name in formats]
    first = next(one for one in [*chosen, wanted] if (one.folder, one.ending) == (wanted.folder, wanted.ending))
    ending = wanted.ending if first is wanted else f".{name}{wanted.ending}"
    return Path(wanted.folder, filename + ending)


def writers_for(
    formats: Sequence[str],
    directory: Path,
    filename: str,
    account: str,
    *,
    facts: bool = False,
    exclusive: bool = False,
) -> list[Writer]:
    """The writers of an account, one per format, for ``<directory>/<filename>.<ending>``; with ``facts`` also one for what
    is said of the run.

    Raises OSError when a file cannot be made (and then leaves none behind), FileExistsError with ``exclusive`` when one of
    the files is there, KeyError for an unknown format.
    """
    wanted: list[tuple[type[Writer], Path]] = [
        (FORMATS[name].load(), place_of(name, formats, filename)) for name in dict.fromkeys(formats)
    ]
    if facts and formats:
        wanted.append((RunFactsWriter, Path(filename + ENDING)))
    writers: list[Writer] = []
    try:
        for kind, place in wanted:
            writers.append(kind(directory / place, account=account))
        taken = [str(writer.path) for writer in writers if exclusive and writer.path.exists()]
        if taken:
            raise FileExistsError(errno.EEXIST, "is there already", taken[0])
    except BaseException:
        for writer in writers:
            writer.discard()
        raise
    return writers


def baseline_endings() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The endings of the reports that ``--baseline`` reads, and those of other formats that end like them."""
    read = tuple(one.ending for one in FORMATS.values() if one.is_baseline)
    others = [one.ending for one in FORMATS.values() if not one.is_baseline]
    return read, tuple(ending for ending in [*others, ENDING] if ending.endswith(read))
