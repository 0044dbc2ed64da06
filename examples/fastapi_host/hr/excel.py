"""The Excel import of the old system, which now saves the database first, and says how to go back when it breaks off."""

import asyncio
import io
import uuid
import zipfile
from datetime import datetime, timezone
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse, Response
from openpyxl import load_workbook
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError

from reprise import Actor, AsyncReprise, BusyError, RepriseError

from .session import Administrator, body_of

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FILE_MAX, UNPACKED_MAX, ROWS_MAX = 10 << 20, 100 << 20, 20_000
COLUMNS = ("number", "name", "email", "department")

router = APIRouter()
Document = dict[str, Any]
Rows = list[dict[str, str]]


class NoSheet(ValueError):
    """What was sent is no sheet of ours; the message says why."""


def rows_of(content: bytes) -> Rows:
    """The rows of the first sheet, whose first row names the columns: number, name, email, department."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(each.file_size for each in packed.infolist()) > UNPACKED_MAX:
                raise NoSheet("the file is too large once it is unpacked")
        sheet = load_workbook(io.BytesIO(content), read_only=True, data_only=True).worksheets[0]
        lines = [[_text(cell) for cell in row] for row in sheet.iter_rows(max_row=ROWS_MAX + 2, values_only=True)]
    except NoSheet:
        raise
    except Exception as error:  # openpyxl has no exception of its own for a damaged file
        raise NoSheet(f"this is no Excel file (.xlsx): {error}") from None
    head = [name.lower() for name in lines[0]] if lines else []
    missing = [name for name in COLUMNS if name not in head]
    if missing:
        raise NoSheet(f"the first row has no column {', '.join(missing)}")
    if len(lines) > ROWS_MAX + 1:
        raise NoSheet(f"there are more than {ROWS_MAX} rows")
    return [dict(zip(head, line, strict=False)) for line in lines[1:] if any(line)]


def _text(cell: object) -> str:
    return "" if cell is None else str(cell).strip()


async def write(database: AsyncDatabase[Document], rows: Rows) -> int:
    """Row by row, as the old import did: a row that cannot be written breaks it off, and those before it stay."""
    for line, row in enumerate(rows, start=2):
        if not row["name"] or "@" not in row["email"]:
            raise ValueError(f"row {line} has no name or no email")
        user = {"name": row["name"], "department": row["department"]}
        fresh = {"id": str(uuid.uuid4()), "role": "employee", "active": True, "created_at": datetime.now(timezone.utc)}
        found = await database.users.find_one_and_update(
            {"email": row["email"]}, {"$set": user, "$setOnInsert": fresh}, upsert=True, return_document=True
        )
        assert found is not None  # upsert
        try:
            await database.employees.update_one({"user_id": found["id"]}, {"$set": {"number": row["number"]}}, upsert=True)
        except PyMongoError as error:
            raise ValueError(f"row {line} was not taken: {type(error).__name__}") from error
    return len(rows)


@router.post("/api/import")
async def import_excel(request: Request, claims: Administrator) -> Response:
    """The body is the file. A browser sends this type across sites only after it has asked, so no other page can do it."""
    if request.headers.get("content-type") != XLSX:
        raise HTTPException(415, f"send the file as {XLSX}")
    content = await body_of(request, FILE_MAX)
    try:
        rows = await asyncio.to_thread(rows_of, content)
    except NoSheet as error:
        raise HTTPException(422, str(error)) from None
    reprise: AsyncReprise = request.app.state.reprise
    who: Actor = {"via": "rest", "who": claims["sub"], "from": request.client.host if request.client else ""}
    try:
        async with reprise.before("excel import", actor=who) as saved:
            written = await write(request.app.state.database, rows)
    except BusyError as error:
        raise HTTPException(409, f"nothing was imported: {error.message}") from None
    except RepriseError as error:
        raise HTTPException(503, f"nothing was imported, for no backup could be made: {error.message}") from None
    except (ValueError, PyMongoError) as error:
        # reprise told the log how to go back; the page offers it with a button.
        offer = getattr(error, "reprise_saved", None)
        return JSONResponse({"detail": str(error), "backup": offer.file if offer else None}, 422)
    return JSONResponse({"imported": written, "backup": saved.file})
