"""schemathesis over openapi.json of the running hosts, each with a database and a folder that are thrown away."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import sys
from typing import Any

import pytest
from e2e import files, fingerprint
from hosts import KINDS, PREFIX, Host, afresh, standing, token

pytest.importorskip("schemathesis")
LONG = os.environ.get("REPRISE_LONG") == "1"
SECONDS, EXAMPLES = (300, 200) if LONG else (8, 8)
# A body may be right by its form and name no backup that is there, so 4xx is a right answer to anything. And who fails to
# authenticate too often is answered with 429, which the check of it does not know: the test below looks instead.
LEFT_OUT = "positive_data_acceptance,ensure_resource_availability,ignored_auth"


@pytest.mark.parametrize("kind", KINDS)
def test_every_answer_is_one_that_openapi_json_promises(kind: str, url: str, client: Any, tmp_path: pathlib.Path) -> None:
    with standing(kind, url, client, tmp_path / "backups") as (host, database):
        afresh(host, database)
        with host.client(token()) as web:
            for label in ("first", "second", "third"):  # the older ones may be deleted, pinned, restored
                assert web.post("/create", json={"label": label}).status_code == 200
        words = [shutil.which("schemathesis", path=os.path.dirname(sys.executable)) or "schemathesis", "run"]
        words += [f"{host.url}{PREFIX}/openapi.json", "--url", f"{host.url}{PREFIX}", "-H", f"Authorization: Bearer {token()}"]
        # cpp-httplib answers methods that it does not know (TRACE) by itself.
        left_out = LEFT_OUT + (",unsupported_method" if kind == "cpp_host" else "")
        words += ["--exclude-checks", left_out, "-n", str(EXAMPLES), "--max-time", str(SECONDS), "--seed", "1", "--no-color"]
        words += ["--request-timeout", "30", "--warnings", "off"]
        ended = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS * 3 + 60, check=False)
        assert ended.returncode == 0, ended.stdout[-15_000:] + ended.stderr[-2_000:]
        assert re.search(r"Tested: (\d+)", ended.stdout), ended.stdout[-3_000:]
        with host.client(token()) as web:
            assert web.get("/status").json()["latest"] is not None
        no_route_is_open(host, database)


def no_route_is_open(host: Host, database: Any) -> None:
    """But for the page, its description, and what the description says is open."""
    before = fingerprint(database)
    made = files(host.folder)
    with host.client() as web:
        described = web.get("/openapi.json").json()["paths"]
        for path, methods in described.items():
            for method in methods.keys() & {"get", "post", "delete"}:
                for bearer in ({}, {"Authorization": f"Bearer {token('employee')}"}, {"Authorization": "Basic YTpi"}):
                    address = path.replace("{filename}", "backup_latest.json").replace("{id}", "1")
                    answer = web.request(method, address, headers={**bearer, "X-Reprise": "1"})
                    assert answer.status_code in (401, 403, 429), (method, path, bearer, answer.text)
    assert fingerprint(database) == before and files(host.folder) == made
