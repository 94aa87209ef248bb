"""The backup file: a ZIP with one CSV per object and a manifest that says what each must be.

`manifest.json` is written last: format, version, account, time, and per file its rows, bytes and SHA-256.
Nothing is ever unpacked to disk: names come from our own list, so a path in a foreign ZIP leads nowhere, and
sizes are checked before and while reading.
"""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, Any, Final

import msgspec

from propolis.bridge.backup_tables import TABLES, Table

FORMAT: Final = "propolis-backup"
VERSION: Final = 1
MANIFEST: Final = "manifest.json"
SAYS: Final = "The backup holds Propolis, not Syncro."
MAX_MANIFEST: Final = 1_000_000
MAX_CELL: Final = 16_000_000  # characters; the largest note anyone will type, many times over
MAX_BYTES: Final = 20_000_000_000  # unpacked
_BLOCK: Final = 1 << 20
# What zipfile and csv raise at bad bytes; RuntimeError: encrypted, or an unknown method.
_BROKEN: Final = (
    zipfile.BadZipFile,
    zlib.error,
    csv.Error,
    EOFError,
    OSError,
    ValueError,
    RuntimeError,
)

# Code → what the person reads; docs/errors.md lists them.
SENTENCES: Final = {
    "backup.unreadable": "The file {file} cannot be read.",
    "backup.truncated": (
        "This backup is cut short: the end of the file is missing. Nothing was changed here. "
        "Download or copy it again, or use another backup."
    ),
    "backup.foreign": (
        "This file is not a Propolis backup. Nothing was changed here. Choose a ZIP file that Propolis made "
        "under Account settings, Backups."
    ),
    "backup.newer": (
        "This backup was made by a newer Propolis (format {version}; this one reads up to {ours}). Nothing was "
        "changed here. Update Propolis, then try again."
    ),
    "backup.damaged": (
        "{file} in this backup does not agree with its manifest: the backup was changed after it was made, or "
        "damaged. Nothing was changed here. Use another backup."
    ),
    "backup.other_files": (
        "This backup lacks files or holds others than Propolis writes. Nothing was changed here. Use another "
        "backup."
    ),
    "backup.too_large": (
        "This backup is larger than {limit}, more than Propolis takes here. Nothing was changed here."
    ),
    "backup.other_account": (
        "This is a backup of another account ({theirs}), and {ours} has records already. Nothing was changed "
        "here. Restore it into an empty account."
    ),
    "backup.gone": (
        "The backup file is gone or was exchanged. Nothing was changed here. Use another backup."
    ),
}
DAMAGED: Final = SENTENCES["backup.damaged"]


class BackupRefused(Exception):
    """The file cannot be used; nothing was changed. `code`: a key of `SENTENCES`. `sentence`: for the person,
    with the facts its template names."""

    def __init__(self, code: str, **facts: str | int) -> None:
        self.code = code
        self.sentence = SENTENCES[code].format(**facts)
        super().__init__(self.sentence)


class FileEntry(msgspec.Struct, frozen=True):
    """`bytes`: unpacked. `rows`: without the headings."""

    name: str
    rows: int
    bytes: int
    sha256: str


class AccountEntry(msgspec.Struct, frozen=True):
    uid: str
    slug: str
    name: str
    phone_region: str
    time_zone: str
    currency: str


class Manifest(msgspec.Struct, frozen=True):
    """`overall`: SHA-256 of all the rest, see `seal`."""

    format: str
    version: int
    propolis: str
    account: AccountEntry
    made_at: str
    says: str
    files: tuple[FileEntry, ...]
    overall: str = ""

    @property
    def counts(self) -> dict[str, int]:
        """Rows per object, e.g. {"companies": 2310, …}."""
        return {entry.name.removesuffix(".csv"): entry.rows for entry in self.files}

    def entry(self, table: Table) -> FileEntry:
        return next(entry for entry in self.files if entry.name == table.file)


def seal(manifest: Manifest) -> str:
    """SHA-256 of the manifest without `overall`, in canonical JSON."""
    bare = msgspec.structs.replace(manifest, overall="")
    return hashlib.sha256(msgspec.json.encode(bare, order="sorted")).hexdigest()


# --- writing


class _Counted(io.RawIOBase):
    """Passes bytes on to `into`, hashing and counting them."""

    def __init__(self, into: IO[bytes]) -> None:
        self.into = into
        self.hash = hashlib.sha256()
        self.bytes = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.hash.update(data)
        self.bytes += len(data)
        self.into.write(data)
        return len(data)


def write_table(archive: zipfile.ZipFile, table: Table, rows: Iterator[list[str]]) -> FileEntry:
    """Adds one CSV; the rows are consumed as they come, none is kept."""
    count = 0
    with archive.open(table.file, "w", force_zip64=True) as entry:
        counted = _Counted(entry)
        with io.TextIOWrapper(io.BufferedWriter(counted, _BLOCK), "utf-8", newline="") as text:
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(table.headings)
            for row in rows:
                writer.writerow(row)
                count += 1
    return FileEntry(table.file, count, counted.bytes, counted.hash.hexdigest())


def write_manifest(archive: zipfile.ZipFile, manifest: Manifest) -> Manifest:
    """Adds the manifest, sealed, and answers it."""
    sealed = msgspec.structs.replace(manifest, overall=seal(manifest))
    archive.writestr(MANIFEST, msgspec.json.format(msgspec.json.encode(sealed), indent=2))
    return sealed


# --- reading


class _Hashed(io.RawIOBase):
    """Reads from `source`, hashing; stops at `limit` bytes whatever the ZIP's directory says."""

    def __init__(self, source: IO[bytes], limit: int) -> None:
        self.source = source
        self.left = limit
        self.hash = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self.source.read(len(buffer))
        self.left -= len(data)
        if self.left < 0:
            raise zipfile.BadZipFile("longer than its manifest says")
        self.hash.update(data)
        buffer[: len(data)] = data
        return len(data)


class BackupFile:
    """An opened backup whose manifest has been read and believed. Close it, or use it in a `with`."""

    def __init__(self, path: Path) -> None:
        self.archive = _open(path)
        try:
            self.manifest = _manifest(self.archive)
            _check_directory(self.archive, self.manifest)
        except BaseException:
            self.archive.close()
            raise

    def __enter__(self) -> BackupFile:
        return self

    def __exit__(self, *exc: object) -> None:
        self.archive.close()

    def rows(self, table: Table, *, skip: int = 0) -> Generator[list[str], None, None]:
        """The rows after the first `skip`. Raises `BackupRefused` where the file is not what the manifest
        says; that can be only at its end, so verify before acting on rows."""
        entry = self.manifest.entry(table)
        try:
            yield from self._rows(table, entry, skip)
        except _BROKEN as error:
            raise damaged(table.file) from error

    def _rows(self, table: Table, entry: FileEntry, skip: int) -> Generator[list[str], None, None]:
        csv.field_size_limit(MAX_CELL)
        with closing(self.archive.open(entry.name)) as source:
            hashed = _Hashed(source, entry.bytes)
            text = io.TextIOWrapper(io.BufferedReader(hashed, _BLOCK), "utf-8", newline="")
            reader = csv.reader(text, strict=True)
            if next(reader, None) != table.headings:
                raise ValueError("other columns")
            width, count = len(table.columns), 0
            for row in reader:
                count += 1
                if len(row) != width or count > entry.rows:
                    raise ValueError("other rows")
                if count > skip:
                    yield row
            if count != entry.rows or hashed.left or hashed.hash.hexdigest() != entry.sha256:
                raise ValueError("other content")


def damaged(file: str) -> BackupRefused:
    return BackupRefused("backup.damaged", file=file)


def _open(path: Path) -> zipfile.ZipFile:
    try:
        with path.open("rb") as file:
            begins_like_zip = file.read(4) == b"PK\x03\x04"
    except OSError as error:
        raise BackupRefused("backup.unreadable", file=path.name) from error
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        if begins_like_zip:
            raise BackupRefused("backup.truncated") from error
        raise _not_a_backup() from error


def _not_a_backup() -> BackupRefused:
    return BackupRefused("backup.foreign")


def _manifest(archive: zipfile.ZipFile) -> Manifest:
    try:
        info = archive.getinfo(MANIFEST)
    except KeyError as error:
        raise _not_a_backup() from error
    if info.file_size > MAX_MANIFEST:
        raise _not_a_backup()
    try:
        raw = archive.read(info)
    except _BROKEN as error:
        raise damaged(MANIFEST) from error
    return _believed(raw)


def _believed(raw: bytes) -> Manifest:
    """The manifest if it is one of ours, of a version we read, and unchanged."""
    try:
        head = msgspec.json.decode(raw)
        if not isinstance(head, dict) or head.get("format") != FORMAT:
            raise _not_a_backup()
        version = head.get("version")
        if isinstance(version, int) and version > VERSION:
            raise BackupRefused("backup.newer", version=version, ours=VERSION)
        manifest = msgspec.convert(head, Manifest)
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError) as error:
        raise damaged(MANIFEST) from error
    if seal(manifest) != manifest.overall:
        raise damaged(MANIFEST)
    return manifest


def _check_directory(archive: zipfile.ZipFile, manifest: Manifest) -> None:
    """Exactly our files, in the sizes the manifest says, in a compression we write."""
    ours = [table.file for table in TABLES]
    infos = archive.infolist()
    if sorted(info.filename for info in infos) != sorted([*ours, MANIFEST]):
        raise BackupRefused("backup.other_files")
    if [entry.name for entry in manifest.files] != ours:
        raise damaged(MANIFEST)
    sizes = {info.filename: info for info in infos}
    for entry in manifest.files:
        info = sizes[entry.name]
        known = info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
        if not known or info.flag_bits & 1 or info.file_size != entry.bytes:
            raise damaged(entry.name)
    if sum(entry.bytes for entry in manifest.files) > MAX_BYTES:
        raise BackupRefused("backup.too_large", limit="20 GB unpacked")
