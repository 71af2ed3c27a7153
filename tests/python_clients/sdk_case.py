"""What the tests of openstacksdk share: the proxies of their users, and how they wait."""

import pathlib
import unittest

import openstack

from cloud import INTERVAL_SECONDS, SETTLE_SECONDS, VERSION, cloud


class SdkCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.admin = cls.proxy("admin", "admin")
        cls.tenant = cls.proxy("alice", "tenants")
        cls.reader = cls.proxy("rita", "tenants")

    @classmethod
    def proxy(cls, user, project):
        """`conn.shared_file_system` of a user in a project."""
        connection = openstack.connect(
            load_yaml_config=False, load_envvars=False, region_name="RegionOne",
            shared_file_system_default_microversion=VERSION, **cloud().login(user, project),
        )
        cls.addClassCleanup(connection.close)
        return connection.shared_file_system

    def settled(self, proxy, resource, status="available", attribute="status"):
        # Afresh: what the object says may be from before the request.
        return proxy.wait_for_status(
            resource.fetch(proxy), status, failures=["error"] if status != "error" else [],
            interval=INTERVAL_SECONDS, wait=SETTLE_SECONDS, attribute=attribute)

    def gone(self, proxy, resource):
        proxy.wait_for_delete(resource, interval=INTERVAL_SECONDS, wait=SETTLE_SECONDS)

    def make_share(self, proxy, **attrs):
        """A share of the proxy's project, `available`."""
        share = proxy.create_share(share_protocol="NFS", size=1, **attrs)
        return self.settled(proxy, share)

    def make_snapshot(self, proxy, share, **attrs):
        snapshot = proxy.create_share_snapshot(share_id=share.id, **attrs)
        return self.settled(proxy, snapshot)

    def mounted(self, share):
        """Where clients mount a share: a local path with the `directory` backend."""
        (location,) = self.admin.export_locations(share)
        return pathlib.Path(location.path)

    def snapshot_instances(self, snapshot):
        """Those of a snapshot, in the order of the share instances they are in."""
        found = self.admin.share_snapshot_instances(snapshot_id=snapshot.id)
        return sorted(found, key=lambda instance: instance.share_instance_id)
