"""A small, believable French company: the same people every time, with the types that plain JSON would lose.

    python -m hr.seed [PEOPLE]        fills the database, or leaves it alone when there are users
"""

import asyncio
import random
import sys
import uuid
from datetime import datetime, timedelta, timezone
from typing import Any

from bson import Binary, Decimal128, Int64, ObjectId
from pymongo import AsyncMongoClient

from . import settings
from .indexes import make_indexes

FIRST = "Sophie Élodie Amélie Chloé Inès Zoé Maëlys Noémie François Jérôme Léo Théo Anaïs Raphaël Gaël Ömer Siân John".split()
LAST = "Martin Bernard Dubois Lefèvre Müller O'Brien Nguyễn García Petit Łukasik Benoît Sørensen D'Angelo Moreau".split()
DEPARTMENTS = ("Direction", "Ressources humaines", "Production", "Logistique", "IT & Support", "Qualité")
KINDS = ("congés payés", "RTT", "maladie", "formation", "congé sans solde", "télétravail")
NOTES = ("", "à confirmer avec le N+1", "certificat reçu ✅", 'dit : "lundi"', "dossier C:\\RH\\2025", "half day\nmorning")
START = datetime(2025, 1, 6, 8, 0, tzinfo=timezone.utc)

Document = dict[str, Any]


def make(people: int = 40, seed: int = 20251012) -> dict[str, list[Document]]:
    """Documents for the ten collections: about 40 for every person."""
    dice = random.Random(seed)
    made: dict[str, list[Document]] = {name: [] for name in settings.COLLECTIONS}
    for number in range(people):
        user = _user(dice, number)
        made["users"].append(user)
        made["employees"].append(_employee(dice, number, user))
        _leave(dice, made, user)
        _hours(dice, made, user)
    for user in made["users"][:: max(people // 5, 1)]:
        _delegate(dice, made, user)
    return made


def _id(dice: random.Random) -> ObjectId:
    return ObjectId(dice.randbytes(12))


def _uuid(dice: random.Random) -> str:
    return str(uuid.UUID(bytes=dice.randbytes(16), version=4))


def _user(dice: random.Random, number: int) -> Document:
    first, last = dice.choice(FIRST), dice.choice(LAST)
    return {
        "_id": _id(dice),
        "id": _uuid(dice),
        "name": f"{first} {last}",
        "email": f"user{number:04d}@company.com",
        "role": "admin" if number == 0 else dice.choice(("employee", "employee", "manager")),
        "department": dice.choice(DEPARTMENTS),
        "active": dice.random() > 0.1,
        "created_at": START - timedelta(days=dice.randrange(4000), milliseconds=dice.randrange(1000)),
        "badge": Binary.from_uuid(uuid.UUID(bytes=dice.randbytes(16), version=4)),
        "last_login": None if dice.random() < 0.2 else START + timedelta(minutes=dice.randrange(100_000)),
    }


def _employee(dice: random.Random, number: int, user: Document) -> Document:
    return {
        "_id": _id(dice),
        "user_id": user["id"],
        "number": f"E{number:05d}",
        "hired": user["created_at"],
        "salary": Decimal128(f"{dice.randrange(21_000, 95_000)}.{dice.randrange(100):02d}"),
        "hours_per_week": dice.choice((35.0, 39.0, 28.5)),
        "social_id_hash": Int64(dice.getrandbits(62)),
        "address": {"street": f"{dice.randrange(1, 200)}, rue de l'Église", "zip": f"{dice.randrange(1000, 96000):05d}"},
        "photo": Binary(dice.randbytes(48)),
        "skills": dice.sample(["C++", "paie", "CACES", "anglais", "secourisme", "python"], dice.randrange(4)),
    }


def _leave(dice: random.Random, made: dict[str, list[Document]], user: Document) -> None:
    for year in (2024, 2025):
        taken = dice.randrange(0, 50) / 2
        balance = {"user_id": user["id"], "year": year, "earned": 25.0, "taken": taken, "left": 25.0 - taken}
        made["leave_balances"].append({"_id": _id(dice), **balance})
    for _ in range(dice.randrange(2, 7)):
        begin = START + timedelta(days=dice.randrange(300))
        days = dice.randrange(1, 11) / 2
        request = _id(dice)
        kind, note = dice.choice(KINDS), dice.choice(NOTES)
        status = dice.choice(("approved", "approved", "pending", "refused"))
        body = {"user_id": user["id"], "kind": kind, "start": begin, "days": days, "note": note}
        made["absence_requests"].append({"_id": request, **body, "status": status})
        if status != "approved":
            continue
        made["absences"].append({"_id": _id(dice), **body, "end": begin + timedelta(days=days), "request": request})
        change = {"user_id": user["id"], "at": begin, "change": -days, "reason": kind, "seq": Int64(dice.getrandbits(40))}
        made["leave_transactions"].append({"_id": _id(dice), **change})


def _hours(dice: random.Random, made: dict[str, list[Document]], user: Document) -> None:
    for day in range(20):
        worked: Document = {"user_id": user["id"], "day": START + timedelta(days=day), "minutes": dice.randrange(360, 600)}
        worked |= {"ratio": worked["minutes"] / 420, "validated": dice.random() > 0.3}
        made["work_hours"].append({"_id": _id(dice), **worked})
    for week in dice.sample(range(1, 53), 3):
        extra = {"user_id": user["id"], "week": week, "hours": dice.choice((0.5, 1.0, 2.25, 7.0)), "paid": False}
        made["overtime"].append({"_id": _id(dice), **extra})


def _delegate(dice: random.Random, made: dict[str, list[Document]], user: Document) -> None:
    made["cse_delegates"].append({"_id": _id(dice), "user_id": user["id"], "college": "employés", "hours_per_month": 22})
    for month in (1, 2, 3):
        other = dice.choice(made["users"])["id"]
        cession = {"from_user": user["id"], "to_user": other, "month": f"2025-{month:02d}", "hours": dice.randrange(1, 8)}
        made["cse_cessions"].append({"_id": _id(dice), **cession})


async def fill(people: int) -> int:
    """Inserts the seed into an empty database; returns how many documents were inserted."""
    inserted = 0
    client: AsyncMongoClient[Document] = AsyncMongoClient(settings.MONGO_URL, tz_aware=True)
    async with client:
        database = client[settings.DB_NAME]
        if await database.users.find_one({}, {"_id": 1}) is not None:
            return 0
        await make_indexes(database)
        for name, documents in make(people).items():
            await database[name].insert_many(documents)
            inserted += len(documents)
    return inserted


if __name__ == "__main__":
    count = asyncio.run(fill(int(sys.argv[1]) if len(sys.argv) > 1 else 40))
    name = settings.DB_NAME
    print(f"{count} documents inserted into {name}" if count else f"{name} has users already: left alone")
