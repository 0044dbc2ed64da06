"""A scripted peer that speaks MongoDB's wire protocol: it shows what no test server can.

    python tests/peer/peer.py [--time honor|lie|late-lie|239|246] [--version 7.0.0] [--writes allowed|denied] [--mongos]

prints its port and then every command it was sent, one JSON object a line, and ends with its standard input. It holds
database "app" with collections "first" and "second" of 300 documents each. Its clock moves on with every read, and each
tick adds a document to both: only reads at one cluster time see one state.

--time  honor: reads at atClusterTime see that time's state and say so · lie: atClusterTime is taken and ignored, and the
        reply says the time it really used · late-lie: the same, said in getMore only · 239, 246: refused with that code
        (239 only when a time is asked for: the history is gone)
--mongos: it says that it is one; "first" is sharded by {tenant: 1, "at.day": "hashed"}
Standard library only. Not a server: no filters, no indexes but _id, no storage.
"""

import argparse
import json
import pathlib
import socketserver
import struct
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "live"))
from servers import decode, encode  # noqa: E402

BASE, SECONDS = 300, 1_700_000_000
UUIDS = {"first": b"1" * 16, "second": b"2" * 16}
DENIED = {"insert", "update", "findAndModify", "create", "createIndexes", "drop", "renameCollection", "collMod"}


class Peer:
    def __init__(self, options):
        self.options, self.lock = options, threading.Lock()
        self.ticks, self.cursors, self.renamed = 0, {}, {}

    def answer(self, command, port):
        with self.lock:
            print(json.dumps(command, default=lambda value: value.hex()), flush=True)
            name = next(iter(command))
            if self.options.writes == "denied" and name in DENIED:
                return self.error(13, "Unauthorized")
            handler = getattr(self, "on_" + name.lower(), None)
            return handler(command, port) if handler else self.error(59, "CommandNotFound")

    @staticmethod
    def error(code, name):
        return {"ok": 0.0, "code": code, "codeName": name, "errmsg": "s3cret text of the server"}

    def on_hello(self, _, port):
        me = f"127.0.0.1:{port}"
        if self.options.mongos:
            return {"ok": 1.0, "isWritablePrimary": True, "ismaster": True, "msg": "isdbgrid", "maxBsonObjectSize": 16777216,
                    "maxMessageSizeBytes": 48000000, "maxWriteBatchSize": 100000, "minWireVersion": 0, "maxWireVersion": 21,
                    "logicalSessionTimeoutMinutes": 30, "readOnly": False}
        return {"ok": 1.0, "isWritablePrimary": True, "ismaster": True, "setName": "peer", "hosts": [me], "primary": me,
                "me": me, "setVersion": 1, "secondary": False, "maxBsonObjectSize": 16777216, "maxMessageSizeBytes": 48000000,
                "maxWriteBatchSize": 100000, "minWireVersion": 0, "maxWireVersion": 21, "logicalSessionTimeoutMinutes": 30,
                "readOnly": False}

    on_ismaster = on_hello

    def on_buildinfo(self, *_):
        return {"ok": 1.0, "version": self.options.version}

    def on_ping(self, *_):
        return {"ok": 1.0}

    on_endsessions = on_killcursors = on_create = on_createindexes = on_ping

    def on_insert(self, *_):
        return {"ok": 1.0, "n": 0, "writeErrors": [{"index": 0, "code": 9999, "codeName": "s3cret of Ana", "errmsg": "s3cret"}]}

    def on_findandmodify(self, *_):
        return {"ok": 1.0, "value": {"_id": "lease"}}

    def on_drop(self, *_):
        return self.error(26, "NamespaceNotFound")

    def on_renamecollection(self, command, _):
        live = UUIDS.get(command["renameCollection"].partition(".")[2])
        if "collectionUUID" in command and command["collectionUUID"] != live:
            return self.error(361, "CollectionUUIDMismatch")
        return {"ok": 1.0}

    def on_dbstats(self, *_):
        return {"ok": 1.0, "dataSize": 1000.0, "indexSize": 100.0}

    def on_listcollections(self, command, _):
        wanted = command.get("filter", {}).get("name")
        found = [{"name": name, "type": "collection", "options": {}, "info": {"readOnly": False, "uuid": uuid}}
                 for name, uuid in UUIDS.items() if command["$db"] == "app" and wanted in (None, name)]
        return self.cursor(command, "$cmd.listCollections", found)

    def on_listindexes(self, command, _):
        return self.cursor(command, command["listIndexes"], [{"v": 2, "key": {"_id": 1}, "name": "_id_"}])

    def cursor(self, command, collection, documents, **more):
        return {"ok": 1.0, "cursor": {"firstBatch": documents, "id": 0, "ns": f"{command['$db']}.{collection}", **more}}

    def state_at(self, tick):
        return [{"_id": number, "text": f"document {number}"} for number in range(BASE + tick)]

    def on_find(self, command, _):
        concern, mode = command.get("readConcern", {}), self.options.time
        snapshot, asked = concern.get("level") == "snapshot", concern.get("atClusterTime")
        if self.options.mongos and command["$db"] == "config" and command["find"] == "collections":
            if command.get("filter", {}).get("_id", "app.first") not in ("app.first", {"$gte": "app.", "$lt": "app/"}):
                return self.cursor(command, "collections", [])
            key = {"tenant": 1, "at.day": "hashed"}
            return self.cursor(command, "collections", [{"_id": "app.first", "key": key, "unique": False}])
        if command["find"] not in UUIDS or command["$db"] != "app":
            return self.cursor(command, command["find"], [])
        if snapshot and (mode == "246" or (mode == "239" and asked)):
            return self.error(int(mode), "SnapshotUnavailable" if mode == "246" else "SnapshotTooOld")
        self.ticks += 1
        tick = asked[0] - SECONDS if asked and mode == "honor" else self.ticks
        said = [asked if asked and mode == "late-lie" else (SECONDS + tick, 1), (SECONDS + tick, 1)]
        documents = self.state_at(tick)
        limit = command.get("limit") or len(documents)
        documents, batch = documents[:limit], min(command.get("batchSize", 101), limit)
        reply = self.cursor(command, command["find"], documents[:batch], **({"atClusterTime": said[0]} if snapshot else {}))
        if len(documents) > batch:
            number = len(self.cursors) + 1
            self.cursors[number] = (documents[batch:], said[1] if snapshot else None)
            reply["cursor"]["id"] = number
        return reply

    def on_getmore(self, command, _):
        documents, time = self.cursors.pop(command["getMore"], (None, None))
        if documents is None:
            return self.error(43, "CursorNotFound")
        batch = command.get("batchSize", 100000)
        rest = {"nextBatch": documents[:batch], "id": 0, "ns": f"{command['$db']}.{command['collection']}"}
        if time:
            rest["atClusterTime"] = time
        if len(documents) > batch:
            rest["id"] = command["getMore"]
            self.cursors[command["getMore"]] = (documents[batch:], time)
        return {"ok": 1.0, "cursor": rest}


class Link(socketserver.BaseRequestHandler):
    def exactly(self, size):
        data = b""
        while len(data) < size:
            piece = self.request.recv(size - len(data))
            if not piece:
                raise ConnectionError
            data += piece
        return data

    def handle(self):
        peer, port = self.server.peer, self.server.server_address[1]
        try:
            while True:
                length, number, _, kind = struct.unpack("<iiii", self.exactly(16))
                body = self.exactly(length - 16)
                if kind == 2004:  # OP_QUERY: a driver's first hello
                    reply = encode(peer.answer(decode(body[body.index(0, 4) + 9:]), port))
                    payload, answer = struct.pack("<iqii", 8, 0, 0, 1) + reply, 1
                else:
                    payload, answer = b"\0\0\0\0\0" + encode(peer.answer(decode(body[5:]), port)), 2013
                self.request.sendall(struct.pack("<iiii", 16 + len(payload), number + 1, number, answer) + payload)
        except (ConnectionError, OSError):
            return


class Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--time", choices=["honor", "lie", "late-lie", "239", "246"], default="honor")
    parser.add_argument("--version", default="7.0.0")
    parser.add_argument("--writes", choices=["allowed", "denied"], default="allowed")
    parser.add_argument("--mongos", action="store_true")
    options = parser.parse_args()
    with Listener(("127.0.0.1", 0), Link) as listener:
        listener.peer = Peer(options)
        print(listener.server_address[1], flush=True)
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        sys.stdin.buffer.read()
        listener.shutdown()


if __name__ == "__main__":
    main()
