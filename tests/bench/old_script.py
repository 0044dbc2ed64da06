"""The system that reprise replaces, as its guide describes it: every collection into a list, all of it into one json.dump."""
import datetime
import json
import pathlib
import sys

import pymongo


def main(url: str, database: str, folder: str) -> None:
    client: pymongo.MongoClient = pymongo.MongoClient(url)
    now = datetime.datetime.now(datetime.timezone.utc)
    collections = {}
    for name in client[database].list_collection_names():
        if name != "reprise" and not name.startswith("reprise_"):
            collections[name] = list(client[database][name].find())
    backup = {"backup_date": now.isoformat(), "database": database, "collections": collections}
    with open(pathlib.Path(folder, f"backup_{now:%Y%m%d_%H%M%S}.json"), "w", encoding="utf-8") as out:
        json.dump(backup, out, default=str, indent=2)
    client.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
