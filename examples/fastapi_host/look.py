"""What demo.sh looks at, from outside reprise: plain pymongo.

    python look.py counts | digest | total | user | drop | empty COLLECTION | port | wait PORT PID |
        admin | rest PORT EMAIL
"""

import hashlib
import json
import os
import socket
import sys
import time
import urllib.error
import urllib.request
from typing import Any

from bson import json_util
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient

from hr import settings

WAIT_S = 120


def names(database: Any) -> list[str]:
    """The collections of the application; what reprise keeps for itself is not among them."""
    return sorted(each for each in database.list_collection_names() if each != "reprise" and not each.startswith("reprise_"))


def digest(database: Any) -> str:
    """A line per collection: documents, their digest whatever their order, indexes and options."""
    lines = []
    for name in names(database):
        raw = database.get_collection(name, CodecOptions(document_class=RawBSONDocument))
        count = total = 0
        for document in raw.find():
            count += 1
            total += int.from_bytes(hashlib.sha256(document.raw).digest()[:16], "big")
        indexes = sorted(json_util.dumps(each) for each in database[name].list_indexes())
        options = json_util.dumps(database[name].options(), sort_keys=True)
        frame = hashlib.sha256(json.dumps([indexes, options]).encode()).hexdigest()[:12]
        lines.append(f"  {name:<18} {count:>6} documents {total % (1 << 128):032x}  {len(indexes)} indexes {frame}")
    return "\n".join(lines)


def wait(port: int, pid: int) -> bool:
    """Until the backend answers; False when its process ended or the time is over."""
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2) as answer:
                print(f"The backend answers: {answer.read().decode()}")
                return True
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            if os.path.exists(f"/proc/{pid}/stat") and open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] != "Z":
                time.sleep(0.1)
                continue
            return False
    return False


def back_up_over_rest(port: int, email: str) -> None:
    """Logs in as a person would, and makes a backup over REST."""
    url = f"http://127.0.0.1:{port}/api"
    login = json.dumps({"name": email, "password": os.environ["ADMIN_PASSWORD"]}).encode()
    asked = urllib.request.Request(f"{url}/login", login, {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=60) as answer:
        token = json.load(answer)["token"]
    headers = {"Authorization": f"Bearer {token}", "Accept-Language": "en"}
    create = urllib.request.Request(f"{url}/backup/create", headers=headers, method="POST")
    with urllib.request.urlopen(create, timeout=60) as answer:
        made = json.load(answer)
    print(f"POST /api/backup/create: {made['message']}: {made['backup_file']}")


def on_database(verb: str, rest: list[str]) -> int:
    client: MongoClient[dict[str, Any]] = MongoClient(settings.MONGO_URL, serverSelectionTimeoutMS=20_000)
    with client:
        database = client[settings.DB_NAME]
        if verb == "counts":
            print(", ".join(f"{name} {database[name].count_documents({})}" for name in names(database)))
        elif verb == "total":
            print(sum(database[name].count_documents({}) for name in names(database)))
        elif verb == "digest":
            print(digest(database))
        elif verb == "user":
            user = database.users.find_one({}, sort=[("email", 1)])
            print(f"The first user: {user['name']} <{user['email']}>, {user['role']}" if user else "There is no user.")
        elif verb == "admin":
            admin = database.users.find_one({"role": "admin"}, sort=[("email", 1)])
            print(admin["email"] if admin else "")
        elif verb == "drop":
            client.drop_database(settings.DB_NAME)
            print(f"{settings.DB_NAME} is dropped; collections left: {len(names(database))}")
        elif verb == "empty" and rest:
            print(f"{database[rest[0]].delete_many({}).deleted_count} documents deleted from {rest[0]}")
        else:
            return 2
    return 0


def main(arguments: list[str]) -> int:
    verb, others = arguments[0], arguments[1:]
    if verb == "port":
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            print(probe.getsockname()[1])
        return 0
    if verb == "wait":
        return 0 if wait(int(others[0]), int(others[1])) else 1
    if verb == "rest":
        back_up_over_rest(int(others[0]), others[1])
        return 0
    return on_database(verb, others)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
