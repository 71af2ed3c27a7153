"""What the tests of this folder share: one fresh service a class, and an administrator's client."""

import unittest

from client import Client
from service import Service

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
# The API writes times without a zone, in UTC.
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}"


class ServiceCase(unittest.TestCase):
    """Each class starts its own service, so that no test sees what another class left."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.service = cls.enterClassContext(Service())
        cls.admin = Client.administrator(cls.service.endpoint)
        cls.addClassCleanup(cls.admin.close)

    def caller(self, token):
        client = Client.caller(self.service.endpoint, token)
        self.addCleanup(client.close)
        return client
