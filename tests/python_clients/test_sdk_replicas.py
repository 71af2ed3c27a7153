"""openstacksdk on shares with replicas: real bytes in two directories."""

import pathlib
import unittest

from openstack import exceptions

from cloud import FIRST_POOL, SECOND_POOL, cloud, until
from sdk_case import SdkCase


class Replicas(SdkCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.replicated = cls.admin.create_share_type("replicated-sdk", extra_specs={
            "driver_handles_share_servers": "False", "snapshot_support": "True", "replication_type": "readable"})

    def make_replicated_share(self):
        """In the first backend: the share, its active replica, and a file in it."""
        share = self.make_share(self.tenant, share_type=self.replicated.name, availability_zone="nova")
        (active,) = self.tenant.share_replicas(share_id=share.id)
        return share, active, self.mounted(share) / "letter.txt"

    def make_replica(self, share):
        made = self.tenant.create_share_replica(share, availability_zone="far")
        self.assertEqual((made.share_id, made.replica_state), (share.id, "out_of_sync"))
        return self.in_state(made, "in_sync")

    def in_state(self, replica, state):
        """The replica as it is once it is usable in this state."""
        self.settled(self.admin, replica, state, "replica_state")
        return self.settled(self.admin, replica)

    def check_instances(self, snapshot, replicas, text):
        """The snapshot is there once for each replica, each with the bytes of its moment."""
        self.settled(self.tenant, snapshot)
        instances = self.snapshot_instances(snapshot)
        self.assertEqual([instance.share_instance_id for instance in instances],
                         sorted(replica.id for replica in replicas))
        self.assertEqual({instance.status for instance in instances}, {"available"})
        kept = [pathlib.Path(instance.provider_location) for instance in instances]
        self.assertEqual(len(set(kept)), len(replicas))
        self.assertEqual({(path / "letter.txt").read_text() for path in kept}, {text})

    def test_a_snapshot_has_an_instance_in_each_replica(self):
        share, active, letter = self.make_replicated_share()
        self.assertEqual(self.admin.get_share_replica(active.id).host, FIRST_POOL)
        letter.write_text("early")
        before = self.make_snapshot(self.tenant, share)
        self.check_instances(before, [active], "early")
        letter.write_text("late")
        replica = self.make_replica(share)
        self.assertEqual((replica.host, replica.cast_rules_to_readonly), (SECOND_POOL, True))
        self.assertTrue(self.tenant.get_share(share.id).is_replicated)
        listed = self.tenant.share_replicas(share_id=share.id)
        self.assertCountEqual([each.id for each in listed], [active.id, replica.id])
        places = {each.id: each.replica_state for each in self.admin.share_instances()
                  if each.share_id == share.id}
        self.assertEqual(places, {active.id: "active", replica.id: "in_sync"})
        self.check_instances(before, [active, replica], "early")
        after = self.make_snapshot(self.tenant, share)
        letter.write_text("latest")
        self.check_instances(after, [active, replica], "late")

        self.tenant.delete_share_replica(replica.id)
        self.gone(self.tenant, replica)
        self.check_instances(before, [active], "early")
        self.check_instances(after, [active], "late")

    def test_promoted_and_followed(self):
        share, first, letter = self.make_replicated_share()
        letter.write_text("early")
        snapshot = self.make_snapshot(self.tenant, share)
        second = self.make_replica(share)
        letter.write_text("late")
        self.assertRaises(exceptions.ForbiddenException, self.reader.promote_share_replica, second.id)
        self.tenant.promote_share_replica(second.id)
        self.in_state(second, "active")
        self.in_state(first, "in_sync")
        promoted = self.mounted(share) / "letter.txt"
        self.assertTrue(promoted.is_relative_to(cloud().root("second")))
        self.assertEqual(promoted.read_text(), "late")
        self.check_instances(snapshot, [first, second], "early")

        promoted.write_text("since the promotion")
        self.assertRaises(exceptions.ForbiddenException, self.tenant.resync_share_replica, first.id)
        self.admin.resync_share_replica(first.id)
        until(lambda: letter.read_text() == "since the promotion", "the bytes in sync")

    def test_reset_and_deleted_by_force(self):
        share, active, letter = self.make_replicated_share()
        letter.write_text("kept")
        snapshot = self.make_snapshot(self.tenant, share)
        replica = self.make_replica(share)
        self.check_instances(snapshot, [active, replica], "kept")
        self.admin.reset_share_replica_state(replica.id, "out_of_sync")
        self.assertEqual(self.tenant.get_share_replica(replica.id).replica_state, "out_of_sync")
        self.assertRaises(
            exceptions.BadRequestException, self.admin.reset_share_replica_state, active.id, "error")
        self.admin.reset_share_replica_status(replica.id, "error")
        self.assertEqual(self.tenant.get_share_replica(replica.id).status, "error")
        self.assertRaises(
            exceptions.ForbiddenException, self.tenant.delete_share_replica, replica.id, force=True)
        self.admin.delete_share_replica(replica.id, force=True)
        self.gone(self.admin, replica)
        self.check_instances(snapshot, [active], "kept")


if __name__ == "__main__":
    unittest.main()
