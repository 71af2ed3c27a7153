"""Properties of shares, snapshots and export locations, the recycle bin, names to mount shares by."""

import pathlib

from case import ServiceCase


class Properties(ServiceCase):
    def of_share(self, share):
        return self.admin.json(f"share show {share}")["properties"]

    def test_share_properties(self):
        share = self.admin.make_share("described", "--property aim=doc --property rack=7")["id"]
        self.assertEqual(self.of_share(share), {"aim": "doc", "rack": "7"})
        self.admin.text(f"share set {share} --property aim=changed --property more=x")
        expected = {"aim": "changed", "rack": "7", "more": "x"}
        self.assertEqual(self.of_share(share), expected)
        self.assertEqual(self.admin.json(f"share properties show {share}"), expected)
        found = self.admin.json("share list --property aim=changed")
        self.assertEqual([row["ID"] for row in found], [share])
        self.assertEqual(self.admin.json("share list --property aim=doc"), [])
        self.admin.text(f"share unset {share} --property aim --property more")
        self.assertEqual(self.of_share(share), {"rack": "7"})
        self.assertIn("HTTP 404", self.admin.refusal(f"share unset {share} --property aim"))

    def test_tenants_leave_what_is_reserved(self):
        alice = self.caller("alice:tenants:member")
        share = alice.make_share("hers")["id"]
        told = alice.refusal(f"share set {share} --property __affinity_same_host=x")
        self.assertIn("share:update_admin_only_metadata", told)
        self.admin.text(f"share set {share} --property __affinity_same_host=x")
        self.assertEqual(alice.json(f"share show {share}")["properties"], {"__affinity_same_host": "x"})

    def test_snapshot_properties(self):
        self.admin.make_share("parent")
        snapshot, _ = self.admin.make_snapshot("parent", "child --property aim=doc")

        def properties():
            return self.admin.json(f"share snapshot show {snapshot}")["properties"]

        self.assertEqual(properties(), {"aim": "doc"})
        self.admin.text(f"share snapshot set {snapshot} --property aim=changed --property more=x")
        self.assertEqual(properties(), {"aim": "changed", "more": "x"})
        found = self.admin.json("share snapshot list --property more=x")
        self.assertEqual([row["ID"] for row in found], [snapshot])
        self.admin.text(f"share snapshot unset {snapshot} --property aim")
        self.assertEqual(properties(), {"more": "x"})

    def test_export_location_properties(self):
        share = self.admin.make_share("exported")["id"]
        (location,) = self.admin.json(f"share export location list {share}")
        one = f"{share} {location['ID']}"

        def shown():
            return self.admin.json(f"share export location show {one}")

        self.assertEqual((shown()["properties"], shown()["preferred"]), ({}, True))
        self.admin.text(f"share export location set {one} --property rack=7 --property preferred=False")
        self.assertEqual((shown()["properties"], shown()["preferred"]), ({"rack": "7"}, False))
        self.admin.text(f"share export location unset {one} --property rack")
        self.assertEqual(shown()["properties"], {})

    def test_task_state(self):
        share = self.admin.make_share("moving")["id"]
        self.admin.text(f"share set {share} --task-state migration_in_progress")
        self.assertEqual(self.admin.json(f"share show {share}")["task_state"], "migration_in_progress")
        self.assertIn("migration_in_progress", self.admin.refusal(f"share delete {share}"))
        self.admin.text(f"share set {share} --name moved")
        shown = self.admin.json(f"share show {share}")
        self.assertEqual((shown["task_state"], shown["name"]), (None, "moved"))


class RecycleBin(ServiceCase):
    def listed(self, options=""):
        return [row["ID"] for row in self.admin.json(f"share list {options}")]

    def test_into_it_and_out_again(self):
        share = self.admin.make_share("binned")["id"]
        self.admin.text("share delete binned --soft")
        self.assertNotIn(share, self.listed())
        self.assertEqual(self.listed("--soft-deleted"), [share])
        shown = self.admin.json(f"share show {share}")
        self.assertIs(shown["is_soft_deleted"], True)
        self.assertIsNotNone(shown["scheduled_to_be_deleted_at"])
        self.assertIn("soft deleted", self.admin.refusal(f"share resize {share} 2"))
        self.assertIn("soft deleted", self.admin.refusal(f"share snapshot create {share}"))
        self.admin.text(f"share restore {share}")
        self.assertIn(share, self.listed())
        self.assertEqual(self.listed("--soft-deleted"), [])

    def test_a_share_with_snapshots_does_not_go_into_it(self):
        self.admin.make_share("kept")
        self.admin.make_snapshot("kept", "kept")
        self.assertIn("dependent snapshots", self.admin.refusal("share delete kept --soft"))


class MountPointName(ServiceCase):
    def test_it_ends_the_export_path(self):
        self.admin.text("share type create mountable false --extra-specs mount_point_name_support=true "
                        "provisioning:mount_point_prefix={project_id}-x-")
        share = self.admin.make_share(
            "named", "--share-type mountable --mount-point-name docs")["id"]
        (location,) = self.admin.json(f"share export location list {share}")
        path = pathlib.Path(location["Path"])
        self.assertEqual(path.name, "admin-x-docs")
        (path / "letter").write_text("reached")
        self.assertEqual((path.resolve() / "letter").read_text(), "reached")
        again = "share create NFS 1 --share-type mountable --mount-point-name"
        self.assertIn("HTTP 409", self.admin.refusal(f"{again} docs"))
        self.assertIn("HTTP 400", self.admin.refusal(f"{again} a/b"))
        self.assertIn("not supported", self.admin.refusal("share create NFS 1 --mount-point-name docs"))
