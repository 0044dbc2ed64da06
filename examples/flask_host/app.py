"""A small Flask backend with reprise: the data back before the first request, and the backups under /api/backup.

Each worker imports this after it was forked (gunicorn without --preload), so that what runs belongs to the worker.
"""

import hmac
import logging
import os
import time
from typing import Any

import jwt
from flask import Flask, Response, abort, jsonify, request
from pymongo import MongoClient
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from reprise import Reprise, wsgi

MONGO_URL = os.environ.get("MONGO_URL", "mongodb://127.0.0.1:27017")
DB_NAME = os.environ.get("DB_NAME", "test_database")
BACKUP_DIR = os.environ.get("BACKUP_DIR", "/app/data/backups")
JWT_SECRET = os.environ.get("JWT_SECRET", "")
ADMIN_PASSWORD = os.environ.get("ADMIN_PASSWORD", "")
LIFE_S = 8 * 60 * 60

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(name)s %(levelname)s %(message)s")

admin = {"jwt": {"algorithm": "HS256", "secret": JWT_SECRET}, "cookie": "session"} if JWT_SECRET else None
reprise = Reprise(MONGO_URL, DB_NAME, BACKUP_DIR, admin=admin)
started = reprise.auto().raise_unless_ready()
reprise.start_service()

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 1 << 20
app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/api/backup": wsgi(reprise)})  # type: ignore[method-assign]
database = MongoClient[dict[str, Any]](MONGO_URL, tz_aware=True)[DB_NAME]


@app.get("/healthz")
def healthz() -> Response:
    database.command("ping")
    return jsonify(ok=True, startup=started.result)


@app.get("/")
def page() -> str:
    return """<!doctype html><html lang="en"><meta charset="utf-8"><title>HR</title><h1>HR</h1>
<form method="post" action="api/login"><label>Name <input name="name" value="admin"></label>
<label>Password <input name="password" type="password"></label> <button>Log in</button></form>
<p><a href="api/backup/">Backups</a></p>"""


@app.post("/api/login")
def log_in() -> Response:
    """One administrator, whose password stands in the environment. The token is good for reprise's interface too."""
    if not ADMIN_PASSWORD or not JWT_SECRET:
        abort(503, "set ADMIN_PASSWORD and JWT_SECRET to log in")
    given = request.form.get("password", "")
    if not hmac.compare_digest(given.encode(), ADMIN_PASSWORD.encode()):
        abort(401, "wrong name or password")
    claims = {"sub": request.form.get("name") or "admin", "role": "admin", "exp": int(time.time()) + LIFE_S}
    token = jwt.encode(claims, JWT_SECRET, algorithm="HS256")
    answer = jsonify(token=token)
    answer.set_cookie("session", token, max_age=LIFE_S, httponly=True, samesite="Strict", secure=request.is_secure)
    return answer


@app.get("/api/counts")
def counts() -> Response:
    return jsonify({name: database[name].count_documents({}) for name in ("users", "absences", "employees")})
