"""The `openstack` command with a user's password: Keystone's catalogue leads it to Abaca."""

import unittest

from case import KeystoneCase
from client import Client
from keystone_server import PASSWORD


class Command(KeystoneCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for service_type in ("shared-file-system", "sharev2"):
            cls.identity.endpoint(service_type, service_type, cls.service.endpoint)
        cls.admin, cls.alice = cls.client("admin", "admin"), cls.client("alice", "proj")

    @classmethod
    def client(cls, user, project):
        client = Client({
            "OS_AUTH_TYPE": "password", "OS_AUTH_URL": cls.keystone.url, "OS_IDENTITY_API_VERSION": "3",
            "OS_USERNAME": user, "OS_PASSWORD": PASSWORD, "OS_PROJECT_NAME": project,
            "OS_USER_DOMAIN_NAME": "Default", "OS_PROJECT_DOMAIN_NAME": "Default",
            "OS_REGION_NAME": "RegionOne",
        })
        cls.addClassCleanup(client.close)
        return client

    def test_an_administrator_sees_the_snapshot_instances_of_a_tenant(self):
        share = self.alice.make_share("home")
        self.assertEqual(share["project_id"], self.identity.project("proj"))
        snapshot = self.alice.json(f"share snapshot create {share['id']} --name monday")["id"]
        question = f"share snapshot instance list --snapshot {snapshot}"
        instance = self.admin.settled(f"{question} --detailed", "Status")
        self.assertEqual(instance["Snapshot ID"], snapshot)
        self.assertEqual(
            self.admin.json(question),
            [{"ID": instance["ID"], "Snapshot ID": snapshot, "Status": "available"}],
        )
        shown = self.admin.json(f"share snapshot instance show {instance['ID']}")
        self.assertEqual((shown["share_id"], shown["snapshot_id"]), (share["id"], snapshot))
        self.assertIn("HTTP 403", self.alice.refusal(question))

    def test_a_wrong_password_leads_nowhere(self):
        stranger = Client({**self.alice.environment, "OS_PASSWORD": "wrong"})
        self.addCleanup(stranger.close)
        self.assertIn("HTTP 401", stranger.refusal("share list"))


if __name__ == "__main__":
    unittest.main()
