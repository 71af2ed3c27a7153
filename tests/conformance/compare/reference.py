"""The reference (manila as it is released) for the time of a run: its config, its database on the MariaDB
of the tests, its one process.

ABACA_TEST_MANILA names the virtual environment that it is installed in (requirements.txt)."""

import os
import pathlib
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

from keystone_server import PASSWORD, ROOT, free_port

VENV = pathlib.Path(os.environ.get("ABACA_TEST_MANILA", ROOT / "target/test-tools/manila"))
START_SECONDS = 180

CONFIG = """\
[DEFAULT]
auth_strategy = keystone
host = compare
transport_url = fake://
osapi_share_listen = 127.0.0.1
osapi_share_listen_port = {port}
api_paste_config = {directory}/api-paste.ini
state_path = {directory}/state
default_share_type = default
default_share_group_type = default
enabled_share_protocols = NFS,CIFS
enabled_share_backends = alpha,beta
periodic_interval = 1
periodic_fuzzy_delay = 0
replica_state_update_interval = 1
migration_driver_continue_update_interval = 1
use_scheduler_creating_share_from_snapshot = False
wsgi_keep_alive = False
use_stderr = true
[database]
connection = {database}
[oslo_concurrency]
lock_path = {directory}/state/lock
[oslo_policy]
enforce_new_defaults = true
[keystone_authtoken]
www_authenticate_uri = {keystone}
auth_url = {keystone}
service_token_roles_required = true
# A section of its own: in one process with the API the share manager, too, registers `auth_url`, and
# the options would clash.
auth_section = authtoken_user
[authtoken_user]
auth_url = {keystone}
auth_type = password
username = manila
password = {password}
project_name = service
user_domain_name = Default
project_domain_name = Default
"""

# The driver of the reference's own gate, which pretends; without the times it would take.
BACKEND = """\
[{name}]
share_driver = manila.tests.share.drivers.dummy.DummyDriver
share_backend_name = {upper}
driver_handles_share_servers = false
replication_domain = conformance
backend_availability_zone = manila-zone-{number}
dummy_driver_default_driver_method_delay = 0
dummy_driver_driver_methods_delays = create_share:0
"""


class Reference:
    """Use it in a `with`. `endpoint` is where its API is."""

    def __init__(self, directory, keystone_url):
        self.directory = directory
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}/v2"
        self.log = directory / "reference.log"
        self.database = Database()
        self.process = None
        (directory / "state" / "lock").mkdir(parents=True)
        shutil.copy(VENV / "etc/manila/api-paste.ini", directory)
        config = CONFIG.format(
            port=self.port, directory=directory, database=self.database.url, keystone=keystone_url,
            password=PASSWORD)
        for number, name in enumerate(("alpha", "beta")):
            config += BACKEND.format(name=name, upper=name.upper(), number=number)
        self.config = directory / "manila.conf"
        self.config.write_text(config)

    def __enter__(self):
        try:
            self.database.create()
            self._run(VENV / "bin/manila-manage", "--config-file", self.config, "db", "sync")
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process:
            self.process.kill()
            self.process.wait()
        self.database.drop()

    def _run(self, *command):
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.directory)
        if done.returncode:
            raise AssertionError(f"{command[0]} failed:\n{done.stderr[-3000:]}")

    def _start(self):
        server = pathlib.Path(__file__).with_name("reference_server.py")
        # If this process dies the kernel ends the server with it.
        command = ["setpriv", "--pdeathsig", "KILL", VENV / "bin/python", "-W", "ignore", server,
                   "--config-file", self.config]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.directory)
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the reference did not start:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.1)

    def _answers(self):
        try:
            url = f"http://127.0.0.1:{self.port}/healthcheck"
            with urllib.request.urlopen(url, timeout=10) as answer:
                return answer.status == 200
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False


class Database:
    """A database of its own on the test server."""

    def __init__(self):
        self.server = urllib.parse.urlsplit(os.environ["ABACA_TEST_MARIADB_URL"])
        self.name = f"reference_{uuid.uuid4().hex}"
        self.url = self.server._replace(
            scheme="mysql+pymysql", path=f"/{self.name}", query="charset=utf8mb4").geturl()

    def create(self):
        self._run(f"CREATE DATABASE {self.name} CHARACTER SET utf8mb4")

    def drop(self):
        self._run(f"DROP DATABASE IF EXISTS {self.name}")

    def _run(self, statement):
        subprocess.run(
            ["mariadb", "--no-defaults", "--protocol=tcp", f"--host={self.server.hostname}",
             f"--port={self.server.port}", f"--user={self.server.username}", "--execute", statement],
            env={**os.environ, "MYSQL_PWD": self.server.password}, check=True)
