"""The indexes that the backend makes for itself. Made after reprise had its turn: a restore brings its own."""

from typing import Any

from pymongo import ASCENDING, DESCENDING
from pymongo.asynchronous.database import AsyncDatabase

INDEXES: dict[str, list[tuple[list[tuple[str, int]], dict[str, Any]]]] = {
    "users": [
        ([("email", ASCENDING)], {"unique": True, "name": "email_unique"}),
        ([("department", ASCENDING), ("name", ASCENDING)], {"name": "department_name"}),
    ],
    "absences": [([("user_id", ASCENDING), ("start", DESCENDING)], {"name": "user_start"})],
    "work_hours": [([("user_id", ASCENDING), ("day", ASCENDING)], {"unique": True, "name": "user_day"})],
    "leave_balances": [([("user_id", ASCENDING), ("year", ASCENDING)], {"unique": True, "name": "user_year"})],
    "leave_transactions": [([("user_id", ASCENDING), ("at", DESCENDING)], {"name": "user_at"})],
    "cse_cessions": [([("from_user", ASCENDING)], {"name": "from_user", "sparse": True})],
    "employees": [([("number", ASCENDING)], {"unique": True, "name": "number_unique"})],
    "absence_requests": [
        ([("status", ASCENDING)], {"name": "pending", "partialFilterExpression": {"status": "pending"}}),
    ],
    "overtime": [([("user_id", ASCENDING), ("week", ASCENDING)], {"name": "user_week"})],
}


async def make_indexes(database: AsyncDatabase[dict[str, Any]]) -> None:
    for collection, wanted in INDEXES.items():
        for keys, options in wanted:
            await database[collection].create_index(keys, **options)
