"""Shares that move, through the client: to another backend, out of the service and into it."""

import pathlib

from backends import FIRST_POOL, SECOND_POOL, TWO_DIRECTORIES
from case import ServiceCase


class Migration(ServiceCase):
    config = TWO_DIRECTORIES

    def make_share(self, name):
        """In the first backend, with a snapshot of what its file was: the file, the snapshot."""
        self.admin.make_share(name, "--availability-zone nova")
        letter = self.letter(name)
        letter.write_text("early")
        snapshot, _ = self.admin.make_snapshot(name, name)
        letter.write_text("late")
        return letter, snapshot

    def start(self, share, options=""):
        start = f"share migration start {share} {SECOND_POOL} --writable False --nondisruptive False"
        self.admin.text(f"{start} --preserve-metadata True --preserve-snapshots True {options}")
        return self.admin.settled(f"share migration show {share}", "task_state", "migration_driver_phase1_done")

    def places(self, share):
        rows = self.admin.json(f"share instance list --share {share}")
        return {each["Status"]: each["Host"] for each in rows}

    def test_a_share_moves_with_its_snapshots(self):
        letter, snapshot = self.make_share("moving")
        self.assertEqual(self.start("moving")["total_progress"], 100)
        shown = self.admin.json("share show moving")
        self.assertEqual((shown["status"], shown["host"]), ("migrating", FIRST_POOL))
        self.assertEqual(self.places("moving"), {"migrating": FIRST_POOL, "migrating_to": SECOND_POOL})
        ends = {each["Status"]: each for each in self.snapshot_instances(snapshot)}
        self.assertCountEqual(ends, ["migrating", "migrating_to"])
        arrived = ends["migrating_to"]
        self.assertEqual(arrived["Progress"], "100%")
        kept = pathlib.Path(arrived["Provider Location"]) / "letter.txt"
        self.assertTrue(kept.is_relative_to(self.service.data / "second"))
        self.assertEqual(kept.read_text(), "early")

        self.admin.text("share migration complete moving")
        self.admin.settled("share show moving", "task_state", "migration_success")
        self.assertEqual(self.letter("moving").read_text(), "late")
        self.until(lambda: self.places("moving"), {"available": SECOND_POOL})
        (after,) = self.snapshot_instances(snapshot)
        self.assertEqual((after["ID"], after["Status"]), (arrived["ID"], "available"))
        self.assertEqual(kept.read_text(), "early")
        self.assertFalse(letter.exists())

    def test_cancelled_it_is_as_before(self):
        letter, snapshot = self.make_share("staying")
        (before,) = self.snapshot_instances(snapshot)
        self.start("staying")
        self.admin.text("share migration cancel staying")
        self.admin.settled("share show staying", "task_state", "migration_cancelled")
        self.until(lambda: self.places("staying"), {"available": FIRST_POOL})
        (after,) = self.snapshot_instances(snapshot)
        self.assertEqual((after["ID"], after["Status"]), (before["ID"], "available"))
        self.assertEqual(letter.read_text(), "late")
        self.assertIn("HTTP 400", self.admin.refusal("share migration complete staying"))

    def test_it_takes_another_type_on(self):
        self.make_share("changing")
        self.admin.text("share type create other False --snapshot-support True")
        self.start("changing", "--new-share-type other")
        self.admin.text("share migration complete changing")
        self.admin.settled("share show changing", "task_state", "migration_success")
        self.assertEqual(self.admin.json("share show changing")["share_type_name"], "other")


class Manage(ServiceCase):
    config = TWO_DIRECTORIES

    def test_a_share_and_its_snapshot_are_abandoned_and_adopted(self):
        share = self.admin.make_share("given", "--availability-zone nova")["id"]
        letter = self.letter(share)
        letter.write_text("early")
        snapshot, instance = self.admin.make_snapshot(share, "given")
        letter.write_text("late")
        self.assertIn("HTTP 403", self.admin.refusal(f"share abandon {share}"))
        self.admin.text(f"share snapshot abandon {snapshot}")
        self.until(lambda: self.ids("share snapshot list"), [])
        gone = self.admin.refusal(f"share snapshot instance show {instance['ID']}")
        self.assertIn("HTTP 404", gone)
        self.admin.text(f"share abandon {share}")
        self.until(lambda: share in self.ids("share list"), False)
        self.assertEqual(letter.read_text(), "late")

        adopted = self.admin.json(f"share adopt {FIRST_POOL} NFS {letter.parent} --name taken")["id"]
        self.assertNotEqual(adopted, share)
        shown = self.admin.settled("share show taken", "status")
        self.assertEqual((shown["id"], shown["size"], shown["host"]), (adopted, 1, FIRST_POOL))
        self.assertEqual(self.letter("taken").read_text(), "late")
        again = self.admin.json(f"share snapshot adopt taken {instance['Provider Location']} --name taken")["id"]
        self.admin.settled(f"share snapshot show {again}", "status")
        (instance,) = self.snapshot_instances(again)
        self.assertEqual((instance["Status"], instance["Share ID"]), ("available", adopted))
        kept = pathlib.Path(instance["Provider Location"]) / "letter.txt"
        self.assertEqual(kept.read_text(), "early")

    def test_what_was_never_the_services_is_adopted(self):
        attic = self.service.data / "first" / "import" / "attic"
        attic.mkdir()
        (attic / "letter.txt").write_text("from the attic")
        refused = self.admin.json(f"share adopt {FIRST_POOL} NFS {attic.parent}/cellar")["id"]
        self.admin.settled(f"share show {refused}", "status", "manage_error")
        (message,) = self.admin.json(f"share message list --resource-id {refused}")
        self.assertEqual(message["Resource Type"], "SHARE")
        self.admin.text(f"share abandon {refused}")
        self.until(lambda: refused in self.ids("share list"), False)
        self.admin.text(f"share adopt {FIRST_POOL} NFS {attic} --name found --driver-options size=3")
        self.assertEqual(self.admin.settled("share show found", "status")["size"], 3)
        self.assertEqual(self.letter("found").read_text(), "from the attic")
        self.assertFalse(attic.exists())
