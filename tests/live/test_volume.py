"""Many documents go through with little memory: 20 000 here; REPRISE_LONG=1 (tests/run.sh --long) 400 000 and 2 000 000."""
import json
import os
import pathlib
import subprocess
import sys

import pytest

pymongo = pytest.importorskip("pymongo")
from bson import raw_bson  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMMAND = os.environ.get("REPRISE_COMMAND", str(ROOT / "build" / "release" / "bin" / "reprise"))
DATABASE = "reprise_volume"
PEAK_MIB = 256
BATCH = 10_000
SIZES = [20_000] + ([400_000, 2_000_000] if os.environ.get("REPRISE_LONG") else [])


def document(number: int) -> dict:
    """About 470 bytes of BSON, told apart by their number."""
    return {
        "_id": number,
        "id": f"{number:032x}",
        "name": f"Employée {number}",
        "email": f"employee{number}@company.example",
        "hours": number * 0.1,
        "badge": 4_000_000_000 + number,
        "days": [number % 25, number % 7, number % 3],
        "address": {"street": "12 rue de la République", "postcode": "69002", "city": "Lyon"},
        "notes": "Remplacement prévu: voir le planning partagé de l'équipe. " * 4,
    }


def fill(database, size: int) -> None:
    for number in range(0, size, BATCH):
        name = "users" if number % (4 * BATCH) == 0 else "work_hours"
        database[name].insert_many([document(n) for n in range(number, min(size, number + BATCH))], ordered=False)


def measure(database) -> dict[str, tuple[int, int]]:
    """Count, and an order-free sum over the raw bytes, of every collection that is not ours."""
    found = {}
    for name in database.list_collection_names():
        if name == "reprise" or name.startswith("reprise_"):
            continue
        collection = database.get_collection(name, database.codec_options.with_options(document_class=raw_bson.RawBSONDocument))
        count = total = 0
        for one in collection.find():
            count += 1
            total += hash(bytes(one.raw))
        found[name] = (count, total)
    return found


def run(url: str, folder: pathlib.Path, *words: str) -> tuple[dict, float]:
    """One call of the command: its result, and its peak memory as the kernel counted it."""
    environment = {**os.environ, "MONGO_URL": url, "DB_NAME": DATABASE, "BACKUP_DIR": str(folder)}
    measured = [sys.executable, "-S", str(ROOT / "tests/live/peak.py"), str(folder / "peak"), COMMAND, *words, "--json"]
    done = subprocess.run(measured, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout), int((folder / "peak").read_text()) / 1024


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("size", SIZES)
def test_peak_memory_stays_bounded_in_both_directions(url, tmp_path, size):
    client = pymongo.MongoClient(url)
    database = client[DATABASE]
    client.drop_database(DATABASE)
    fill(database, size)
    before = measure(database)
    assert sum(count for count, _ in before.values()) == size

    saved, peak = run(url, tmp_path, "backup")
    assert peak <= PEAK_MIB, f"backup of {size} documents took {peak:.0f} MiB"
    print(f"{size} documents: backup peak {peak:.0f} MiB")
    client.drop_database(DATABASE)

    _, peak = run(url, tmp_path, "restore")
    assert peak <= PEAK_MIB, f"restore of {size} documents took {peak:.0f} MiB"
    print(f"{size} documents: restore peak {peak:.0f} MiB")
    assert measure(database) == before
    client.drop_database(DATABASE)
    client.close()
