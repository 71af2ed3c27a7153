"""The bindings of python-manilaclient on shares with replicas: real bytes in two directories."""

import functools
import pathlib
import unittest

from manilaclient.common.apiclient import exceptions

from bindings_case import BindingsCase
from cloud import FIRST_POOL, SECOND_POOL, cloud, until


class Replicas(BindingsCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.replicated = cls.admin.share_types.create(
            "replicated-bindings", spec_driver_handles_share_servers=False, spec_snapshot_support=True,
            extra_specs={"replication_type": "readable"})

    def make_replicated_share(self):
        """In the first backend: the share, its active replica, and a file in it."""
        share = self.make_share(share_type=self.replicated.id, availability_zone="nova")
        (active,) = self.admin.share_replicas.list(share)
        return share, active, self.mounted(share) / "letter.txt"

    def make_replica(self, share, **options):
        made = self.tenant.share_replicas.create(share, availability_zone="far", **options)
        return self.in_state(made, "in_sync")

    def in_state(self, replica, state):
        """The replica as it is once it is usable in this state."""
        self.settled(self.admin.share_replicas, replica, state, "replica_state")
        return self.settled(self.admin.share_replicas, replica)

    def letter_in(self, replica):
        (location,) = self.admin.share_replica_export_locations.list(replica)
        return pathlib.Path(location.path) / "letter.txt"

    def check_instances(self, snapshot, replicas, text):
        """The snapshot is there once for each replica, each with the bytes of its moment."""
        self.settled(self.tenant.share_snapshots, snapshot)
        instances = self.snapshot_instances(snapshot)
        self.assertEqual(
            [instance.share_instance_id for instance in instances], sorted(self.ids(replicas)))
        for instance in instances:
            self.assertEqual((instance.snapshot_id, instance.status, instance.progress),
                             (snapshot.id, "available", "100%"))
            kept = pathlib.Path(instance.provider_location) / "letter.txt"
            self.assertEqual(kept.read_text(), text)
        roots = {cloud().root(name) for name in ("first", "second")}
        found = {root for root in roots for instance in instances
                 if pathlib.Path(instance.provider_location).is_relative_to(root)}
        self.assertEqual(len(found), len(replicas))

    def test_a_snapshot_has_an_instance_in_each_replica(self):
        share, active, letter = self.make_replicated_share()
        self.assertEqual((active.replica_state, active.host), ("active", FIRST_POOL))
        self.assertFalse(self.tenant.shares.get(share).has_replicas)
        letter.write_text("early")
        before = self.make_snapshot(share)
        self.check_instances(before, [active], "early")
        letter.write_text("late")

        replica = self.make_replica(share)
        self.assertEqual((replica.share_id, replica.availability_zone, replica.host),
                         (share.id, "far", SECOND_POOL))
        self.assertTrue(self.tenant.shares.get(share).has_replicas)
        self.assertCountEqual(self.ids(self.tenant.share_replicas.list(share)), [active.id, replica.id])
        self.assertEqual(self.letter_in(replica).read_text(), "late")
        self.check_instances(before, [active, replica], "early")
        after = self.make_snapshot(share)
        letter.write_text("latest")
        self.check_instances(after, [active, replica], "late")
        with self.assertRaises(exceptions.Conflict):
            self.tenant.shares.delete(share)

        self.tenant.share_replicas.delete(replica)
        self.gone(self.tenant.share_replicas, replica)
        self.check_instances(before, [active], "early")
        self.check_instances(after, [active], "late")
        with self.assertRaises(exceptions.BadRequest):
            self.tenant.share_replicas.delete(active)

    def test_promoted_and_followed(self):
        share, first, letter = self.make_replicated_share()
        letter.write_text("early")
        snapshot = self.make_snapshot(share)
        second = self.make_replica(share)
        letter.write_text("late")
        with self.assertRaises(exceptions.Forbidden):
            self.reader.share_replicas.promote(second)

        self.tenant.share_replicas.promote(second, quiesce_wait_time=1)
        self.in_state(second, "active")
        self.in_state(first, "in_sync")
        self.assertEqual(self.admin.shares.get(share).host, SECOND_POOL)
        promoted = self.mounted(share) / "letter.txt"
        self.assertEqual(promoted, self.letter_in(second))
        self.assertEqual(promoted.read_text(), "late")
        self.check_instances(snapshot, [first, second], "early")

        promoted.write_text("since the promotion")
        with self.assertRaises(exceptions.Forbidden):
            self.tenant.share_replicas.resync(first)
        self.admin.share_replicas.resync(first)
        until(lambda: self.letter_in(first).read_text() == "since the promotion", "the bytes in sync")
        self.in_state(first, "in_sync")

    def test_an_instance_that_fails_counts_while_its_replica_is_in_sync(self):
        share, active, letter = self.make_replicated_share()
        letter.write_text("kept")
        replica = self.make_replica(share)
        snapshot = self.make_snapshot(share)
        (failed,) = [instance for instance in self.snapshot_instances(snapshot)
                     if instance.share_instance_id == replica.id]
        self.admin.share_snapshot_instances.reset_state(failed, "error")
        self.assertEqual(self.tenant.share_snapshots.get(snapshot).status, "error")
        self.admin.share_replicas.reset_replica_state(replica, "out_of_sync")
        self.assertEqual(self.tenant.share_replicas.get(replica).replica_state, "out_of_sync")
        self.assertEqual(self.tenant.share_snapshots.get(snapshot).status, "available")
        with self.assertRaises(exceptions.Forbidden):
            self.tenant.share_replicas.promote(replica)

        self.admin.share_replicas.resync(replica)
        self.in_state(replica, "in_sync")
        self.check_instances(snapshot, [active, replica], "kept")

    def test_reset_and_deleted_by_force(self):
        share, active, letter = self.make_replicated_share()
        letter.write_text("kept")
        snapshot = self.make_snapshot(share)
        replica = self.make_replica(share)
        self.check_instances(snapshot, [active, replica], "kept")
        copy = self.letter_in(replica)
        self.assertEqual(copy.read_text(), "kept")
        with self.assertRaises(exceptions.BadRequest):
            self.admin.share_replicas.reset_replica_state(replica, "fine")
        with self.assertRaises(exceptions.Forbidden):
            self.tenant.share_replicas.reset_state(replica, "error")
        self.admin.share_replicas.reset_state(replica, "error")
        self.assertEqual(self.tenant.share_replicas.get(replica).status, "error")
        self.assertEqual(self.tenant.shares.get(share).status, "available")

        with self.assertRaises(exceptions.Forbidden):
            self.tenant.share_replicas.delete(replica, force=True)
        self.admin.share_replicas.delete(replica, force=True)
        self.gone(self.admin.share_replicas, replica)
        self.check_instances(snapshot, [active], "kept")
        self.assertFalse(copy.exists())

    def test_metadata_and_export_locations(self):
        share, active, _ = self.make_replicated_share()
        replica = self.make_replica(share, metadata={"rack": "3"})
        self.assertEqual(self.tenant.share_replicas.get(replica).metadata, {"rack": "3"})
        self.tenant.share_replicas.delete_metadata(replica, ["rack"])
        self.check_metadata([functools.partial(call, replica) for call in (
            self.tenant.share_replicas.get_metadata, self.tenant.share_replicas.set_metadata,
            self.tenant.share_replicas.update_all_metadata, self.tenant.share_replicas.delete_metadata)])
        self.assertEqual(self.tenant.share_replicas.get(active).metadata, {})

        (location,) = self.tenant.share_replica_export_locations.list(replica)
        self.assertEqual((location.replica_state, location.availability_zone), ("in_sync", "far"))
        self.assertTrue(pathlib.Path(location.path).is_relative_to(cloud().root("second")))
        shown = self.tenant.share_replica_export_locations.get(replica, location.id)
        self.assertEqual(shown.path, location.path)
        with self.assertRaises(exceptions.NotFound):
            self.tenant.share_replica_export_locations.get(active, location.id)

    def test_at_a_version_that_is_an_experiment(self):
        share, active, _ = self.make_replicated_share()
        tenant = self.client("alice", "tenants", "2.55")
        self.assertEqual(self.ids(tenant.share_replicas.list(share)), [active.id])
        made = tenant.share_replicas.create(share, availability_zone="far")
        self.in_state(made, "in_sync")
        self.assertFalse(hasattr(tenant.share_replicas.get(made), "metadata"))
        tenant.share_replicas.delete(made)
        self.gone(tenant.share_replicas, made)


if __name__ == "__main__":
    unittest.main()
