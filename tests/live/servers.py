"""Starts real MongoDB-compatible servers for the tests, on a free loopback port, with their data in a temporary folder.

As a context manager (pytest):   with start_server(kind="any") as server: ... server.url ...
As a command:                    python tests/live/servers.py run [--kind rs|py|any] [--standalone] [--auth] [--tls] -- CMD ...
which sets REPRISE_TEST_MONGO_URL for CMD and returns its exit code; a REPRISE_TEST_MONGO_URL that is already set is used
as it is and nothing is started. `serve` with the same flags prints url, pid, port, kind and the CA's file, one a line, and
runs until its standard input ends. `which` prints the kinds that can be started here.

Standard library only. A server dies with the process that started it, and is only ever stopped by its process id.
"""

import argparse
import contextlib
import ctypes
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

PROJECT = pathlib.Path(__file__).resolve().parents[2]
START_SECONDS = 60
STOP_SECONDS = 20
USER, PASSWORD = "tester", "p@ss/word:1"
PASSWORD_IN_URL = "p%40ss%2Fword%3A1"


class ServerMissing(Exception):
    """No server program of the wanted kind is on this machine."""


def find_program(kind):
    """Path of the server program of `kind` ("rs" or "py"), or None."""
    if kind == "rs":
        beside = PROJECT.parent / "shared" / "tools" / "secantusd-rs"
        if beside.is_file() and os.access(beside, os.R_OK):
            return str(beside)
        return shutil.which("secantusd-rs")
    in_venv = PROJECT / "build" / "venv" / "bin" / "secantusd-py"
    if in_venv.is_file():
        return str(in_venv)
    beside_python = pathlib.Path(sys.executable).parent / "secantusd-py"
    return str(beside_python) if beside_python.is_file() else shutil.which("secantusd-py")


def _choose(kind, needs_python):
    wanted = {"any": ["py"] if needs_python else ["rs", "py"], "rs": ["rs"], "py": ["py"]}[kind]
    for one in wanted:
        program = find_program(one)
        if program:
            return one, program
    raise ServerMissing("no test server here: put secantusd-rs on the PATH, or pip install secantusdb==0.7.0b3 into build/venv")


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


_LIBC = ctypes.CDLL(None, use_errno=True)


def _die_with_parent():
    _LIBC.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Server:
    """One running server. url, host, port, pid, kind; stop(), kill(), restart(); a context manager that stops it."""

    def __init__(self, kind, program, options, tls=None):
        self.kind, self.host, self.tls = kind, "127.0.0.1", tls
        self.folder = tempfile.mkdtemp(prefix="reprise-server-")
        if not os.access(program, os.X_OK):
            program = shutil.copy(program, self.folder)
            os.chmod(program, 0o700)
        self._program, self._options, self._process = program, list(options), None
        self.port = _free_port()
        self.user, self.password = None, None

    @property
    def pid(self):
        return self._process.pid if self._process else None

    @property
    def url(self):
        login = f"{USER}:{PASSWORD_IN_URL}@" if self.user else ""
        query = f"?tls=true&tlsCAFile={self.tls['ca']}" if self.tls else ""
        return f"mongodb://{login}{self.host}:{self.port}/{query}"

    def start(self, extra=()):
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self._process = subprocess.Popen(
                [self._program, "--host", self.host, "--port", str(self.port), "--log-level", "WARNING",
                 "--storage-path", os.path.join(self.folder, "data"), *self._options, *extra],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, preexec_fn=_die_with_parent)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError(f"{self._program} ended with {self._process.returncode}: {self.log()}")
            with contextlib.suppress(OSError), socket.create_connection((self.host, self.port), timeout=1):
                return self
            time.sleep(0.05)
        self.kill()
        raise RuntimeError(f"{self._program} did not listen within {START_SECONDS} s: {self.log()}")

    def log(self):
        with contextlib.suppress(OSError), open(os.path.join(self.folder, "log"), errors="replace") as log:
            return log.read()[-2000:]
        return ""

    def stop(self):
        """Ends it in good order and keeps its data (restart() finds them again)."""
        self._end(signal.SIGTERM)

    def kill(self):
        """kill -9; its data stay."""
        self._end(signal.SIGKILL)

    def _end(self, how):
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(how)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None

    def restart(self, extra=()):
        self.stop()
        return self.start(extra)

    def close(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def start_server(kind="any", standalone=False, auth=False, tls=None, test_commands=False, durable=False):
    """A running Server of its own. kind: any | rs | py. tls: a dict from make_certificates(). test_commands and tls need
    the Python server. With auth, user USER with PASSWORD may read, write and administer; the URL carries them. Without
    durable, kill() may lose what was acknowledged as journaled: these servers sync on commit only when they are told to."""
    chosen, program = _choose(kind, needs_python=bool(tls or test_commands))
    options = ["--standalone"] if standalone else []
    options += ["--enable-test-commands"] if test_commands else []
    options += ["--sync-on-commit"] if durable else []
    if tls:
        options += ["--tls-cert-file", tls["cert"], "--tls-key-file", tls["key"]]
    server = Server(chosen, program, options, tls)
    try:
        server.start()
        if auth:
            add_user(server, USER, PASSWORD, [{"role": "root", "db": "admin"}])
            server._options.append("--auth")
            server.restart()
            server.user, server.password = USER, PASSWORD
    except BaseException:
        server.close()
        raise
    return server


@contextlib.contextmanager
def any_server(**options):
    """The URL of REPRISE_TEST_MONGO_URL where it is set, else of a server started for the occasion."""
    url = os.environ.get("REPRISE_TEST_MONGO_URL")
    if url:
        yield url
        return
    with start_server(**options) as server:
        yield server.url


def add_user(server, name, password, roles, database="admin"):
    reply = run_command(server.host, server.port, database, {"createUser": name, "pwd": password, "roles": roles})
    if reply.get("ok") != 1.0:
        raise RuntimeError(f"createUser failed: {reply}")


# A client just big enough to prepare a server: one command over OP_MSG, without authentication or TLS. The scripted peer
# (tests/peer) speaks the same BSON: a tuple is a timestamp (seconds, increment), bytes are a UUID.
def encode(document):
    body = b""
    for key, value in document.items():
        name = key.encode() + b"\0"
        if isinstance(value, bool):
            body += b"\x08" + name + bytes([value])
        elif isinstance(value, int):
            small = -(2**31) <= value < 2**31
            body += (b"\x10" if small else b"\x12") + name + struct.pack("<i" if small else "<q", value)
        elif isinstance(value, float):
            body += b"\x01" + name + struct.pack("<d", value)
        elif isinstance(value, tuple):
            body += b"\x11" + name + struct.pack("<II", value[1], value[0])
        elif isinstance(value, bytes):
            body += b"\x05" + name + struct.pack("<iB", len(value), 4) + value
        elif isinstance(value, str):
            text = value.encode() + b"\0"
            body += b"\x02" + name + struct.pack("<i", len(text)) + text
        elif isinstance(value, dict):
            body += b"\x03" + name + encode(value)
        elif isinstance(value, list):
            body += b"\x04" + name + encode({str(i): item for i, item in enumerate(value)})
        else:
            raise TypeError(f"{key}: {type(value)}")
    return struct.pack("<i", len(body) + 5) + body + b"\0"


_FIXED = {0x01: 8, 0x07: 12, 0x08: 1, 0x09: 8, 0x0A: 0, 0x10: 4, 0x11: 8, 0x12: 8, 0x13: 16}
_UNPACK = {0x01: "<d", 0x08: "<?", 0x10: "<i", 0x12: "<q"}


def decode(data):
    result, at = {}, 4
    while data[at]:
        kind, end = data[at], data.index(0, at + 1)
        key, at = data[at + 1:end].decode(), end + 1
        if kind in _FIXED:
            raw = data[at:at + _FIXED[kind]]
            result[key] = struct.unpack(_UNPACK[kind], raw)[0] if kind in _UNPACK else raw
            if kind == 0x11:
                result[key] = struct.unpack("<II", raw)[::-1]
            at += _FIXED[kind]
            continue
        size = struct.unpack_from("<i", data, at)[0]
        if kind in (0x03, 0x04):
            result[key], at = decode(data[at:at + size]), at + size
        elif kind == 0x05:
            result[key], at = data[at + 5:at + 5 + size], at + 5 + size
        else:
            result[key], at = data[at + 4:at + 3 + size].decode(), at + 4 + size
    return result


def run_command(host, port, database, command):
    """Sends one command and returns its reply as a dict (arrays as dicts of "0", "1", …)."""
    with socket.create_connection((host, port), timeout=30) as link:
        payload = struct.pack("<I", 0) + b"\0" + encode({**command, "$db": database})
        link.sendall(struct.pack("<iiii", 16 + len(payload), 1, 0, 2013) + payload)
        answer = b""
        while len(answer) < 4 or len(answer) < struct.unpack_from("<i", answer)[0]:
            piece = link.recv(65536)
            if not piece:
                raise ConnectionError("the server closed the connection")
            answer += piece
        return decode(answer[21:])


def make_certificates(folder, names=("DNS:localhost", "IP:127.0.0.1")):
    """A CA and a server certificate by openssl in `folder`: {"ca", "cert", "key"} as paths."""
    folder = pathlib.Path(folder)
    paths = {name: str(folder / f"{name}.pem") for name in ("ca", "cert", "key", "ca_key")}

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=reprise test CA",
            "-keyout", paths["ca_key"], "-out", paths["ca"])
    openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost",
            "-keyout", paths["key"], "-out", str(folder / "request.pem"))
    extensions = folder / "extensions"
    extensions.write_text("subjectAltName=" + ",".join(names) + "\n")
    openssl("x509", "-req", "-in", str(folder / "request.pem"), "-CA", paths["ca"], "-CAkey", paths["ca_key"],
            "-CAcreateserial", "-days", "2", "-extfile", str(extensions), "-out", paths["cert"])
    return paths


def _run(arguments):
    command = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    if not command:
        print("servers.py run: no command after --", file=sys.stderr)
        return 2
    if os.environ.get("REPRISE_TEST_MONGO_URL"):
        return subprocess.run(command, check=False).returncode
    with tempfile.TemporaryDirectory(prefix="reprise-tls-") as folder:
        tls = make_certificates(folder) if arguments.tls else None
        with start_server(arguments.kind, arguments.standalone, arguments.auth, tls, arguments.test_commands) as server:
            environment = {**os.environ, "REPRISE_TEST_MONGO_URL": server.url, "REPRISE_TEST_SERVER_PID": str(server.pid),
                           "REPRISE_TEST_SERVER_KIND": server.kind}
            code = subprocess.run(command, check=False, env=environment).returncode
    return code if code >= 0 else 128 - code


def _serve(arguments):
    with tempfile.TemporaryDirectory(prefix="reprise-tls-") as folder:
        tls = make_certificates(folder) if arguments.tls else None
        with start_server(arguments.kind, arguments.standalone, arguments.auth, tls, arguments.test_commands) as server:
            print(server.url, server.pid, server.port, server.kind, tls["ca"] if tls else "-", sep="\n", flush=True)
            sys.stdin.buffer.read()
    return 0


def main():
    parser = argparse.ArgumentParser(description="Starts a test server and runs a command against it.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    run, serve = verbs.add_parser("run"), verbs.add_parser("serve")
    for verb in (run, serve):
        verb.add_argument("--kind", choices=["any", "rs", "py"], default="any")
        for flag in ("--standalone", "--auth", "--tls", "--test-commands"):
            verb.add_argument(flag, action="store_true")
    run.add_argument("command", nargs=argparse.REMAINDER)
    verbs.add_parser("which")
    arguments = parser.parse_args()
    if arguments.verb == "which":
        print(" ".join(kind for kind in ("rs", "py") if find_program(kind)))
        return 0
    try:
        return _run(arguments) if arguments.verb == "run" else _serve(arguments)
    except ServerMissing as missing:
        print(f"servers.py: {missing}", file=sys.stderr)
        return 3


if __name__ == "__main__":
    sys.exit(main())
