"""The bindings of python-manilaclient as they are released: every method of its managers that the API covers."""

import functools
import inspect
import unittest

from manilaclient import base
from manilaclient.common import constants
from manilaclient.common.apiclient import exceptions

import coverage
from bindings_case import BindingsCase
from cloud import FIRST_POOL, SECOND_POOL, UUID, cloud, until

NO_GROUPS = "share groups are not built yet"
NO_NETWORKS = "share networks are not built yet"
NO_TRANSFERS = "share transfers are not built yet"
NO_BACKUPS = "share backups are not built yet"
INHERITED = "the client's own, of `list`"
NOT_TESTED = {
    "*.find": INHERITED, "*.findall": INHERITED,
    "quotas.list": "there is no such request", "quota_classes.list": "there is no such request",
    "shares.do_list": "what `list` calls", "share_instances.do_list": "what `list` calls",
    "share_access_rules.list": "`access_list` is the request", "shares.access_list": "below 2.45",
    "share_types.show": "`get`, by another name",
    "services.server_api_version": "asks for the versions, of which the clients' start is a test",
    "qos_types.*": "QoS types are not built yet",
    "security_services.*": NO_NETWORKS, "share_network*": NO_NETWORKS, "share_servers.*": NO_NETWORKS,
    "share_groups.*": NO_GROUPS, "share_group_snapshots.*": NO_GROUPS, "share_backups.*": NO_BACKUPS, "transfers.*": NO_TRANSFERS,
}


class Coverage(BindingsCase):
    def test_every_method_is_tested_or_has_a_reason(self):
        offered = set()
        for name, manager in vars(self.admin).items():
            if isinstance(manager, base.Manager):
                helpers = set(dir(base.Manager))
                offered |= {f"{name}.{method}" for method, _ in inspect.getmembers(type(manager), callable)
                            if not method.startswith("_") and method not in helpers}
        self.assertGreater(len(offered), 100)
        self.assertEqual(coverage.problems(offered, coverage.called("*bindings*.py"), NOT_TESTED), [])


class Story(BindingsCase):
    def test_snapshot_instances(self):
        share = self.make_share(name="s1", description="first")
        self.assertRegex(share.id, UUID)
        snapshot = self.make_snapshot(share, name="n1")

        (instance,) = self.admin.share_snapshot_instances.list(detailed=True, snapshot=snapshot)
        self.assertEqual(
            (instance.snapshot_id, instance.share_id, instance.status, instance.progress),
            (snapshot.id, share.id, "available", "100%"))
        self.assertIn(instance.id, instance.provider_location)
        self.assertIn(instance.id, self.ids(self.admin.share_snapshot_instances.list()))
        shown = self.admin.share_snapshot_instances.get(instance)
        self.assertEqual(shown.to_dict(), instance.to_dict())
        (location,) = self.admin.share_snapshot_instance_export_locations.list(instance)
        of_instance = self.admin.share_snapshot_instance_export_locations.get(location.id, instance)
        self.assertEqual(of_instance.path, location.path)
        (location,) = self.tenant.share_snapshot_export_locations.list(snapshot)
        self.assertEqual(
            self.tenant.share_snapshot_export_locations.get(location.id, snapshot).path, location.path)

        self.admin.share_snapshot_instances.reset_state(instance, "error")
        self.assertEqual(self.admin.share_snapshot_instances.get(instance).status, "error")
        self.assertEqual(self.tenant.share_snapshots.get(snapshot).status, "error")
        with self.assertRaises(exceptions.BadRequest):
            self.admin.share_snapshot_instances.reset_state(instance, "fine")
        with self.assertRaises(exceptions.Forbidden):
            self.tenant.share_snapshot_instances.list()
        with self.assertRaises(exceptions.NotFound):
            self.admin.share_snapshot_instances.get(snapshot.id)

    def test_at_the_lowest_version(self):
        tenant = self.client("alice", "tenants", "2.0")
        share = self.settled(tenant.shares, tenant.shares.create("NFS", 1, name="low"))
        snapshot = self.settled(tenant.share_snapshots, tenant.share_snapshots.create(share))
        self.assertIn(share.id, self.ids(tenant.shares.list()))
        tenant.share_snapshots.delete(snapshot)
        self.gone(tenant.share_snapshots, snapshot)


class Shares(BindingsCase):
    def test_found_changed_and_deleted(self):
        share = self.make_share(name="bound", metadata={"aim": "doc"})
        self.assertEqual(self.ids(self.tenant.shares.list(search_opts={"name": "bound"})), [share.id])
        for key in constants.SHARE_SORT_KEY_VALUES:
            self.assertIn(share.id, self.ids(self.tenant.shares.list(sort_key=key, sort_dir="asc")), key)
        self.tenant.shares.update(share, display_name="renamed")
        shown = self.tenant.shares.get(share)
        self.assertEqual((shown.name, shown.metadata), ("renamed", {"aim": "doc"}))
        with self.assertRaises(exceptions.Forbidden):
            self.reader.shares.delete(share)
        self.tenant.shares.delete(share)
        self.gone(self.tenant.shares, share)
        other = self.make_share()
        self.admin.shares.force_delete(other)
        self.gone(self.tenant.shares, other)

    def test_size_snapshot_and_status(self):
        share = self.make_share()
        self.tenant.shares.extend(share, 3)
        self.assertEqual(self.settled(self.tenant.shares, share).size, 3)
        self.tenant.shares.shrink(share, 2)
        self.assertEqual(self.settled(self.tenant.shares, share).size, 2)
        snapshot = self.make_snapshot(share)
        self.tenant.shares.revert_to_snapshot(share, snapshot)
        self.settled(self.tenant.shares, share)
        self.admin.shares.reset_state(share, "error")
        self.assertEqual(self.tenant.shares.get(share).status, "error")
        self.admin.shares.reset_task_state(share, "migration_error")
        self.assertEqual(self.admin.shares.get(share).task_state, "migration_error")

    def test_recycle_bin(self):
        share = self.make_share()
        self.tenant.shares.soft_delete(share)
        self.assertNotIn(share.id, self.ids(self.tenant.shares.list()))
        binned = self.tenant.shares.list(search_opts={"is_soft_deleted": True})
        self.assertEqual(self.ids(binned), [share.id])
        self.tenant.shares.restore(share)
        self.assertIn(share.id, self.ids(self.tenant.shares.list()))

    def test_metadata(self):
        share = self.make_share()
        snapshot = self.make_snapshot(share)
        (location,) = self.tenant.share_export_locations.list(share)
        shown = self.tenant.share_export_locations.get(share, location.id)
        self.assertEqual((shown.path, shown.preferred), (location.path, True))
        bind = functools.partial
        self.check_metadata([bind(call, share) for call in (
            self.tenant.shares.get_metadata, self.tenant.shares.set_metadata,
            self.tenant.shares.update_all_metadata, self.tenant.shares.delete_metadata)])
        self.check_metadata([bind(call, snapshot) for call in (
            self.tenant.share_snapshots.get_metadata, self.tenant.share_snapshots.set_metadata,
            self.tenant.share_snapshots.update_all_metadata, self.tenant.share_snapshots.delete_metadata)])
        self.check_metadata([
            bind(self.tenant.share_export_locations.get_metadata, share, location.id),
            bind(self.tenant.share_export_locations.set_metadata, share, subresource=location.id),
            bind(self.tenant.share_export_locations.update_all_metadata, share, subresource=location.id),
            bind(self.tenant.share_export_locations.delete_metadata, share, subresource=location.id),
        ])

    def test_access_rules(self):
        share = self.make_share()
        rule = self.tenant.shares.allow(share, "ip", "10.0.0.0/24", "ro", metadata={"a": "b"})["id"]
        shown = self.settled(self.tenant.share_access_rules, rule, "active", "state")
        self.assertEqual((shown.access_to, shown.access_level), ("10.0.0.0/24", "ro"))
        (listed,) = self.tenant.share_access_rules.access_list(share)
        self.assertEqual(listed.id, rule)
        self.tenant.share_access_rules.set_metadata(rule, {"c": "d"})
        self.assertEqual(self.tenant.share_access_rules.get(rule).metadata, {"a": "b", "c": "d"})
        self.tenant.share_access_rules.unset_metadata(rule, ["a"])
        self.assertEqual(self.tenant.share_access_rules.get(rule).metadata, {"c": "d"})
        self.admin.share_access_rules.set_access_level(rule, "rw")
        shown = self.settled(self.tenant.share_access_rules, rule, "active", "state")
        self.assertEqual(shown.access_level, "rw")
        self.tenant.shares.deny(share, rule)
        self.gone(self.tenant.share_access_rules, rule)

    def test_instances(self):
        share = self.make_share()
        (instance,) = self.admin.shares.list_instances(share)
        self.assertIn(instance.id, self.ids(self.admin.share_instances.list()))
        self.assertEqual(self.admin.share_instances.get(instance).share_id, share.id)
        (location,) = self.admin.share_instance_export_locations.list(instance)
        shown = self.admin.share_instance_export_locations.get(instance, location.id)
        self.assertEqual(shown.path, location.path)
        self.admin.share_instances.reset_state(instance, "error")
        self.assertEqual(self.tenant.shares.get(share).status, "error")
        self.admin.share_instances.force_delete(instance)
        self.gone(self.tenant.shares, share)


class Snapshots(BindingsCase):
    def test_found_changed_and_deleted(self):
        share = self.make_share()
        snapshot = self.make_snapshot(share, name="n2")
        found = self.tenant.share_snapshots.list(search_opts={"share_id": share.id})
        self.assertEqual(self.ids(found), [snapshot.id])
        self.tenant.share_snapshots.update(snapshot, display_name="n3")
        self.assertEqual(self.tenant.share_snapshots.get(snapshot).name, "n3")
        self.admin.share_snapshots.reset_state(snapshot, "error")
        self.assertEqual(self.tenant.share_snapshots.get(snapshot).status, "error")
        self.admin.share_snapshots.force_delete(snapshot)
        self.gone(self.tenant.share_snapshots, snapshot)
        other = self.make_snapshot(share)
        self.tenant.share_snapshots.delete(other)
        self.gone(self.tenant.share_snapshots, other)

    def test_access_rules(self):
        snapshot = self.make_snapshot(self.make_share())
        rule = self.tenant.share_snapshots.allow(snapshot, "ip", "10.0.0.5")["id"]
        (listed,) = self.tenant.share_snapshots.access_list(snapshot)
        self.assertEqual((listed.id, listed.access_to), (rule, "10.0.0.5"))
        self.tenant.share_snapshots.deny(snapshot, rule)
        until(lambda: not self.tenant.share_snapshots.access_list(snapshot), "the rule gone")


class Locks(BindingsCase):
    def test_a_locked_share_stays(self):
        share = self.make_share()
        lock = self.tenant.resource_locks.create(share.id, "share", "delete", "audit")
        self.assertEqual(
            (lock.resource_id, lock.resource_type, lock.resource_action, lock.lock_reason, lock.lock_context),
            (share.id, "share", "delete", "audit", "user"))
        with self.assertRaises(exceptions.Forbidden):
            self.tenant.shares.delete(share)
        found = self.tenant.resource_locks.list(search_opts={"resource_id": share.id})
        self.assertEqual(self.ids(found), [lock.id])
        self.tenant.resource_locks.update(lock, lock_reason="second audit")
        self.assertEqual(self.tenant.resource_locks.get(lock.id).lock_reason, "second audit")
        with self.assertRaises(exceptions.BadRequest):
            self.tenant.resource_locks.update(lock, resource_action="show")
        with self.assertRaises(exceptions.Forbidden):
            self.reader.resource_locks.delete(lock)
        self.tenant.resource_locks.delete(lock)
        with self.assertRaises(exceptions.NotFound):
            self.tenant.resource_locks.get(lock.id)
        self.tenant.shares.delete(share)
        self.gone(self.tenant.shares, share)

    def test_a_locked_rule_stays_and_is_hidden(self):
        share = self.make_share()
        rule = self.tenant.shares.allow(
            share, "ip", "10.0.0.9", "ro", lock_visibility=True, lock_deletion=True, lock_reason="audit")["id"]
        self.settled(self.tenant.share_access_rules, rule, "active", "state")
        locks = self.tenant.resource_locks.list(search_opts={"resource_id": rule})
        self.assertCountEqual([lock.resource_action for lock in locks], ["delete", "show"])
        self.assertEqual(self.reader.share_access_rules.get(rule).access_to, "******")
        self.assertEqual(self.tenant.share_access_rules.get(rule).access_to, "10.0.0.9")
        with self.assertRaises(exceptions.Forbidden):
            self.tenant.shares.deny(share, rule)
        self.tenant.shares.deny(share, rule, unrestrict=True)
        self.gone(self.tenant.share_access_rules, rule)
        self.assertEqual(self.tenant.resource_locks.list(search_opts={"resource_id": rule}), [])
        self.tenant.shares.delete(share)


class Operating(BindingsCase):
    def test_services(self):
        service = next(s for s in self.admin.services.list() if s.binary == "manila-share")
        self.admin.services.disable(service.host, service.binary, disable_reason="repairs")
        self.addCleanup(self.admin.services.enable, service.host, service.binary)
        (disabled,) = self.admin.services.list(search_opts={"status": "disabled"})
        self.assertEqual((disabled.host, disabled.disabled_reason), (service.host, "repairs"))
        self.admin.services.enable(service.host, service.binary)
        self.assertEqual(self.admin.services.list(search_opts={"status": "disabled"}), [])
        self.admin.services.ensure_shares(service.host)
        with self.assertRaises(exceptions.Forbidden):
            self.tenant.services.list()

    def test_pools_and_zones(self):
        pools = {pool.name: pool.capabilities for pool in self.admin.pools.list(detailed=True)}
        self.assertCountEqual(pools, [FIRST_POOL, SECOND_POOL])
        self.assertEqual(pools[FIRST_POOL]["snapshot_support"], True)
        zones = [zone.name for zone in self.tenant.availability_zones.list()]
        self.assertCountEqual(zones, ["nova", "far"])

    def test_quotas_and_limits(self):
        project = cloud().project_id("tenants")
        self.addCleanup(self.admin.quotas.delete, project)
        defaults = self.admin.quotas.defaults(project)
        self.admin.quotas.update(project, shares=defaults.shares + 9, force=True)
        self.assertEqual(self.admin.quotas.get(project).shares, defaults.shares + 9)
        self.assertEqual(self.admin.quotas.get(project, detail=True).shares["limit"], defaults.shares + 9)
        limits = {limit.name: limit.value for limit in self.tenant.limits.get().absolute}
        self.assertEqual(limits["maxTotalShares"], defaults.shares + 9)
        self.admin.quotas.delete(project)
        self.assertEqual(self.admin.quotas.get(project).shares, defaults.shares)

        before = self.admin.quota_classes.get("default").snapshots
        self.addCleanup(self.admin.quota_classes.update, "default", snapshots=before)
        self.admin.quota_classes.update("default", snapshots=before + 1)
        self.assertEqual(self.admin.quota_classes.get("default").snapshots, before + 1)

    def test_share_types(self):
        made = self.admin.share_types.create("bindings", spec_driver_handles_share_servers=False, is_public=False)
        self.addCleanup(self.forget_type, made)
        project = cloud().project_id("tenants")
        self.assertNotIn(made.id, self.ids(self.tenant.share_types.list()))
        self.admin.share_type_access.add_project_access(made, project)
        self.assertIn(made.id, self.ids(self.tenant.share_types.list()))
        (access,) = self.admin.share_type_access.list(made)
        self.assertEqual(access.project_id, project)
        self.admin.share_type_access.remove_project_access(made, project)
        self.assertNotIn(made.id, self.ids(self.tenant.share_types.list()))
        self.admin.share_types.update(made, description="of the bindings")
        made.set_keys({"compression": "False"})
        shown = self.admin.share_types.get(made)
        self.assertEqual(shown.description, "of the bindings")
        self.assertEqual(shown.get_keys(prefer_resource_data=False)["compression"], "False")
        made.unset_keys(["compression"])
        self.assertNotIn("compression", self.admin.share_types.get(made).get_keys(prefer_resource_data=False))
        self.admin.share_types.delete(made)
        self.assertNotIn(made.id, self.ids(self.admin.share_types.list()))

    def test_share_group_types(self):
        made = self.admin.share_group_types.create(
            "bindings", ["default"], is_public=False, group_specs={"aim": "doc"})
        project = cloud().project_id("tenants")
        self.assertNotIn(made.id, self.ids(self.tenant.share_group_types.list()))
        self.admin.share_group_type_access.add_project_access(made, project)
        self.assertIn(made.id, self.ids(self.tenant.share_group_types.list()))
        (access,) = self.admin.share_group_type_access.list(made)
        self.assertEqual(access.project_id, project)
        made.set_keys({"more": "x"})
        shown = self.admin.share_group_types.get(made)
        self.assertEqual(shown.get_keys(prefer_resource_data=False), {"aim": "doc", "more": "x"})
        made.unset_keys(["more"])
        self.assertEqual(self.admin.share_group_types.get(made).group_specs, {"aim": "doc"})
        self.admin.share_group_type_access.remove_project_access(made, project)
        self.admin.share_group_types.delete(made)
        self.assertNotIn(made.id, self.ids(self.admin.share_group_types.list()))

    def forget_type(self, made):
        if made.id in self.ids(self.admin.share_types.list()):
            self.admin.share_types.delete(made)

    def test_user_messages(self):
        nowhere = self.admin.share_types.create(
            "unplaced", spec_driver_handles_share_servers=False, extra_specs={"dedupe": "True"})
        self.addCleanup(self.forget_type, nowhere)
        share = self.tenant.shares.create("NFS", 1, share_type="unplaced")
        self.settled(self.tenant.shares, share, "error")
        (message,) = self.tenant.messages.list(search_opts={"resource_id": share.id})
        self.assertEqual(self.tenant.messages.get(message.id).resource_id, share.id)
        self.tenant.messages.delete(message)
        self.assertEqual(self.tenant.messages.list(search_opts={"resource_id": share.id}), [])
        self.tenant.shares.delete(share)
        self.gone(self.tenant.shares, share)


if __name__ == "__main__":
    unittest.main()
