"""Where the database and the backups are: the environment of the old system, with its defaults."""

import os

MONGO_URL = os.environ.get("MONGO_URL", "mongodb://127.0.0.1:27017")
DB_NAME = os.environ.get("DB_NAME", "test_database")
BACKUP_DIR = os.environ.get("BACKUP_DIR", "/app/data/backups")

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
