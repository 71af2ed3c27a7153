"""What the tests of this folder share: one fresh service a class, and an administrator's client."""

import pathlib
import time
import unittest

from client import SETTLE_SECONDS, Client
from service import Service

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
# The API writes times without a zone, in UTC.
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}"


class ServiceCase(unittest.TestCase):
    """Each class starts its own service, so that no test sees what another class left. `config` is the
    text of its config file, if it has one."""

    maxDiff = None
    config = ""

    @classmethod
    def setUpClass(cls):
        cls.service = cls.enterClassContext(Service(config=cls.config))
        cls.admin = Client.administrator(cls.service.endpoint)
        cls.addClassCleanup(cls.admin.close)

    def caller(self, token):
        client = Client.caller(self.service.endpoint, token)
        self.addCleanup(client.close)
        return client

    def letter(self, share):
        """A file in a share: its export location is a local path with the `directory` backend."""
        (location,) = self.admin.json(f"share export location list {share}")
        return pathlib.Path(location["Path"]) / "letter.txt"

    def snapshot_instances(self, snapshot):
        """The detailed list of a snapshot's instances."""
        return self.admin.json(f"share snapshot instance list --detailed --snapshot {snapshot}")

    def ids(self, question):
        """The ids that a list has."""
        return [row["ID"] for row in self.admin.json(question)]

    def until(self, question, wanted):
        """Asks until the answer is the wanted one."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while (answer := question()) != wanted:
            self.assertLess(time.monotonic(), deadline, f"{answer}, not {wanted}")
