"""openstacksdk on shares that move: to another backend, out of the service and into it."""

import pathlib
import unittest

from openstack import exceptions

from cloud import FIRST_POOL, SECOND_POOL, cloud, until
from sdk_case import SdkCase


class Migration(SdkCase):
    def act(self, share, action, value=None):
        """This release of the SDK has no method for it, but the proxy is a session."""
        answer = self.admin.post(f"/shares/{share.id}/action", json={action: value})
        self.assertEqual(answer.status_code, 202, answer.text)

    def places(self, share):
        return {each.status: each.host for each in self.admin.share_instances() if each.share_id == share.id}

    def test_a_share_moves_with_its_snapshots(self):
        share = self.make_share(self.tenant, availability_zone="nova")
        letter = self.mounted(share) / "letter.txt"
        letter.write_text("early")
        snapshot = self.make_snapshot(self.tenant, share)
        letter.write_text("late")
        self.act(share, "migration_start", {
            "host": SECOND_POOL, "writable": False, "nondisruptive": False,
            "preserve_metadata": True, "preserve_snapshots": True})
        self.settled(self.admin, share, "migration_driver_phase1_done", "task_state")
        self.assertEqual(self.places(share), {"migrating": FIRST_POOL, "migrating_to": SECOND_POOL})
        ends = {each.status: each for each in self.snapshot_instances(snapshot)}
        self.assertCountEqual(ends, ["migrating", "migrating_to"])
        arrived = self.admin.get_share_snapshot_instance(ends["migrating_to"].id)
        self.assertEqual((arrived.status, arrived.progress), ("migrating_to", "100%"))
        kept = pathlib.Path(arrived.provider_location)
        self.assertTrue(kept.is_relative_to(cloud().root("second")))
        self.assertEqual((kept / "letter.txt").read_text(), "early")

        self.act(share, "migration_complete")
        self.settled(self.admin, share, "migration_success", "task_state")
        until(lambda: self.places(share) == {"available": SECOND_POOL}, "the source gone")
        self.assertEqual((self.mounted(share) / "letter.txt").read_text(), "late")
        (after,) = self.snapshot_instances(snapshot)
        self.assertEqual((after.id, after.status), (arrived.id, "available"))


class Manage(SdkCase):
    def test_a_share_and_its_snapshot_are_given_up_and_taken_again(self):
        share = self.make_share(self.admin, availability_zone="nova")
        mount = self.mounted(share)
        (mount / "letter.txt").write_text("early")
        snapshot = self.make_snapshot(self.admin, share)
        (instance,) = self.snapshot_instances(snapshot)
        kept = instance.provider_location
        (mount / "letter.txt").write_text("late")
        self.assertRaises(exceptions.ForbiddenException, self.admin.unmanage_share, share.id)

        self.admin.unmanage_share_snapshot(snapshot.id)
        self.gone(self.admin, snapshot)
        self.assertEqual(self.snapshot_instances(snapshot), [])
        self.admin.unmanage_share(share.id)
        self.gone(self.admin, share)
        self.assertEqual((mount / "letter.txt").read_text(), "late")

        taken = self.admin.manage_share("NFS", str(mount), FIRST_POOL, name="again")
        shown = self.settled(self.admin, taken)
        self.assertNotEqual(shown.id, share.id)
        self.assertEqual((shown.name, shown.size, shown.host), ("again", 1, FIRST_POOL))
        self.assertEqual((self.mounted(taken) / "letter.txt").read_text(), "late")
        again = self.admin.manage_share_snapshot(taken, kept, name="n2")
        self.assertEqual(self.settled(self.admin, again).share_id, taken.id)
        (instance,) = self.snapshot_instances(again)
        self.assertEqual((instance.status, instance.share_id), ("available", taken.id))
        kept = pathlib.Path(instance.provider_location) / "letter.txt"
        self.assertEqual(kept.read_text(), "early")
        self.assertRaises(
            exceptions.ForbiddenException, self.tenant.manage_share, "NFS", str(mount), FIRST_POOL)


if __name__ == "__main__":
    unittest.main()
