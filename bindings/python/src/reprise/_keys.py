"""Key pairs: made here, kept in files that only their owner can read."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass, field

from . import _abi
from ._errors import BusyError


@dataclass(frozen=True)
class KeyPair:
    """`secret` is an identity file or PKCS#8 PEM, never shown by repr(); `shared` is `age1…` or SPKI PEM."""

    kind: str
    secret: bytes = field(repr=False)
    shared: str

    def write(self, path: str | os.PathLike[str]) -> None:
        """Writes the secret to a new file of mode 0600; an existing one is never written over."""
        name = os.fspath(path)
        try:
            descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except FileExistsError:
            said = f"{name} is there already, and a key is never written over: choose another name"
            raise BusyError(said, "name_taken") from None
        try:
            with open(descriptor, "wb") as file:
                os.fchmod(descriptor, 0o600)
                file.write(self.secret)
                file.flush()
                os.fsync(descriptor)
            _keep_entry(os.path.dirname(os.path.abspath(name)))
        except BaseException:
            os.unlink(name)  # half a key is worse than none
            raise


def _keep_entry(folder: str) -> None:
    """A name that a power cut takes away would take the key of every backup made for it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as problem:
        if problem.errno != errno.EINVAL:  # of a kind that has nothing to make durable
            raise
    finally:
        os.close(descriptor)


def new_key(kind: str = "age") -> KeyPair:
    """kind: `age` (an identity and its recipient) or `signing` (Ed25519)."""
    secret, shared = _abi.abi().key_new(kind)
    return KeyPair(kind, secret, shared)


def shared_part(secret: bytes | str) -> str:
    """The recipients of an identity file, one a line, or the public PEM of a signing key."""
    return _abi.abi().key_recipient(secret.encode() if isinstance(secret, str) else secret)
