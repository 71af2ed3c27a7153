"""What the tests of the bindings share: their clients, and how they wait."""

import pathlib
import unittest

import manilaclient
from manilaclient import client
from manilaclient.common.apiclient import exceptions

from cloud import cloud, until

# The highest that this release knows.
VERSION = manilaclient.API_MAX_VERSION.get_string()


class BindingsCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.admin = cls.client("admin", "admin")
        cls.tenant = cls.client("alice", "tenants")
        cls.reader = cls.client("rita", "tenants")

    @staticmethod
    def client(user, project, version=VERSION):
        return client.Client(version, **cloud().login(user, project), region_name="RegionOne")

    def settled(self, manager, resource, status="available", attribute="status"):
        """The resource as it is once it has this status."""
        def fresh():
            found = manager.get(resource)
            now = getattr(found, attribute)
            if now != status and "error" in str(now):
                raise AssertionError(f"{resource}: {now}, not {status}")
            return found if now == status else None
        return until(fresh, f"{resource} {status}")

    def gone(self, manager, resource):
        def absent():
            try:
                manager.get(resource)
            except exceptions.NotFound:
                return True
            return False
        until(absent, f"{resource} gone")

    def make_share(self, **options):
        return self.settled(self.tenant.shares, self.tenant.shares.create("NFS", 1, **options))

    def make_snapshot(self, share, **options):
        made = self.tenant.share_snapshots.create(share, **options)
        return self.settled(self.tenant.share_snapshots, made)

    def mounted(self, share):
        """Where clients mount a share: a local path with the `directory` backend."""
        (location,) = self.admin.share_export_locations.list(share)
        return pathlib.Path(location.path)

    def snapshot_instances(self, snapshot):
        """Those of a snapshot, in the order of the share instances they are in."""
        found = self.admin.share_snapshot_instances.list(detailed=True, snapshot=snapshot)
        return sorted(found, key=lambda instance: instance.share_instance_id)

    def ids(self, listed):
        return [each.id for each in listed]

    def check_metadata(self, calls):
        """By the four calls, bound to their resource: the request of each and what is there after it.
        What is the service's own stays."""
        get, set_, replace, delete = calls
        own = get().to_dict()
        set_({"aim": "doc", "rack": "7"})
        self.assertEqual(get().to_dict(), {**own, "aim": "doc", "rack": "7"})
        delete(["aim"])
        self.assertEqual(get().to_dict(), {**own, "rack": "7"})
        replace({"only": "this"})
        self.assertEqual(get().to_dict(), {**own, "only": "this"})
