"""Share replicas through the client, and the instances of a snapshot that each of them has."""

import pathlib

from backends import FIRST_POOL, SECOND_POOL, TWO_DIRECTORIES
from case import ServiceCase


class Replicas(ServiceCase):
    config = TWO_DIRECTORIES

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin.text("share type create replicated False --snapshot-support True"
                       " --extra-specs replication_type=readable")

    def make_replicated_share(self, name):
        """In the first backend: its active replica, and a file in it."""
        self.admin.make_share(name, "--share-type replicated --availability-zone nova")
        (active,) = self.admin.json(f"share replica list --share {name}")
        return active["ID"], self.letter(name)

    def make_replica(self, share, options=""):
        made = self.admin.json(f"share replica create {share} --availability-zone far {options}")
        self.in_state(made["id"], "in_sync")
        return made["id"]

    def in_state(self, replica, state):
        self.admin.settled(f"share replica show {replica}", "replica_state", state)
        return self.admin.settled(f"share replica show {replica}", "status")

    def check_instances(self, snapshot, replicas, text):
        """The snapshot is there once for each replica, each with the bytes of its moment."""
        self.admin.settled(f"share snapshot show {snapshot}", "status")
        instances = self.snapshot_instances(snapshot)
        self.assertCountEqual([each["Share Instance ID"] for each in instances], replicas)
        self.assertEqual({(each["Status"], each["Progress"]) for each in instances}, {("available", "100%")})
        kept = {pathlib.Path(each["Provider Location"]) / "letter.txt" for each in instances}
        self.assertEqual(len(kept), len(replicas))
        self.assertEqual({path.read_text() for path in kept}, {text})

    def test_a_snapshot_has_an_instance_in_each_replica(self):
        active, letter = self.make_replicated_share("spread")
        letter.write_text("early")
        before, _ = self.admin.make_snapshot("spread", "before")
        letter.write_text("late")
        replica = self.make_replica("spread", "--property rack=3")
        (row,) = [each for each in self.admin.json("share replica list --share spread") if each["ID"] == replica]
        self.assertEqual(
            (row["Status"], row["Replica State"], row["Host"], row["Availability Zone"], row["Properties"]),
            ("available", "in_sync", SECOND_POOL, "far", {"rack": "3"}))
        listed = self.admin.json("share instance list --share spread")
        self.assertEqual({each["ID"]: each["Host"] for each in listed},
                         {active: FIRST_POOL, replica: SECOND_POOL})
        self.check_instances(before, [active, replica], "early")
        after = self.admin.json("share snapshot create spread --name after")["id"]
        self.check_instances(after, [active, replica], "late")
        (instance,) = [each for each in self.snapshot_instances(after) if each["Share Instance ID"] == replica]
        shown = self.admin.json(f"share snapshot instance show {instance['ID']}")
        self.assertEqual((shown["share_instance_id"], shown["snapshot_id"]), (replica, after))

        self.admin.text(f"share replica delete {replica}")
        self.until(lambda: self.ids("share replica list --share spread"), [active])
        self.check_instances(before, [active], "early")
        self.check_instances(after, [active], "late")
        self.assertIn("Cannot delete last active replica", self.admin.refusal(f"share replica delete {active}"))

    def test_promoted_and_followed(self):
        first, letter = self.make_replicated_share("led")
        letter.write_text("early")
        snapshot, _ = self.admin.make_snapshot("led", "led")
        second = self.make_replica("led")
        letter.write_text("late")
        self.assertEqual(self.admin.text(f"share replica promote {second} --quiesce-wait-time 1"), "")
        self.in_state(second, "active")
        self.in_state(first, "in_sync")
        shown = self.admin.json("share show led")
        self.assertEqual((shown["host"], shown["has_replicas"]), (SECOND_POOL, True))
        promoted = self.letter("led")
        self.assertNotEqual(promoted, letter)
        self.assertEqual(promoted.read_text(), "late")
        self.check_instances(snapshot, [first, second], "early")
        promoted.write_text("since the promotion")
        self.admin.text(f"share replica resync {first}")
        self.until(letter.read_text, "since the promotion")

    def test_set_and_deleted_by_force(self):
        active, letter = self.make_replicated_share("set")
        letter.write_text("kept")
        snapshot, _ = self.admin.make_snapshot("set", "set")
        replica = self.make_replica("set")
        self.check_instances(snapshot, [active, replica], "kept")
        self.admin.text(f"share replica set {replica} --replica-state out_of_sync --property aim=doc")
        shown = self.admin.json(f"share replica show {replica}")
        self.assertEqual((shown["replica_state"], shown["properties"]), ("out_of_sync", {"aim": "doc"}))
        self.admin.text(f"share replica unset {replica} --property aim")
        self.assertEqual(self.admin.json(f"share replica show {replica}")["properties"], {})
        self.admin.text(f"share replica set {replica} --status error")
        self.assertEqual(self.admin.json(f"share replica show {replica}")["status"], "error")
        alice = self.caller("alice:admin:member")
        self.assertIn("HTTP 403", alice.refusal(f"share replica delete {replica} --force"))
        self.admin.text(f"share replica delete {replica} --force")
        self.until(lambda: self.ids("share replica list --share set"), [active])
        self.check_instances(snapshot, [active], "kept")

    def test_export_locations_are_each_replicas_own(self):
        active, letter = self.make_replicated_share("exported")
        replica = self.make_replica("exported")
        (location,) = self.admin.json(f"share replica export location list {replica}")
        self.assertEqual((location["Availability Zone"], location["Replica State"]), ("far", "in_sync"))
        self.assertNotEqual(pathlib.Path(location["Path"]), letter.parent)
        shown = self.admin.json(f"share replica export location show {replica} {location['ID']}")
        self.assertEqual((shown["path"], shown["share_instance_id"]), (location["Path"], replica))
        of_replica = self.admin.json(f"share replica show {replica}")["export_locations"]
        self.assertEqual([each["path"] for each in of_replica], [location["Path"]])
        told = self.admin.refusal(f"share replica export location show {active} {location['ID']}")
        self.assertIn("HTTP 404", told)
