"""Where shares go: pools, zones of share types, scheduler hints, functions of backends."""

from case import ServiceCase

CONFIG = """
[worker]
host = "w"
[[backend]]
name = "a"
driver = "simulated"
pools = [{ name = "p" }]
filter_function = "share.size < 5"
[[backend]]
name = "b"
driver = "simulated"
availability_zone = "far"
pools = [{ name = "p", dedupe = true }]
"""


class Scheduling(ServiceCase):
    config = CONFIG

    def names(self, options):
        return [row["Name"] for row in self.admin.json(f"share pool list {options}")]

    def test_pools_are_listed_by_what_they_are_and_can(self):
        self.assertEqual(self.names(""), ["w@a#p", "w@b#p"])
        self.assertEqual(self.names("--backend b"), ["w@b#p"])
        self.assertEqual(self.names("--host w --pool p"), ["w@a#p", "w@b#p"])
        self.assertEqual(self.names("--host elsewhere"), [])
        self.admin.text("share type create deduped False --extra-specs dedupe=True")
        self.assertEqual(self.names("--share-type deduped"), ["w@b#p"])
        (pool,) = self.admin.json("share pool list --detail --backend a")
        self.assertIn("share.size < 5", str(pool))

    def test_a_type_has_its_zones(self):
        self.admin.text("share type create away False --extra-specs availability_zones=far")
        share = self.admin.make_share("zoned", "--share-type away")
        self.assertEqual((share["host"], share["availability_zone"]), ("w@b#p", "far"))
        told = self.admin.refusal("share create NFS 1 --share-type away --availability-zone nova")
        self.assertIn("not supported within the availability zone chosen nova", told)

    def test_hints_put_shares_together_and_apart(self):
        first = self.admin.make_share("first")
        near = self.admin.make_share("near", f"--scheduler-hint same_host={first['id']}")
        self.assertEqual(near["host"], first["host"])
        apart = self.admin.make_share("apart", f"--scheduler-hint different_host={first['id']}")
        self.assertNotEqual(apart["host"], first["host"])
        self.assertEqual(apart["properties"], {"__affinity_different_host": first["id"]})
        only = self.admin.make_share("only", "--scheduler-hint only_host=w@b#p")
        self.assertEqual(only["host"], "w@b#p")

    def test_a_backend_takes_what_its_function_says(self):
        self.admin.text("share create NFS 5 --name large --availability-zone nova")
        share = self.admin.settled("share show large", "status", "error")["id"]
        (message,) = self.admin.json(f"share message list --resource-id {share}")
        self.assertEqual(self.admin.json(f"share message show {message['ID']}")["detail_id"], "010")
