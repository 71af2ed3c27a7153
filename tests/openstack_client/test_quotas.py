"""Quota and limits through the client, which asks Keystone for projects and users by itself."""

from case import ServiceCase
from client import Client
from directory import Directory

RESOURCES = {
    "backup_gigabytes": 1000, "backups": 10, "encryption_keys": 100, "gigabytes": 1000,
    "per_share_gigabytes": -1, "replica_gigabytes": 1000, "share_group_snapshots": 50,
    "share_groups": 50, "share_networks": 10, "share_replicas": 100, "shares": 50,
    "snapshot_gigabytes": 1000, "snapshots": 50,
}


class Quotas(ServiceCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.directory = cls.enterClassContext(Directory(cls.service))
        cls.operator = Client.administrator(cls.directory.endpoint)
        cls.addClassCleanup(cls.operator.close)

    def shown(self, arguments):
        return self.operator.json(f"share quota show {arguments}")

    def set(self, arguments):
        self.assertEqual(self.operator.text(f"share quota set {arguments}"), "")

    def detail(self, arguments, resource):
        """Limit, in use and reserved."""
        cell = self.shown(f"{arguments} --detail")[resource]
        numbers = dict(line.split(" = ") for line in cell.splitlines())
        return tuple(int(numbers[key]) for key in ("limit", "in_use", "reserved"))

    def test_a_projects_limits_are_shown_set_and_deleted(self):
        self.assertEqual(self.shown("p1"), {"id": "p1", **RESOURCES})
        self.assertEqual(self.shown("p1 --defaults"), {"id": "p1", **RESOURCES})
        new = {
            "shares": 3, "snapshots": 4, "gigabytes": 5, "snapshot_gigabytes": 6, "share_networks": 7,
            "share_groups": 8, "share_group_snapshots": 9, "share_replicas": 10,
            "replica_gigabytes": 11, "per_share_gigabytes": 12, "encryption_keys": 13,
        }
        options = " ".join(f"--{key.replace('_', '-')} {value}" for key, value in new.items())
        self.set(f"p1 {options}")
        self.assertEqual(self.shown("p1"), {"id": "p1", **RESOURCES, **new})
        self.assertEqual(self.shown("p1 --defaults"), {"id": "p1", **RESOURCES})
        self.assertEqual(self.shown("p2"), {"id": "p2", **RESOURCES})
        self.operator.text("share quota delete p1")
        self.assertEqual(self.shown("p1"), {"id": "p1", **RESOURCES})

    def test_users_and_share_types_have_limits_of_their_own(self):
        self.set("p3 --shares 10")
        self.set("p3 --user ann --shares 2")
        self.set("p3 --share-type default --gigabytes 4")
        self.assertEqual(self.shown("p3 --user ann")["shares"], 2)
        self.assertEqual(self.shown("p3 --user bea")["shares"], 10)
        of_type = self.shown("p3 --share-type default")
        self.assertEqual((of_type["gigabytes"], of_type["shares"]), (4, 10))
        self.assertNotIn("share_networks", of_type)
        refused = self.operator.refusal("share quota set p3 --user ann --shares 11")
        self.assertIn("must not be greater than 10, that of the project", refused)
        self.set("p3 --user ann --shares 11 --force")
        self.assertEqual(self.shown("p3 --user ann")["shares"], 11)
        self.operator.text("share quota delete p3 --user ann")
        self.operator.text("share quota delete p3 --share-type default")
        self.assertEqual(self.shown("p3 --user ann")["shares"], 10)
        self.assertEqual(self.shown("p3 --share-type default")["gigabytes"], 1000)

    def test_usage_and_refusals(self):
        ann = self.caller("ann:p4:member")
        self.set("p4 --gigabytes 5 --snapshots 1 --per-share-gigabytes 4")
        ann.make_share("kept")
        refused = ann.refusal("share create NFS 5 --name large")
        self.assertRegex(refused, "Requested share size 5 is larger than maximum allowed limit 4.*413")
        ann.text("share resize kept 3 --wait")
        for whose in ("p4", "p4 --user ann", "p4 --share-type default"):
            self.assertEqual(self.detail(whose, "gigabytes"), (5, 3, 0))
        refused = ann.refusal("share create NFS 3 --name second")
        self.assertRegex(refused, "exceeds allowed project/user or share type gigabytes quota.*413")
        ann.text("share snapshot create kept --name kept --wait")
        refused = ann.refusal("share snapshot create kept --name second")
        self.assertRegex(refused, r"Maximum number of snapshots allowed \(1\).*413")
        refused = self.operator.refusal("share quota set p4 --gigabytes 2")
        self.assertRegex(refused, "smaller than already used and reserved 3.*400")

        absolute = {row["Name"]: row["Value"] for row in ann.json("share limits show --absolute")}
        self.assertEqual(absolute["maxTotalShareGigabytes"], 5)
        self.assertEqual(absolute["totalShareGigabytesUsed"], 3)
        self.assertEqual(absolute["totalShareSnapshotsUsed"], 1)
        self.assertEqual(ann.json("share limits show --rate"), [])

    def test_the_default_class_is_everybodys(self):
        self.set("default --class --share-groups 20")
        self.assertEqual(self.shown("p5")["share_groups"], 20)
        self.assertEqual(self.shown("p5 --defaults")["share_groups"], 20)
        self.set("default --class --share-groups 50")

    def test_a_tenant_sees_his_own_only(self):
        mallory = Client.caller(self.directory.endpoint, "mallory:p7:member")
        self.addCleanup(mallory.close)
        self.assertEqual(mallory.json("share quota show p7")["id"], "p7")
        self.assertIn("HTTP 403", mallory.refusal("share quota show p6"))
        self.assertIn("HTTP 403", mallory.refusal("share quota set p7 --shares -1"))
        self.assertIn("HTTP 403", mallory.refusal("share quota delete p7"))
