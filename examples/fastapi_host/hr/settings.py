"""Where the database and the backups are: the environment of the old system, with its defaults."""

import json
import os
from typing import Any

MONGO_URL = os.environ.get("MONGO_URL", "mongodb://127.0.0.1:27017")
DB_NAME = os.environ.get("DB_NAME", "test_database")
BACKUP_DIR = os.environ.get("BACKUP_DIR", "/app/data/backups")
# Signs what the login gives out, and is shared by all workers. Without it nobody can log in.
JWT_SECRET = os.environ.get("JWT_SECRET", "")
# JSON, such as {"at": "02:00", "time_zone": "Europe/Paris"}; without it nothing is backed up by itself.
SCHEDULE: dict[str, Any] | None = json.loads(os.environ.get("BACKUP_SCHEDULE") or "null")

COOKIE = "session"
# Who may administer the backups: whoever holds a token of our own login whose role is admin.
ADMIN: dict[str, Any] | None = (
    {"jwt": {"algorithm": "HS256", "secret": JWT_SECRET}, "cookie": COOKIE} if JWT_SECRET else None
)

COLLECTIONS = (
    "users",
    "absences",
    "work_hours",
    "leave_balances",
    "leave_transactions",
    "cse_delegates",
    "cse_cessions",
    "employees",
    "absence_requests",
    "overtime",
)
