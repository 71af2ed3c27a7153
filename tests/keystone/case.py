"""A real Keystone for all tests of a class, with the users they need."""

import pathlib
import shutil
import tempfile
import unittest

import abaca
from keystone_server import Identity, Keystone


class KeystoneCase(unittest.TestCase):
    """`keystone`, `identity` (its administrator) and `service` (Abaca)."""

    token_seconds = 3600

    @classmethod
    def setUpClass(cls):
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="abaca-keystone-test."))
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        cls.keystone = Keystone(cls.directory / "keystone", cls.token_seconds)
        cls.keystone.prepare()
        cls.addClassCleanup(cls.keystone.kill)
        cls.keystone.start()
        cls.identity = Identity(cls.keystone)
        for user, role, project in (
            ("abaca", "service", "service"), ("alice", "member", "proj"), ("glue", "service", "service"),
        ):
            cls.identity.user(user)
            cls.identity.project(project)
            cls.identity.grant(user, role, project)
        cls.service = cls.enterClassContext(abaca.service(cls.keystone.url))

    def setUp(self):
        if self.keystone.process.poll() is not None:
            self.keystone.start()

    def status(self, token=None, **others):
        return abaca.status(self.service, token, **others)
