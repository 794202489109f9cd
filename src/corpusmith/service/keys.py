"""Where an endpoint's key comes from, and how a stored one is kept.

Owns: reading key variables, encrypting and decrypting. Does not own: rows (store), sending, which
other values are secret (`sealing.py`).
A stored key is AES-256-GCM with the connection's row id as associated data, so that a ciphertext
moved to another row does not open. The encryption key comes from CORPUSMITH_SECRET_KEY or from
`secret.key` (mode 0600) in the data folder; it is made on first use and never replaced.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from contextlib import suppress
from pathlib import Path

from corpusmith.config import home, setting
from corpusmith.contracts import Secret
from corpusmith.errors import KeyMissing, UsageError
from corpusmith.store.store import SqlStore
from corpusmith.values import Connection

NONCE_BYTES = 12


def key_of(connection: Connection, store: SqlStore) -> Secret | None:
    """The key to send, or None when the endpoint takes none. Raises KeyMissing."""
    if connection.key_env:
        value = os.environ.get(connection.key_env, "").strip()
        if value:
            return Secret(_printable(value, connection))
        if not connection.key_stored:
            raise KeyMissing(connection=connection.name, variable=connection.key_env)
    if connection.key_stored:
        return load_key(connection.name, store)
    return None


def key_id(connection: Connection) -> str:
    """Names the key for limits, without telling anything of it."""
    return f"{connection.key_env or ''}|{connection.name if connection.key_stored else ''}"


def store_key(name: str, key: str, store: SqlStore) -> None:
    """Keep `key` for the connection `name`, encrypted."""
    store.connections.set_key(name, encrypted(key.strip(), _associated(name, store)))


def load_key(name: str, store: SqlStore) -> Secret:
    """The stored key. Raises UsageError when it cannot be opened, KeyMissing when there is none."""
    sealed = store.connections.get_key(name)
    if sealed is None:
        raise KeyMissing("key_missing_stored", connection=name)
    plain = decrypted(sealed, _associated(name, store))
    if plain is None:
        raise UsageError("secret_key_wrong", connection=name)
    return Secret(plain)


def encrypted(text: str, place: bytes) -> bytes:
    """Opens only where it is said to be of the same `place`. Raises UsageError."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(_encryption_key(make=True)).encrypt(nonce, text.encode(), place)


def decrypted(sealed: bytes, place: bytes) -> str | None:
    """None: it is of another place, or another key made it. Raises UsageError without any key."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    cipher = AESGCM(_encryption_key(make=False))
    try:
        return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place).decode()
    except (InvalidTag, ValueError):  # ValueError: too short to be one
        return None


def _printable(value: str, connection: Connection) -> str:
    if not value.isascii() or not value.isprintable():
        raise UsageError("key_not_ascii", variable=connection.key_env)
    return value


def _associated(name: str, store: SqlStore) -> bytes:
    return f"connection:{store.connections.id_of(name)}".encode()


def _encryption_key(*, make: bool) -> bytes:
    given = setting("secret_key")
    if given:
        return _decoded(given, "CORPUSMITH_SECRET_KEY")
    path = home() / "secret.key"
    if path.exists():
        return _decoded(path.read_text("ascii", errors="replace"), str(path))
    if not make:
        raise UsageError("secret_key_missing", path=str(path))
    return _new_key_file(path)


def _new_key_file(path: Path) -> bytes:
    """Another process may make it at this very moment: whoever is first has made it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}-{secrets.token_hex(8)}.part")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(base64.b64encode(os.urandom(32)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
    return _decoded(path.read_text("ascii", errors="replace"), str(path))


def _decoded(text: str, place: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise UsageError("secret_key_bad", place=place)
    return key
