"""The bindings of python-manilaclient on shares that move: to another backend, out of the service and into it."""

import pathlib
import unittest

from manilaclient.common.apiclient import exceptions

from bindings_case import BindingsCase
from cloud import FIRST_POOL, SECOND_POOL, cloud, until


class Migration(BindingsCase):
    def make_share_with_letter(self):
        share = self.make_share(availability_zone="nova")
        self.assertEqual(self.admin.shares.get(share).host, FIRST_POOL)
        letter = self.mounted(share) / "letter.txt"
        letter.write_text("early")
        return share, letter

    def start(self, share, **options):
        wanted = {"force_host_assisted_migration": False, "preserve_metadata": False, "writable": False,
                  "nondisruptive": False, "preserve_snapshots": False, **options}
        self.admin.shares.migration_start(share, SECOND_POOL, **wanted)

    def reaches(self, share, state):
        return self.settled(self.admin.shares, share, state, "task_state")

    def places(self, share):
        return sorted((each.status, each.host) for each in self.admin.shares.list_instances(share))

    def test_a_share_moves_with_its_snapshots(self):
        share, letter = self.make_share_with_letter()
        snapshot = self.make_snapshot(share)
        letter.write_text("late")
        rule = self.tenant.shares.allow(share, "ip", "10.0.0.1", "rw")["id"]
        (before,) = self.snapshot_instances(snapshot)
        self.start(share, preserve_metadata=True, preserve_snapshots=True)

        # The bytes are there, and the tenant still has the source.
        shown = self.reaches(share, "migration_driver_phase1_done")
        self.assertEqual((shown.status, shown.host), ("migrating", FIRST_POOL))
        self.assertEqual(self.mounted(share), letter.parent)
        self.assertEqual(self.places(share), [("migrating", FIRST_POOL), ("migrating_to", SECOND_POOL)])
        ends = {instance.status: instance for instance in self.snapshot_instances(snapshot)}
        self.assertCountEqual(ends, ["migrating", "migrating_to"])
        self.assertEqual(ends["migrating"].id, before.id)
        arrived = ends["migrating_to"]
        self.assertEqual((arrived.snapshot_id, arrived.share_id, arrived.progress),
                         (snapshot.id, share.id, "100%"))
        kept = pathlib.Path(arrived.provider_location)
        self.assertTrue(kept.is_relative_to(cloud().root("second")))
        self.assertEqual((kept / "letter.txt").read_text(), "early")
        _, progress = self.admin.shares.migration_get_progress(share)
        self.assertEqual((progress["task_state"], progress["total_progress"]),
                         ("migration_driver_phase1_done", 100))
        # Before 2.98 the progress was an action.
        _, same = self.client("admin", "admin", "2.97").shares.migration_get_progress(share)
        self.assertEqual(same, progress)
        with self.assertRaises(exceptions.Forbidden):
            self.tenant.shares.migration_complete(share)

        self.admin.shares.migration_complete(share)
        shown = self.reaches(share, "migration_success")
        self.assertEqual((shown.status, shown.host), ("available", SECOND_POOL))
        moved = self.mounted(share)
        self.assertTrue(moved.is_relative_to(cloud().root("second")))
        self.assertEqual((moved / "letter.txt").read_text(), "late")
        shown = self.settled(self.tenant.share_access_rules, rule, "active", "state")
        self.assertEqual((shown.access_to, shown.access_level), ("10.0.0.1", "rw"))
        until(lambda: self.places(share) == [("available", SECOND_POOL)], "the source gone")
        (after,) = self.snapshot_instances(snapshot)
        self.assertEqual((after.id, after.status, after.provider_location),
                         (arrived.id, "available", str(kept)))
        self.assertEqual((kept / "letter.txt").read_text(), "early")
        self.assertFalse(letter.exists())
        self.assertFalse(pathlib.Path(before.provider_location).exists())
        with self.assertRaises(exceptions.NotFound):
            self.admin.share_snapshot_instances.get(before)

    def test_cancelled_it_is_as_before(self):
        share, letter = self.make_share_with_letter()
        snapshot = self.make_snapshot(share)
        (before,) = self.snapshot_instances(snapshot)
        self.start(share, preserve_snapshots=True)
        self.reaches(share, "migration_driver_phase1_done")
        self.assertEqual(len(self.snapshot_instances(snapshot)), 2)
        self.admin.shares.migration_cancel(share)
        shown = self.reaches(share, "migration_cancelled")
        self.assertEqual((shown.status, shown.host), ("available", FIRST_POOL))
        until(lambda: self.places(share) == [("available", FIRST_POOL)], "the destination gone")
        (after,) = self.snapshot_instances(snapshot)
        self.assertEqual((after.id, after.status), (before.id, "available"))
        self.assertEqual(letter.read_text(), "early")
        for refused in (self.admin.shares.migration_cancel, self.admin.shares.migration_complete):
            with self.assertRaises(exceptions.BadRequest):
                refused(share)

    def test_by_the_data_mover(self):
        share, _ = self.make_share_with_letter()
        self.start(share, force_host_assisted_migration=True)
        self.reaches(share, "data_copying_completed")
        self.admin.shares.migration_complete(share)
        self.reaches(share, "migration_success")
        moved = self.mounted(share)
        self.assertTrue(moved.is_relative_to(cloud().root("second")))
        self.assertEqual((moved / "letter.txt").read_text(), "early")

    def test_what_the_data_mover_leaves_out_is_refused(self):
        share, _ = self.make_share_with_letter()
        with self.assertRaises(exceptions.BadRequest):
            self.start(share, force_host_assisted_migration=True, preserve_metadata=True)
        with self.assertRaises(exceptions.Forbidden):
            self.tenant.shares.migration_start(share, SECOND_POOL, False, False, False, False, False)


class Manage(BindingsCase):
    def test_a_share_and_its_snapshot_are_given_up_and_taken_again(self):
        # The administrator's own, as what he takes into use is.
        share = self.settled(
            self.admin.shares, self.admin.shares.create("NFS", 2, availability_zone="nova"))
        mount = self.mounted(share)
        (mount / "letter.txt").write_text("early")
        snapshot = self.settled(self.admin.share_snapshots, self.admin.share_snapshots.create(share))
        (instance,) = self.snapshot_instances(snapshot)
        kept = pathlib.Path(instance.provider_location)
        (mount / "letter.txt").write_text("late")
        with self.assertRaises(exceptions.Forbidden):
            self.tenant.shares.unmanage(share)
        with self.assertRaises(exceptions.Forbidden):
            self.admin.shares.unmanage(share)

        self.admin.share_snapshots.unmanage(snapshot)
        self.gone(self.admin.share_snapshots, snapshot)
        self.assertEqual(self.snapshot_instances(snapshot), [])
        self.admin.shares.unmanage(share)
        self.gone(self.admin.shares, share)
        self.assertEqual((mount / "letter.txt").read_text(), "late")
        self.assertEqual((kept / "letter.txt").read_text(), "early")

        taken = self.admin.shares.manage(FIRST_POOL, "NFS", str(mount), name="again")
        shown = self.settled(self.admin.shares, taken)
        self.assertNotEqual(shown.id, share.id)
        self.assertEqual((shown.name, shown.size, shown.host), ("again", 2, FIRST_POOL))
        self.assertEqual((self.mounted(taken) / "letter.txt").read_text(), "late")
        with self.assertRaises(exceptions.Conflict):
            self.admin.shares.manage(FIRST_POOL, "NFS", str(self.mounted(taken)))
        again = self.admin.share_snapshots.manage(taken, str(kept), name="n2")
        shown = self.settled(self.admin.share_snapshots, again)
        self.assertEqual((shown.name, shown.share_id, shown.size), ("n2", taken.id, 2))
        (instance,) = self.snapshot_instances(again)
        self.assertEqual((instance.status, instance.share_id), ("available", taken.id))
        kept = pathlib.Path(instance.provider_location) / "letter.txt"
        self.assertEqual(kept.read_text(), "early")

    def test_what_was_never_the_services_is_taken(self):
        attic = cloud().root("first") / "import" / "attic"
        attic.mkdir()
        (attic / "letter.txt").write_text("from the attic")
        for wrong in (attic.parent / "cellar", cloud().root("second")):
            refused = self.admin.shares.manage(FIRST_POOL, "NFS", str(wrong))
            self.settled(self.admin.shares, refused, "manage_error")
            self.admin.shares.unmanage(refused)
            self.gone(self.admin.shares, refused)
        taken = self.admin.shares.manage(FIRST_POOL, "NFS", str(attic), driver_options={"size": 3})
        self.assertEqual(self.settled(self.admin.shares, taken).size, 3)
        self.assertEqual((self.mounted(taken) / "letter.txt").read_text(), "from the attic")
        self.assertFalse(attic.exists())


if __name__ == "__main__":
    unittest.main()
