"""openstacksdk as it is released: every method of its proxy that the API covers."""

import inspect
import unittest

from openstack import exceptions
from openstack.shared_file_system.v2 import _proxy

import coverage
from cloud import FIRST_POOL, SECOND_POOL, UUID, cloud
from sdk_case import SdkCase

NO_GROUPS = "share groups are not built yet"
NO_NETWORKS = "share networks are not built yet"
NO_TRANSFERS = "share transfers are not built yet"
DEPRECATED = "warns, and calls the method that is tested"
NOT_TESTED = {
    "*share_group": NO_GROUPS, "share_group*": NO_GROUPS, "*share_group_snapshot": NO_GROUPS,
    "reset_share_group_snapshot_status": NO_GROUPS,
    "*share_network": NO_NETWORKS, "share_network*": NO_NETWORKS, "*share_network_subnet": NO_NETWORKS,
    "*share_network_subnet_metadata": NO_NETWORKS, "fetch_share_network_subnet_metadata_item": NO_NETWORKS,
    "*share_transfer": NO_TRANSFERS, "*share_transfers": NO_TRANSFERS,
    "get_share_metadata": DEPRECATED, "get_share_metadata_item": DEPRECATED,
    "create_share_metadata": DEPRECATED, "update_share_metadata": DEPRECATED,
}


class Coverage(unittest.TestCase):
    def test_every_method_is_tested_or_has_a_reason(self):
        offered = {name for name, value in vars(_proxy.Proxy).items()
                   if inspect.isfunction(value) and not name.startswith("_")}
        self.assertEqual(coverage.problems(offered, coverage.called("*sdk*.py"), NOT_TESTED), [])


class Story(SdkCase):
    def test_snapshot_instances(self):
        share = self.make_share(self.tenant, name="s1", description="first")
        self.assertRegex(share.id, UUID)
        self.assertEqual((share.size, share.share_protocol, share.description), (1, "NFS", "first"))
        snapshot = self.make_snapshot(self.tenant, share, name="n1")
        self.assertEqual((snapshot.share_id, snapshot.share_size), (share.id, 1))

        (instance,) = self.admin.share_snapshot_instances(snapshot_id=snapshot.id)
        self.assertRegex(instance.id, UUID)
        self.assertEqual(
            (instance.snapshot_id, instance.share_id, instance.status, instance.progress),
            (snapshot.id, share.id, "available", "100%"))
        self.assertIn(instance.id, instance.provider_location)
        self.assertLessEqual(instance.created_at, instance.updated_at)
        brief = next(i for i in self.admin.share_snapshot_instances(details=False) if i.id == instance.id)
        self.assertEqual((brief.status, brief.progress), ("available", None))
        shown = self.admin.get_share_snapshot_instance(instance.id)
        self.assertEqual(shown.to_dict() | {"location": None}, instance.to_dict() | {"location": None})

        # This release of the SDK has no method for it, but the proxy is a session.
        answer = self.admin.post(
            f"/snapshot-instances/{instance.id}/action", json={"reset_status": {"status": "error"}})
        self.assertEqual(answer.status_code, 202)
        self.assertEqual(self.admin.get_share_snapshot_instance(instance.id).status, "error")
        self.assertEqual(self.tenant.get_share_snapshot(snapshot.id).status, "error")

        for refused in (
            lambda: list(self.tenant.share_snapshot_instances()),
            lambda: self.tenant.get_share_snapshot_instance(instance.id),
        ):
            self.assertRaises(exceptions.ForbiddenException, refused)
        self.assertRaises(
            exceptions.NotFoundException, self.admin.get_share_snapshot_instance, snapshot.id)


class Shares(SdkCase):
    def test_found_changed_and_deleted(self):
        share = self.make_share(self.tenant, name="found", metadata={"aim": "doc"})
        self.assertEqual([s.id for s in self.tenant.shares(name="found")], [share.id])
        brief = next(s for s in self.tenant.shares(details=False) if s.id == share.id)
        self.assertEqual((brief.name, brief.size), ("found", None))
        self.assertEqual(self.tenant.find_share("found").id, share.id)
        self.assertIsNone(self.tenant.find_share("nowhere"))
        self.tenant.update_share(share.id, display_name="renamed", display_description="new")
        share = self.tenant.get_share(share.id)
        self.assertEqual((share.name, share.description, share.metadata), ("renamed", "new", {"aim": "doc"}))
        self.assertEqual([s.id for s in self.admin.shares(all_projects=True, name="renamed")], [share.id])
        self.assertRaises(
            exceptions.ForbiddenException, self.reader.create_share, share_protocol="NFS", size=1)
        self.tenant.delete_share(share)
        self.gone(self.tenant, share)
        self.assertRaises(exceptions.NotFoundException, self.tenant.get_share, share.id)

    def test_size_snapshot_and_status(self):
        share = self.make_share(self.tenant)
        self.tenant.resize_share(share, 3)
        share = self.settled(self.tenant, share)
        self.assertEqual(self.tenant.get_share(share.id).size, 3)
        self.tenant.resize_share(share, 2)
        self.settled(self.tenant, share)
        self.assertEqual(self.tenant.get_share(share.id).size, 2)
        self.tenant.resize_share(share, 1, no_shrink=True)
        self.assertEqual(self.tenant.get_share(share.id).size, 2)
        snapshot = self.make_snapshot(self.tenant, share)
        self.tenant.revert_share_to_snapshot(share, snapshot.id)
        self.settled(self.tenant, share)
        self.admin.reset_share_status(share, "error")
        self.assertEqual(self.tenant.get_share(share.id).status, "error")
        self.assertRaises(exceptions.ForbiddenException, self.tenant.reset_share_status, share, "available")

    def test_recycle_bin(self):
        share = self.make_share(self.tenant)
        self.tenant.soft_delete_share(share)
        self.assertNotIn(share.id, [s.id for s in self.tenant.shares()])
        self.tenant.restore_share(share)
        self.assertIn(share.id, [s.id for s in self.tenant.shares()])

    def test_metadata(self):
        share = self.make_share(self.tenant)
        self.tenant.set_share_metadata(share, aim="doc", rack="7")
        self.assertEqual(self.tenant.fetch_share_metadata(share).metadata, {"aim": "doc", "rack": "7"})
        self.assertEqual(
            self.tenant.fetch_share_metadata_item(share.id, "rack").metadata, {"rack": "7"})
        self.tenant.set_share_metadata(share, replace=True, only="this")
        self.assertEqual(self.tenant.get_share(share.id).metadata, {"only": "this"})
        self.tenant.delete_share_metadata(share, ["only", "absent"])
        self.assertEqual(self.tenant.get_share(share.id).metadata, {})

    def test_access_rules(self):
        share = self.make_share(self.tenant)
        rule = self.tenant.create_access_rule(
            share, access_type="ip", access_to="10.0.0.0/24", access_level="ro", metadata={"a": "b"})
        self.settled(self.tenant, rule, "active", "state")
        shown = self.tenant.get_access_rule(rule.id)
        self.assertEqual(
            (shown.access_to, shown.access_level, shown.metadata), ("10.0.0.0/24", "ro", {"a": "b"}))
        self.assertEqual([r.id for r in self.tenant.access_rules(share)], [rule.id])
        self.tenant.delete_access_rule(rule.id, share)
        self.gone(self.tenant, rule)
        self.assertEqual(list(self.tenant.access_rules(share)), [])

    def test_export_locations_and_instances(self):
        share = self.make_share(self.tenant)
        (location,) = self.tenant.export_locations(share)
        self.assertIn("/", location.path)
        shown = self.tenant.get_export_location(location.id, share)
        self.assertEqual((shown.path, shown.is_preferred), (location.path, True))

        instance = next(i for i in self.admin.share_instances() if i.share_id == share.id)
        self.assertEqual(self.admin.get_share_instance(instance.id).status, "available")
        self.admin.reset_share_instance_status(instance.id, "error")
        self.assertEqual(self.tenant.get_share(share.id).status, "error")
        self.admin.delete_share_instance(instance.id)
        self.gone(self.tenant, share)


class Snapshots(SdkCase):
    def test_found_changed_and_deleted(self):
        share = self.make_share(self.tenant)
        snapshot = self.make_snapshot(self.tenant, share, name="n2")
        self.assertIn(snapshot.id, [s.id for s in self.tenant.share_snapshots()])
        self.assertIn("n2", [s.name for s in self.tenant.share_snapshots(details=False)])
        self.tenant.update_share_snapshot(snapshot, display_name="n3", display_description="third")
        shown = self.tenant.get_share_snapshot(snapshot.id)
        self.assertEqual((shown.name, shown.description), ("n3", "third"))
        self.admin.reset_share_snapshot_status(snapshot.id, "error")
        self.assertEqual(self.tenant.get_share_snapshot(snapshot.id).status, "error")
        self.tenant.delete_share_snapshot(snapshot)
        self.gone(self.tenant, snapshot)
        other = self.make_snapshot(self.tenant, share)
        self.admin.delete_share_snapshot(other, force=True)
        self.gone(self.tenant, other)

    def test_metadata(self):
        snapshot = self.make_snapshot(self.tenant, self.make_share(self.tenant))
        self.tenant.set_share_snapshot_metadata(snapshot, aim="doc", rack="7")
        self.assertEqual(
            self.tenant.fetch_share_snapshot_metadata(snapshot).metadata, {"aim": "doc", "rack": "7"})
        self.assertEqual(
            self.tenant.fetch_share_snapshot_metadata_item(snapshot, "aim").metadata["aim"], "doc")
        self.tenant.delete_share_snapshot_metadata(snapshot, ["aim"])
        self.assertEqual(self.tenant.fetch_share_snapshot_metadata(snapshot.id).metadata, {"rack": "7"})


class Locks(SdkCase):
    def test_a_locked_share_stays(self):
        share = self.make_share(self.tenant)
        lock = self.tenant.create_resource_lock(
            resource_id=share.id, resource_type="share", resource_action="delete", lock_reason="audit")
        shown = self.tenant.get_resource_lock(lock.id)
        self.assertEqual(
            (shown.resource_id, shown.resource_type, shown.resource_action, shown.lock_reason),
            (share.id, "share", "delete", "audit"))
        self.assertRaises(
            exceptions.ForbiddenException, self.tenant.delete_share, share, ignore_missing=False)
        found = self.tenant.resource_locks(resource_id=share.id, resource_type="share")
        self.assertEqual([each.id for each in found], [lock.id])
        self.tenant.update_resource_lock(lock, lock_reason="second audit")
        self.assertEqual(self.tenant.get_resource_lock(lock.id).lock_reason, "second audit")
        self.assertRaises(exceptions.ForbiddenException, self.reader.delete_resource_lock, lock.id)
        self.tenant.delete_resource_lock(lock)
        self.assertEqual(list(self.tenant.resource_locks(resource_id=share.id)), [])
        self.assertRaises(
            exceptions.NotFoundException, self.tenant.delete_resource_lock, lock.id, ignore_missing=False)
        self.tenant.delete_share(share)
        self.gone(self.tenant, share)


class Operating(SdkCase):
    def test_services(self):
        service = next(s for s in self.admin.services(binary="manila-share"))
        self.assertEqual((service.state, service.status), ("up", "enabled"))
        told = self.admin.disable_service(
            service, service.host, service.binary, disable_reason="repairs")
        self.addCleanup(self.admin.enable_service, service, service.host, service.binary)
        self.assertEqual((told.status, told.disabled_reason), ("disabled", "repairs"))
        (disabled,) = self.admin.services(status="disabled")
        self.assertEqual(disabled.host, service.host)
        self.admin.enable_service(service, service.host, service.binary)
        self.assertEqual(list(self.admin.services(status="disabled")), [])
        self.admin.ensure_shares_service(service.host)
        self.assertRaises(exceptions.ForbiddenException, lambda: list(self.tenant.services()))

    def test_pools_and_zones(self):
        pools = {pool.name: pool.capabilities for pool in self.admin.storage_pools()}
        self.assertCountEqual(pools, [FIRST_POOL, SECOND_POOL])
        self.assertEqual(pools[FIRST_POOL]["snapshot_support"], True)
        self.assertCountEqual([pool.name for pool in self.admin.storage_pools(details=False)], pools)
        self.assertCountEqual([zone.name for zone in self.tenant.availability_zones()], ["nova", "far"])

    def test_quotas_and_limits(self):
        project = cloud().project_id("tenants")
        self.addCleanup(self.admin.revert_quota_set, project)
        before = self.admin.get_quota_set(project)
        told = self.admin.update_quota_set(project, shares=before.shares + 7)
        self.assertEqual(told.shares, before.shares + 7)
        self.assertEqual(self.admin.get_quota_set(project).shares, before.shares + 7)
        # This release looks for the figures beside `absolute`, where they are in no version of the API.
        (limits,) = self.tenant.limits()
        self.assertIsNone(limits.maxTotalShares)
        self.admin.revert_quota_set(project)
        self.assertEqual(self.admin.get_quota_set(project).shares, before.shares)

        defaults = self.admin.get_quota_class_set("default")
        self.addCleanup(self.admin.update_quota_class_set, "default", snapshots=defaults.snapshots)
        self.admin.update_quota_class_set("default", snapshots=defaults.snapshots + 1)
        self.assertEqual(self.admin.get_quota_class_set("default").snapshots, defaults.snapshots + 1)

    def test_share_types(self):
        made = self.admin.create_share_type(
            "sdk", extra_specs={"driver_handles_share_servers": "False", "dedupe": "False"})
        self.addCleanup(self.admin.delete_share_type, made)
        self.assertIn("sdk", [t.name for t in self.tenant.share_types()])
        self.admin.update_share_type(made, description="of the SDK")
        self.assertEqual(self.tenant.get_share_type(made.id).description, "of the SDK")
        self.admin.update_share_type_extra_specs(made, compression="False")
        self.assertEqual(self.admin.get_share_type(made.id).extra_specs["compression"], "False")
        self.admin.delete_share_type_extra_spec_property(made, "compression")
        self.assertNotIn("compression", self.admin.get_share_type(made.id).extra_specs)
        self.admin.delete_share_type(made)
        self.assertNotIn("sdk", [t.name for t in self.admin.share_types()])

    def test_user_messages(self):
        nowhere = self.admin.create_share_type(
            "nowhere", extra_specs={"driver_handles_share_servers": "False", "dedupe": "True"})
        self.addCleanup(self.admin.delete_share_type, nowhere)
        share = self.tenant.create_share(share_protocol="NFS", size=1, share_type="nowhere")
        self.settled(self.tenant, share, "error")
        (message,) = self.tenant.user_messages(resource_id=share.id)
        self.assertEqual(self.tenant.get_user_message(message.id).resource_id, share.id)
        self.tenant.delete_user_message(message.id)
        self.assertEqual(list(self.tenant.user_messages(resource_id=share.id)), [])
        self.tenant.delete_share(share)
        self.gone(self.tenant, share)


if __name__ == "__main__":
    unittest.main()
