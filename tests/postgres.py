"""A throw-away PostgreSQL server, made of the programs that the machine has."""

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

USER = "shop"
_ACCOUNTS = ("postgres", "nobody")
"""Who may run the server where the tests run as root, which it refuses."""
_PATIENCE_SECONDS = 60
_ANSWERING = """
    SELECT coalesce(bool_or(now() - xact_start > interval '0.5 s'), false) FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server: its programs, its folder and its port on 127.0.0.1."""

    programs: Path
    folder: Path
    port: int
    password: str
    account: str | None

    @property
    def address(self) -> str:
        """As `location` of a source; it asks for the password."""
        return f"jdbc:postgresql://127.0.0.1:{self.port}/postgres"

    def run(self, sql: str) -> str:
        """Run statements through the socket, which asks for no password; what they print."""
        command = ["-h", str(self.folder), "-p", str(self.port), "-U", USER, "-d", "postgres"]
        return self.program("psql", *command, "-qtAX", "-v", "ON_ERROR_STOP=1", "-c", sql)

    def stop(self) -> None:
        """End it at once, as a crash would."""
        self.program("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "stop")

    @contextmanager
    def stopping_midway(self) -> Iterator[None]:
        """Stop it within the block, once it is in the middle of answering somebody."""
        stopping = threading.Thread(target=self._stop_midway)
        stopping.start()
        try:
            yield
        finally:
            stopping.join()

    def _stop_midway(self) -> None:
        until = time.monotonic() + _PATIENCE_SECONDS
        while self.run(_ANSWERING) == "f" and time.monotonic() < until:
            time.sleep(0.1)
        self.stop()

    def program(self, name: str, *arguments: str) -> str:
        """Run one of the server's programs as the account; what it prints."""
        account = pwd.getpwnam(self.account) if self.account else None
        answer = subprocess.run(
            [self.programs / name, *arguments],
            cwd=self.folder,
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
        assert answer.returncode == 0, answer.stdout
        return answer.stdout.strip()


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Make a server in a folder of its own; both are gone afterwards."""
    programs, account = _programs(), _account()
    folder = Path(tempfile.mkdtemp(prefix="segspark-postgres-"))
    try:
        if account is not None:
            os.chown(folder, pwd.getpwnam(account).pw_uid, pwd.getpwnam(account).pw_gid)
        server = PostgresServer(programs, folder, _free_port(), secrets.token_hex(8), account)
        _start(server)
        try:
            yield server
        finally:
            if (folder / "data" / "postmaster.pid").exists():
                server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start(server: PostgresServer) -> None:
    data, folder = str(server.folder / "data"), server.folder
    (folder / "password").write_text(server.password)
    (folder / "password").chmod(0o644)
    who = ["-U", USER, f"--pwfile={folder / 'password'}"]
    how = ["--auth-local=trust", "--auth-host=scram-sha-256", "-E", "UTF8", "--locale=C"]
    server.program("initdb", "-D", data, *who, *how, "--no-sync")
    options = f"-p {server.port} -k {folder} -c listen_addresses=127.0.0.1 -F"
    log = ["-l", str(folder / "log")]
    server.program("pg_ctl", "-D", data, "-w", *log, "-o", options, "start")


def _programs() -> Path:
    """The folder of `initdb` and `pg_ctl`; Debian keeps them off the PATH."""
    found = shutil.which("initdb")
    on_path = [Path(found).resolve().parent] if found else []
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in (*on_path, *installed):
        if all((folder / name).exists() for name in ("initdb", "pg_ctl", "postgres", "psql")):
            return folder
    pytest.skip("PostgreSQL's server is not installed")


def _account() -> str | None:
    """Somebody else than root; None: whoever runs the tests."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    found = next((name for name in _ACCOUNTS if name in known), None)
    if found is None:
        pytest.skip("PostgreSQL refuses root, and there is no account nobody")
    return found


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])
