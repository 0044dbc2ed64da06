"""A small HR backend. Its start is the point: reprise first, then our own indexes, then requests."""

import logging
import pathlib
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timezone
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import FileResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, Field
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError, PyMongoError

from hr import excel, session, settings
from hr.indexes import make_indexes
from reprise import AsyncReprise, asgi, lifespan

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(name)s %(levelname)s %(message)s")

Document = dict[str, Any]
WEB = pathlib.Path(__file__).resolve().parent / "web"

reprise = AsyncReprise(
    settings.MONGO_URL, settings.DB_NAME, settings.BACKUP_DIR, admin=settings.ADMIN, schedule=settings.SCHEDULE
)


@asynccontextmanager
async def life(app: FastAPI) -> AsyncIterator[None]:
    """Brings the data back when the database is empty; a start that must not go on raises, and the server exits.

    A backend without a start of its own says FastAPI(lifespan=lifespan(reprise)), and needs nothing of this.
    """
    client: AsyncMongoClient[Document] = AsyncMongoClient(settings.MONGO_URL, tz_aware=True)
    async with lifespan(reprise) as started, client:
        app.state.reprise = reprise
        app.state.database = client[settings.DB_NAME]
        app.state.started = started.result
        await make_indexes(app.state.database)
        yield


app = FastAPI(title="HR", lifespan=life)
app.mount("/api/backup", asgi(reprise))


@app.get("/api/backup", include_in_schema=False)
async def backup_page() -> RedirectResponse:
    """Starlette would send there with an address made of the header Host; a relative one is right behind any proxy."""
    return RedirectResponse("backup/", status_code=308)


app.include_router(session.router)
app.include_router(excel.router)


def database(request: Request) -> AsyncDatabase[Document]:
    found: AsyncDatabase[Document] = request.app.state.database
    return found


def shown(document: Document) -> Document:
    """A document for JSON: ids as text, the bytes and what belongs to nobody else left out."""
    kept = {key: value for key, value in document.items() if key != "password" and not isinstance(value, bytes)}
    return {key: str(value) if key == "_id" else value for key, value in kept.items()}


class NewUser(BaseModel):
    name: str = Field(min_length=1, max_length=200)
    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=200)
    department: str = "Production"
    role: str = Field("employee", pattern="^(employee|manager)$")  # administrators are made by nobody's request


class NewAbsence(BaseModel):
    user_id: str
    kind: str
    start: datetime
    days: float = Field(gt=0, le=365)
    note: str = ""


@app.get("/healthz")
async def healthz(request: Request) -> Document:
    try:
        await database(request).command("ping")
    except PyMongoError:
        raise HTTPException(503, "the database does not answer") from None
    return {"ok": True, "startup": request.app.state.started}


@app.get("/api/counts")
async def counts(request: Request) -> dict[str, int]:
    return {name: await database(request)[name].count_documents({}) for name in settings.COLLECTIONS}


@app.get("/api/users")
async def users(request: Request, _: session.Person, department: str | None = None, limit: int = 50) -> list[Document]:
    query = {"department": department} if department else {}
    found = database(request).users.find(query, {"badge": 0, "password": 0}).sort("name").limit(max(1, min(limit, 500)))
    return [shown(each) async for each in found]


@app.post("/api/users", status_code=201)
async def add_user(request: Request, _: session.Administrator, user: NewUser) -> Document:
    document = {"id": str(uuid.uuid4()), **user.model_dump(), "active": True, "created_at": datetime.now(timezone.utc)}
    try:
        await database(request).users.insert_one(document)
    except DuplicateKeyError:
        raise HTTPException(409, "this email is taken") from None
    return shown(document)


@app.get("/api/users/{user_id}")
async def one_user(request: Request, _: session.Person, user_id: str) -> Document:
    found = await database(request).users.find_one({"id": user_id}, {"badge": 0, "password": 0})
    if found is None:
        raise HTTPException(404, "no such user")
    return shown(found)


@app.delete("/api/users/{user_id}", status_code=204)
async def remove_user(request: Request, _: session.Administrator, user_id: str) -> None:
    if (await database(request).users.delete_one({"id": user_id})).deleted_count == 0:
        raise HTTPException(404, "no such user")


@app.get("/api/users/{user_id}/absences")
async def absences(request: Request, _: session.Person, user_id: str) -> list[Document]:
    found = database(request).absences.find({"user_id": user_id}).sort("start", -1).limit(500)
    return [{**shown(each), "request": str(each.get("request"))} async for each in found]


@app.post("/api/absence-requests", status_code=201)
async def ask_absence(request: Request, _: session.Person, absence: NewAbsence) -> Document:
    if await database(request).users.find_one({"id": absence.user_id}, {"_id": 1}) is None:
        raise HTTPException(404, "no such user")
    document = {**absence.model_dump(), "status": "pending"}
    await database(request).absence_requests.insert_one(document)
    return shown(document)


@app.get("/")
async def page() -> FileResponse:
    return FileResponse(WEB / "index.html")


app.mount("/web", StaticFiles(directory=WEB))
