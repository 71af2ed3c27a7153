"""Keystone and Abaca beside each other, as a small cloud: users, roles, catalogue, share types."""

import json
import os
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
import uuid

from keystone_server import PASSWORD, Identity, Keystone
from service import Service

# What the reference's own gate gives its fake backends without share servers.
BACKEND = """\
[[backend]]
name = "{name}"
driver = "simulated"
driver_handles_share_servers = false
availability_zone = "{zone}"
replication_domain = "conformance"
[[backend.pools]]
name = "fake_pool_for_{name}"
total_capacity_gb = 1230
free_capacity_gb = 1210
thin_provisioning = false
snapshot_support = true
create_share_from_snapshot_support = true
revert_to_snapshot_support = true
mount_snapshot_support = true
replication_type = "readable"
extra = {{ share_server_multiple_subnet_support = true, mount_point_name_support = true }}
"""

CONFIG = """\
[database]
url = "{database}"
[identity]
strategy = "keystone"
auth_url = "{keystone}"
password = "{password}"
[worker]
host = "conformance"
[quota]
share_networks = 50
[log]
level = "info"
"""

EXTRA_SPECS = {
    "snapshot_support": "True",
    "create_share_from_snapshot_support": "True",
    "revert_to_snapshot_support": "True",
    "mount_snapshot_support": "True",
}


class Cloud:
    """Use it in a `with`. `endpoint` is Abaca's."""

    def __init__(self, directory, results):
        self.results = results
        self.directory = directory
        self.keystone = Keystone(directory / "keystone")
        self.database = Database()
        config = CONFIG.format(
            database=self.database.url, keystone=self.keystone.url, password=PASSWORD)
        for number, name in enumerate(("ALPHA", "BETA")):
            config += BACKEND.format(name=name, zone=f"manila-zone-{number}")
        path = directory / "abaca.toml"
        path.write_text(config)
        self.service = Service(arguments=("--config", str(path)))
        self.endpoint = self.service.endpoint

    def __enter__(self):
        try:
            self.keystone.prepare()
            self.keystone.start()
            self.identity = Identity(self.keystone)
            self._users()
            self.database.create()
            self.service.start()
            self._share_types()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for log in (self.service.output, self.keystone.output):
            if log.exists():
                name = "abaca.log" if log == self.service.output else "keystone.log"
                shutil.copy(log, self.results / name)
        self.service.__exit__()
        self.keystone.kill()
        self.database.drop()

    def _users(self):
        self.identity.user("abaca")
        self.identity.grant("abaca", "service", "service")
        for name, service_type, path in (
            ("abaca", "shared-file-system", ""),
            ("abaca-v2", "sharev2", ""),
            ("abaca-legacy", "sharev2_legacy", "/$(project_id)s"),
        ):
            self.identity.endpoint(name, service_type, self.endpoint + path)

    def _share_types(self):
        token = self.identity.log_in("admin", "admin")
        default = self._default_type(token)
        path = f"/types/{default}/extra_specs"
        self.request("POST", path, token, {"extra_specs": EXTRA_SPECS})
        for name, servers in (("dhss_true", "True"), ("dhss_false", "False")):
            specs = {"driver_handles_share_servers": servers, **EXTRA_SPECS}
            self.request("POST", "/types", token, {"share_type": {
                "name": name, "extra_specs": specs, "share_type_access:is_public": True}})

    def _default_type(self, token):
        types = self.request("GET", "/types", token)["share_types"]
        return next(each["id"] for each in types if each["name"] == "default")

    def request(self, method, path, token, body=None):
        """One request to Abaca at the last version; the answer's body."""
        headers = {"X-Auth-Token": token, "X-OpenStack-Manila-API-Version": "2.99",
                   "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.endpoint + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read()}") from None
        return json.loads(text) if text else None


class Database:
    """A database of its own on the test server."""

    def __init__(self):
        self.server = os.environ["ABACA_TEST_POSTGRES_URL"]
        self.name = f"conformance_{uuid.uuid4().hex}"
        parts = urllib.parse.urlsplit(self.server)
        self.url = urllib.parse.urlunsplit(parts._replace(path=f"/{self.name}"))

    def create(self):
        self._run(f"CREATE DATABASE {self.name}")

    def drop(self):
        self._run(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")

    def _run(self, statement):
        command = ["psql", "--no-psqlrc", "--quiet", "--command", statement, self.server]
        subprocess.run(command, check=True)
