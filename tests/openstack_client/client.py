"""The real `openstack` command, with nothing in its environment but what a test says."""

import json
import os
import shlex
import subprocess
import tempfile
import time

import command

OPENSTACK = os.environ.get("ABACA_TEST_OPENSTACK", "openstack")
COMMAND_SECONDS = 120
SETTLE_SECONDS = 60


class Failed(AssertionError):
    """The command ended with an error, or did not end."""


class Client:
    """Runs `openstack` against one endpoint. `variables` are the OS_* variables it is given."""

    def __init__(self, variables):
        # A home of its own: the developer's clouds.yaml must not help, nor must its cache be written.
        self.home = tempfile.TemporaryDirectory(prefix="abaca-client-home.")
        self.environment = {
            "PATH": f"{os.path.dirname(OPENSTACK)}:/usr/bin:/bin",
            "HOME": self.home.name,
            "COLUMNS": "400",
            "LC_ALL": "C.UTF-8",
            **variables,
        }

    @classmethod
    def administrator(cls, endpoint):
        """Who sends no token is an administrator of project `admin`."""
        return cls({"OS_AUTH_TYPE": "none", "OS_ENDPOINT": endpoint})

    @classmethod
    def caller(cls, endpoint, token):
        """A token `user:project[:role,role]` is just that caller."""
        return cls({"OS_AUTH_TYPE": "admin_token", "OS_ENDPOINT": endpoint, "OS_TOKEN": token})

    def close(self):
        self.home.cleanup()

    def shell(self, script):
        """Runs shell lines as a person pastes them."""
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script], env=self.environment,
            capture_output=True, text=True, timeout=6 * COMMAND_SECONDS,
        )

    def run(self, arguments):
        """`openstack` with a line of arguments; the finished process, whatever its status."""
        return command.run(shlex.split(arguments), self.environment, COMMAND_SECONDS)

    def text(self, arguments):
        """What the command prints; fails unless it succeeds."""
        done = self.run(arguments)
        if done.returncode != 0:
            raise Failed(f"openstack {arguments}: status {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def json(self, arguments):
        """What the command says as JSON."""
        return json.loads(self.text(f"{arguments} -f json"))

    def refusal(self, arguments):
        """The error text of a command that must fail."""
        done = self.run(arguments)
        if done.returncode == 0:
            raise Failed(f"openstack {arguments} succeeded:\n{done.stdout}")
        return done.stderr

    def settled(self, question, key, wanted="available"):
        """Asks until the only row has the wanted status; an error status ends the waiting."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            answer = self.json(question)
            row = answer[0] if isinstance(answer, list) else answer
            if row[key] == wanted:
                return row
            if "error" in row[key] or time.monotonic() > deadline:
                raise Failed(f"openstack {question}: {row[key]}, not {wanted}")

    def make_share(self, name, options=""):
        """A new share, `available`: what `share show` says of it."""
        share = self.json(f"share create NFS 1 --name {name} {options}")["id"]
        return self.settled(f"share show {share}", "status")

    def make_snapshot(self, share, name):
        """A new snapshot, `available`: its id, and its instance as the detailed list has it."""
        snapshot = self.json(f"share snapshot create {share} --name {name}")["id"]
        return snapshot, self.settled(
            f"share snapshot instance list --detailed --snapshot {snapshot}", "Status"
        )


def table(text):
    """The rows of a printed table as dictionaries; lines that go on a cell are joined to it."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    header, *rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return [dict(zip(header, row)) for row in rows]


def fields(text):
    """The table of a `show` command as one dictionary."""
    found, last = {}, None
    for row in table(text):
        if row["Field"]:
            last = row["Field"]
            found[last] = row["Value"]
        else:
            found[last] = f"{found[last]}\n{row['Value']}".strip()
    return found
