"""The login: a password against a token (JWT), which reprise's interface accepts too, in the header or in a cookie."""

import asyncio
import json
import time
from typing import Annotated, Any
from urllib.parse import parse_qs

import jwt
from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from . import accounts, settings

LIFE_S = 8 * 60 * 60
BODY_MAX = 8 * 1024

router = APIRouter()
Claims = dict[str, Any]
# Each check of a password takes 16 MiB and a tenth of a second.
_checks = asyncio.Semaphore(2)


def token_for(user: Claims) -> str:
    now = int(time.time())
    claims = {"sub": user["email"], "name": user["name"], "role": user["role"], "iat": now, "exp": now + LIFE_S}
    return jwt.encode(claims, settings.JWT_SECRET, algorithm="HS256")


async def body_of(request: Request, most: int) -> bytes:
    """413 as soon as more than that has come."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > most:
            raise HTTPException(413, f"more than {most} bytes")
    return bytes(body)


async def _given(request: Request) -> tuple[str, str]:
    """`name` (an email) and `password`, from a form or from JSON."""
    body = (await body_of(request, BODY_MAX)).decode(errors="replace")
    if not request.headers.get("content-type", "").startswith("application/json"):
        found = {key: each[0] for key, each in parse_qs(body).items()}
        return found.get("name", ""), found.get("password", "")
    try:
        fields = json.loads(body)
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        raise HTTPException(422, "name and password are needed")
    return str(fields.get("name", "")), str(fields.get("password", ""))


@router.post("/api/login")
async def log_in(request: Request) -> Response:
    if not settings.JWT_SECRET:
        raise HTTPException(503, "set JWT_SECRET, the same for all workers, to log in")
    name, password = await _given(request)
    user = await request.app.state.database.users.find_one({"email": name, "active": True})
    async with _checks:
        right = await asyncio.to_thread(accounts.fits, password, user.get("password") if user else None)
    if user is None or not right:
        raise HTTPException(401, "wrong name or password")
    token = token_for(user)
    answer: Response = JSONResponse({"token": token, "name": user["name"], "role": user["role"]})
    if "text/html" in request.headers.get("accept", ""):
        answer = RedirectResponse("../", status_code=303)
    answer.set_cookie(
        settings.COOKIE, token, max_age=LIFE_S, httponly=True, samesite="strict", secure=request.url.scheme == "https"
    )
    return answer


@router.post("/api/logout", status_code=204)
async def log_out(response: Response) -> None:
    response.delete_cookie(settings.COOKIE, httponly=True, samesite="strict")


def person(request: Request) -> Claims:
    """The claims of the token of somebody who is logged in; 401 without one."""
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    token = bearer if scheme.lower() == "bearer" else request.cookies.get(settings.COOKIE, "")
    try:
        claims: Claims = jwt.decode(token, settings.JWT_SECRET, algorithms=["HS256"], options={"require": ["exp", "sub"]})
    except jwt.PyJWTError:
        raise HTTPException(401, "log in first", {"WWW-Authenticate": "Bearer"}) from None
    return claims


Person = Annotated[Claims, Depends(person)]


def administrator(claims: Person) -> Claims:
    """The same of an administrator; 403 for anybody else."""
    if claims.get("role") != "admin":
        raise HTTPException(403, "this is for administrators")
    return claims


Administrator = Annotated[Claims, Depends(administrator)]


@router.get("/api/me")
async def me(claims: Administrator) -> Claims:
    return {"email": claims["sub"], "name": claims.get("name", ""), "role": claims["role"]}
