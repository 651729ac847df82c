"""User data and deployment packages of any content: scanned or an error, in bounded time and memory."""

from __future__ import annotations

import base64
import contextlib
import gzip
import io
import resource
import struct
import tracemalloc
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.api.errors import ApiError, UnexpectedAnswer
from fixtures.secrets.scanner import ENCODED_LIMIT, UNPACKED_LIMIT, Limits, find, user_data_text
from fixtures.services.lambda_.package import DIRECTORY_LIMIT, MEMBERS_LIMIT, PackageError, _scan
from selftests.fuzz.conftest import bounded
from selftests.steps import steps, verify_linear

LIMITS = Limits()


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


@bounded
@given(
    st.text(max_size=60)
    | st.binary(max_size=60).map(encoded)
    | st.binary(max_size=60).map(lambda data: encoded(b"\x1f\x8b\x08" + data))
    | st.binary(max_size=60).map(lambda data: encoded(gzip.compress(data, mtime=0)))
    | st.tuples(st.binary(max_size=60), st.integers(0, 80)).map(
        lambda pair: encoded(gzip.compress(pair[0], mtime=0)[: pair[1]])
    )
)
def test_any_user_data(text: str) -> None:
    with contextlib.suppress(UnexpectedAnswer):
        find(user_data_text(text), LIMITS)


def peak_of(data: str) -> int:
    """The memory that reading user data takes, which is an error."""
    tracemalloc.start()
    try:
        with pytest.raises(UnexpectedAnswer):
            user_data_text(data)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def bomb(size: int) -> bytes:
    """A gzip file of zeros that unpacks to ``size`` bytes."""
    packer = zlib.compressobj(9, wbits=31)
    zeros = bytes(1024**2)
    return b"".join(packer.compress(zeros) for _ in range(size // len(zeros))) + packer.flush()


def test_a_bomb_in_user_data_is_an_error() -> None:
    assert peak_of(encoded(bomb(150 * 1024**2))) < 4 * UNPACKED_LIMIT


def test_a_bomb_of_many_members_is_an_error() -> None:
    member = gzip.compress(b"", mtime=0)
    within = (ENCODED_LIMIT * 3 // 4) // len(member)
    assert user_data_text(encoded(member * within)) == ""
    verify_linear(lambda members: user_data_text(encoded(member * members)), within // 2)
    far_beyond = encoded(member * (2 * within))
    assert peak_of(far_beyond) < UNPACKED_LIMIT
    assert steps(lambda: peak_of(far_beyond)) < 100, "no member is unpacked"


# -- deployment packages -----------------------------------------------------------------------------------------------


def scan(data: bytes) -> None:
    _scan(io.BytesIO(data), LIMITS, ())


def archive(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", method) as packed:
        for name, content in files.items():
            packed.writestr(zipfile.ZipInfo(name), content, method)
    return memory.getvalue()


def directory(members: int, name: bytes = b"", zip64: bool = False) -> bytes:
    """A package that is nothing but a directory of so many members, as no packer writes it."""
    entry = b"PK\1\2" + struct.pack("<6H3I5H2I", 20, 20, 0, 0, 0, 0, 0, 0, 0, len(name), 0, 0, 0, 0, 0, 0) + name
    found = entry * members
    end = b"PK\5\6" + struct.pack("<4H2IH", 0, 0, 1, 1, min(len(found), 2**32 - 1), 0, 0)
    if zip64:
        record = b"PK\6\6" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, 1, 1, len(found), 0)
        locator = b"PK\6\7" + struct.pack("<IQI", 0, len(found), 1)
        end = record + locator + b"PK\5\6" + struct.pack("<4H2IH", 0, 0, 1, 1, 0, 0, 0)
    return found + end


@pytest.mark.parametrize("zip64", [False, True])
def test_a_package_of_too_many_files_is_refused_before_they_are_objects(zip64: bool) -> None:
    package = io.BytesIO(directory(4 * MEMBERS_LIMIT, zip64=zip64))
    tracemalloc.start()
    try:
        with pytest.raises(PackageError, match=rf"the package has 4\d+ files, more than {MEMBERS_LIMIT}: not scanned"):
            _scan(package, LIMITS, ())
        assert tracemalloc.get_traced_memory()[1] < 2 * DIRECTORY_LIMIT
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("zip64", [False, True])
def test_a_package_with_an_endless_directory_is_refused(zip64: bool) -> None:
    package = directory(DIRECTORY_LIMIT // 60_000 + 1, b"a" * 60_000, zip64)
    with pytest.raises(PackageError, match="the package's directory has 33"):
        scan(package)


def test_a_package_of_many_files_is_scanned() -> None:
    scan(archive({f"file{number}.py": b"x = 1\n" for number in range(3000)}))


@bounded
@given(st.data())
def test_damaged_packages_are_errors(data: st.DataObject) -> None:
    method = data.draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]))
    whole = bytearray(archive({"a": b"password = 'hunter2hunter2'\n" * 5, "b": b"\0\1\2" * 40}, method))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(whole)))
    with contextlib.suppress(ApiError):
        scan(bytes(whole[:cut]) if data.draw(st.booleans()) else bytes(whole))


def test_a_dictionary_of_four_gigabytes_is_an_error_or_small() -> None:
    package = bytearray(archive({"a": b"x" * 100}, zipfile.ZIP_LZMA))
    start = package.index(b"\x5d\0\0\x80\0")  # the properties of LZMA and the size of its dictionary
    package[start + 1 : start + 5] = b"\xff\xff\xff\xff"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with contextlib.suppress(PackageError):
        scan(bytes(package))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1024**2, "KiB"
