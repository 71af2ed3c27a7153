"""A real Keystone for a test: SQLite, fernet tokens, a free port on loopback, gone at the end.

ABACA_TEST_KEYSTONE names the virtual environment that it is installed in (requirements.txt)."""

import getpass
import grp
import json
import os
import pathlib
import signal
import socket
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
VENV = pathlib.Path(os.environ.get("ABACA_TEST_KEYSTONE", ROOT / "target/test-tools/keystone"))
PASSWORD = "s3cret"
START_SECONDS = 60
ROLES = ("admin", "manager", "member", "reader", "service")

CONFIG = """\
[DEFAULT]
use_stderr = true
max_token_size = 16384
[database]
connection = sqlite:///{directory}/keystone.db
[token]
provider = fernet
expiration = {token_seconds}
allow_expired_window = 3600
[fernet_tokens]
key_repository = {directory}/fernet-keys
[credential]
key_repository = {directory}/credential-keys
[cache]
enabled = true
backend = dogpile.cache.memory
[identity]
password_hash_rounds = 4
{extra}
"""

# One process, so that SIGKILL ends all of it. One thread: with several, SQLite tells the second writer
# that it is locked. Keystone reads the command line as its own, so that there is none.
SERVE = """\
import os, waitress
from keystone.wsgi.api import application
waitress.serve(application, listen=os.environ["KEYSTONE_LISTEN"], threads=1)
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Keystone:
    """One Keystone. `prepare` once, then `start`, `stop` and `kill` as often as wanted."""

    def __init__(self, directory, token_seconds=3600, extra=""):
        self.directory = pathlib.Path(directory)
        self.settings = {"token_seconds": token_seconds, "extra": extra}
        self.port = free_port()
        self.root = f"http://127.0.0.1:{self.port}"
        self.url = f"{self.root}/v3"
        self.process = None
        self.output = self.directory / "keystone.log"

    def prepare(self):
        """Makes keys, tables and the administrator `admin` in the project `admin`."""
        self.directory.mkdir(parents=True, exist_ok=True)
        config = CONFIG.format(directory=self.directory, **self.settings)
        (self.directory / "keystone.conf").write_text(config)
        for keys in ("fernet-keys", "credential-keys"):
            (self.directory / keys).mkdir(mode=0o700)
        me = ("--keystone-user", getpass.getuser(),
              "--keystone-group", grp.getgrgid(os.getgid()).gr_name)
        self._manage("fernet_setup", *me)
        self._manage("credential_setup", *me)
        self._manage("db_sync")
        # Readers beside a writer; the mode stays with the file.
        with sqlite3.connect(self.directory / "keystone.db") as database:
            database.execute("PRAGMA journal_mode=WAL")
        self._manage(
            "bootstrap", "--bootstrap-password", PASSWORD, "--bootstrap-region-id", "RegionOne",
            "--bootstrap-public-url", self.url, "--bootstrap-internal-url", self.url,
            "--bootstrap-admin-url", self.url,
        )

    def _manage(self, *arguments):
        command = [VENV / "bin/keystone-manage", "--config-dir", self.directory, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.directory)
        if done.returncode:
            raise AssertionError(f"keystone-manage {arguments[0]} failed:\n{done.stderr[-3000:]}")

    def start(self):
        """Starts it and waits until it answers."""
        environment = dict(os.environ, OS_KEYSTONE_CONFIG_DIR=str(self.directory),
                           KEYSTONE_LISTEN=f"127.0.0.1:{self.port}")
        # If this process dies the kernel ends the server with it.
        command = ["setpriv", "--pdeathsig", "KILL", VENV / "bin/python", "-c", SERVE]
        with open(self.output, "ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=environment, cwd=self.directory,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"Keystone did not start:\n{self._log_end()}")
            time.sleep(0.05)

    def _answers(self):
        try:
            with urllib.request.urlopen(self.url, timeout=10) as answer:
                return answer.status == 200
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def _log_end(self):
        return self.output.read_text(errors="replace")[-3000:]

    def kill(self):
        """Ends it without a warning."""
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()

    def pause(self):
        """Leaves it there, but deaf: connections are made and never answered."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        """Undoes `pause`."""
        self.process.send_signal(signal.SIGCONT)


class KeystoneError(Exception):
    """Keystone's answer was no success; `status` is the HTTP status."""

    def __init__(self, status, text):
        super().__init__(f"{status}: {text}")
        self.status = status


class Identity:
    """What a test sets up in a Keystone, by names; ids come back."""

    def __init__(self, keystone):
        self.url = keystone.url
        self.token = self.log_in("admin", "admin")

    def request(self, method, path, body=None, headers=None):
        """One request as the administrator; the answer's headers and body."""
        headers = {"X-Auth-Token": getattr(self, "token", ""), **(headers or {})}
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                text = answer.read()
                return answer.headers, json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            raise KeystoneError(error.code, error.read().decode(errors="replace")) from None

    def log_in(self, user, project=None, scope=None):
        """A token of this user, whose password is PASSWORD. `scope` as Keystone's own, else the
        project of this name."""
        default = {"id": "default"}
        if scope is None and project is not None:
            scope = {"project": {"name": project, "domain": default}}
        who = {"name": user, "domain": default, "password": PASSWORD}
        identity = {"methods": ["password"], "password": {"user": who}}
        auth = {"identity": identity, **({"scope": scope} if scope else {})}
        headers, _ = self.request("POST", "/auth/tokens?nocatalog", {"auth": auth})
        return headers["X-Subject-Token"]

    def application_token(self, credential_id, secret):
        """A token by an application credential."""
        identity = {"methods": ["application_credential"],
                    "application_credential": {"id": credential_id, "secret": secret}}
        body = {"auth": {"identity": identity}}
        headers, _ = self.request("POST", "/auth/tokens?nocatalog", body)
        return headers["X-Subject-Token"]

    def revoke(self, token):
        self.request("DELETE", "/auth/tokens", headers={"X-Subject-Token": token})

    def _find_or_make(self, kind, kinds, name, **fields):
        _, found = self.request("GET", f"/{kinds}?name={name}")
        if found[kinds]:
            return found[kinds][0]["id"]
        _, made = self.request("POST", f"/{kinds}", {kind: {"name": name, **fields}})
        return made[kind]["id"]

    def project(self, name):
        return self._find_or_make("project", "projects", name, domain_id="default")

    def role(self, name):
        return self._find_or_make("role", "roles", name)

    def user(self, name):
        fields = {"domain_id": "default", "password": PASSWORD}
        return self._find_or_make("user", "users", name, **fields)

    def grant(self, user, role, project=None, domain=None, system=False):
        """Gives a user a role, by names, in a project, a domain (by id) or on the system."""
        path = f"/users/{self.user(user)}/roles/{self.role(role)}"
        if system:
            target = "/system"
        elif domain:
            target = f"/domains/{domain}"
        else:
            target = f"/projects/{self.project(project)}"
        self.request("PUT", target + path)

    def endpoint(self, name, service_type, url):
        """A service with its three endpoints in RegionOne."""
        service = {"name": name, "type": service_type}
        _, made = self.request("POST", "/services", {"service": service})
        for interface in ("public", "internal", "admin"):
            endpoint = {"service_id": made["service"]["id"], "interface": interface,
                        "region_id": "RegionOne", "url": url}
            self.request("POST", "/endpoints", {"endpoint": endpoint})
