"""The register of report formats."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from plugins.outputs.writer import Writer

FORMATS = ("text", "mono", "csv", "json", "jsonl", "json-asff", "junit-xml", "html")


def writer_kinds() -> dict[str, tuple[type[Writer], str]]:
    """Format -> its writer and the ending of its files."""
    from plugins.outputs.asff_report import AsffWriter
    from plugins.outputs.csv_report import CsvWriter
    from plugins.outputs.html_report import HtmlWriter
    from plugins.outputs.json_report import JsonlWriter, JsonWriter
    from plugins.outputs.junit_report import JunitWriter
    from plugins.outputs.text_report import MonoWriter, TextWriter

    return {
        "text": (TextWriter, ".txt"),
        "mono": (MonoWriter, ".txt"),
        "csv": (CsvWriter, ".csv"),
        "json": (JsonWriter, ".json"),
        "jsonl": (JsonlWriter, ".jsonl"),
        "json-asff": (AsffWriter, ".asff.json"),
        "junit-xml": (JunitWriter, ".xml"),
        "html": (HtmlWriter, ".html"),
    }


def writers_for(formats: Sequence[str], directory: Path, filename: str, account: str) -> list[Writer]:
    """The writers of an account, one per format, for ``<directory>/<filename>.<ending>``.

    Raises OSError when a file cannot be made (and then leaves none behind), KeyError for an unknown format.
    """
    kinds = writer_kinds()
    writers: list[Writer] = []
    try:
        for name in dict.fromkeys(formats):
            kind, ending = kinds[name]
            folder = directory / "junit-reports" if name == "junit-xml" else directory
            ending = ".mono.txt" if name == "mono" and "text" in formats else ending
            writers.append(kind(folder / (filename + ending), account=account))
    except BaseException:
        for writer in writers:
            writer.discard()
        raise
    return writers
