"""Passwords, as scrypt leaves them, in the field `password` of a user.

    ADMIN_PASSWORD=… python -m hr.accounts [EMAIL]   gives the administrator that password; without it a random one, shown once
"""

import asyncio
import hashlib
import hmac
import os
import secrets
import sys
import uuid
from datetime import datetime, timezone
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from . import settings

Document = dict[str, Any]
FIRST_ADMIN = "admin@company.com"
SHORTEST = 10
LONGEST = 1024
COST = {"n": 2**14, "r": 8, "p": 5}  # 16 MiB
BYTES = 32


def _scrypt(password: str, salt: bytes, cost: Document) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=cost["n"], r=cost["r"], p=cost["p"], dklen=BYTES)


def hashed(password: str) -> Document:
    salt = secrets.token_bytes(16)
    return {"scheme": "scrypt", **COST, "salt": salt, "hash": _scrypt(password, salt, COST)}


_NOBODY = hashed("nobody has this one")


def fits(password: str, stored: Document | None) -> bool:
    """In the time that a right one takes, also where there is no such user."""
    known = stored or _NOBODY
    same = hmac.compare_digest(_scrypt(password[:LONGEST], bytes(known["salt"]), known), bytes(known["hash"]))
    return same and stored is not None


async def set_password(database: AsyncDatabase[Document], email: str | None, password: str) -> str:
    """For that user, or the first administrator, who is made when there is none; returns the email."""
    wanted: Document = {"email": email} if email else {"role": "admin"}
    found = await database.users.find_one(wanted, sort=[("email", 1)])
    if found is not None and found.get("password") and fits(password, found["password"]):
        return str(found["email"])
    if found is None:
        now = datetime.now(timezone.utc)
        found = {"id": str(uuid.uuid4()), "name": "Administrator", "email": email or FIRST_ADMIN, "active": True}
        await database.users.insert_one({**found, "role": "admin", "department": "Direction", "created_at": now})
    await database.users.update_one({"email": found["email"]}, {"$set": {"password": hashed(password)}})
    return str(found["email"])


async def main(email: str | None) -> int:
    password = os.environ.get("ADMIN_PASSWORD", "")
    made = not password
    if made:
        password = secrets.token_urlsafe(12)
    if len(password) < SHORTEST:
        print(f"accounts: ADMIN_PASSWORD is shorter than {SHORTEST} characters", file=sys.stderr)
        return 2
    client: AsyncMongoClient[Document] = AsyncMongoClient(settings.MONGO_URL, tz_aware=True)
    async with client:
        email = await set_password(client[settings.DB_NAME], email, password)
    print(f"The administrator is {email}" + (f", the password {password} (shown this once)" if made else ""))
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else None)))
