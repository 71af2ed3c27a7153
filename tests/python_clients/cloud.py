"""What the tests of this folder share: a real Keystone, and Abaca behind it with two `directory` backends."""

import atexit
import functools
import pathlib
import shutil
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / "tests" / folder) for folder in ("openstack_client", "keystone")]

from backends import FIRST_POOL, SECOND_POOL, TWO_DIRECTORIES  # noqa: E402, F401
from keystone_server import PASSWORD, Identity, Keystone  # noqa: E402
from service import Service  # noqa: E402

# The highest version of the API that the service speaks.
VERSION = "2.99"
UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
# Not the clients' two seconds: most things are done in milliseconds.
INTERVAL_SECONDS = 0.05
SETTLE_SECONDS = 60


class Cloud:
    """`endpoint` is the service's; `identity` is Keystone's administrator."""

    def __init__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="abaca-python-clients."))
        atexit.register(shutil.rmtree, self.directory, ignore_errors=True)
        self.keystone = Keystone(self.directory / "keystone")
        self.keystone.prepare()
        atexit.register(self.keystone.kill)
        self.keystone.start()
        self.identity = Identity(self.keystone)
        for user, role, project in (
            ("abaca", "service", "service"), ("alice", "member", "tenants"), ("rita", "reader", "tenants"),
        ):
            self.identity.user(user)
            self.identity.project(project)
            self.identity.grant(user, role, project)
        self.service = Service({
            "ABACA__IDENTITY__STRATEGY": "keystone",
            "ABACA__IDENTITY__AUTH_URL": self.keystone.url,
            "ABACA__IDENTITY__PASSWORD": PASSWORD,
        }, config=TWO_DIRECTORIES)
        atexit.register(self.service.__exit__)
        self.service.start()
        self.endpoint = self.service.endpoint
        # The SDK looks for the first type, the bindings for the second.
        for service_type in ("shared-file-system", "sharev2"):
            self.identity.endpoint(service_type, service_type, self.endpoint)

    def login(self, user, project):
        """How a client logs in, in the words of clouds.yaml and of the bindings."""
        return {
            "auth_url": self.keystone.url, "username": user, "password": PASSWORD,
            "project_name": project, "user_domain_name": "Default", "project_domain_name": "Default",
        }

    def project_id(self, name):
        return self.identity.project(name)

    def root(self, backend):
        """The directory of a backend."""
        return self.service.data / backend


@functools.cache
def cloud():
    """One for all tests of a run: Keystone takes seconds to set up."""
    return Cloud()


def until(question, what):
    """Asks until the answer is true, and gives it."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while not (answer := question()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not yet: {what}")
        time.sleep(INTERVAL_SECONDS)
    return answer
