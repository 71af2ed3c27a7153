"""Shares and snapshots through the client: list, show, delete, real bytes, a restart."""

import pathlib

from case import UUID, ServiceCase


def local_path(location):
    """The path of an export location of the `directory` backend, which is a local one."""
    path = location["path"]
    return pathlib.Path(path[path.index("/"):])


class Resources(ServiceCase):
    def make_share(self, name):
        created = self.admin.json(f"share create NFS 1 --name {name}")
        self.admin.settled(f"share show {created['id']}")
        return created["id"]

    def make_snapshot(self, share, name):
        created = self.admin.json(f"share snapshot create {share} --name {name}")
        self.admin.settled(f"share snapshot show {created['id']}")
        return created["id"]

    def test_share_list_show_delete(self):
        share = self.make_share("listed")
        rows = [row for row in self.admin.json("share list") if row["ID"] == share]
        self.assertEqual(len(rows), 1, rows)
        (row,) = rows
        host, zone = row.pop("Host"), row.pop("Availability Zone")
        self.assertEqual(
            row,
            {"ID": share, "Name": "listed", "Size": 1, "Share Proto": "NFS", "Status": "available",
             "Is Public": False, "Share Type Name": "default"},
        )
        self.assertRegex(host, r"^[^@#]+@[^@#]+#[^@#]+$")
        shown = self.admin.json("share show listed")
        self.assertEqual((shown["id"], shown["host"], shown["availability_zone"]), (share, host, zone))
        self.assertGreaterEqual(len(shown["export_locations"]), 1)

        self.assertEqual(self.admin.text("share delete listed --wait"), "")
        self.assertIn("No share with a name or ID of 'listed' exists.", self.admin.refusal("share show listed"))
        self.assertNotIn(share, [row["ID"] for row in self.admin.json("share list")])

    def test_a_share_is_set_extended_and_shrunk(self):
        share = self.make_share("before")
        self.admin.text(f"share set {share} --name after --description changed")
        self.admin.text(f"share resize {share} 3 --wait")
        shown = self.admin.json(f"share show {share}")
        self.assertEqual((shown["name"], shown["description"], shown["size"]), ("after", "changed", 3))
        self.admin.text(f"share resize {share} 2 --wait")
        self.assertEqual(self.admin.json(f"share show {share}")["size"], 2)

    def test_snapshot_list_show_delete(self):
        share = self.make_share("parent")
        snapshot = self.make_snapshot(share, "child")
        self.assertIn({"ID": snapshot, "Name": "child"}, self.admin.json("share snapshot list"))
        instances = self.admin.json(f"share snapshot instance list --snapshot {snapshot}")
        self.assertEqual([row["Snapshot ID"] for row in instances], [snapshot])

        self.assertEqual(self.admin.text("share snapshot delete child --wait"), "")
        self.assertNotIn(snapshot, [row["ID"] for row in self.admin.json("share snapshot list")])
        gone = self.admin.refusal(f"share snapshot instance show {instances[0]['ID']}")
        self.assertRegex(gone, f"Snapshot instance {UUID} not found.*HTTP 404")
        self.admin.text("share delete parent --wait")

    def test_a_snapshot_instance_holds_the_bytes_of_its_moment(self):
        share = self.make_share("bytes")
        locations = self.admin.json(f"share show {share}")["export_locations"]
        inside = local_path(locations[0]) / "letter.txt"
        inside.write_text("as it was")
        snapshot = self.make_snapshot(share, "moment")
        inside.write_text("changed since")

        (row,) = self.admin.json(f"share snapshot instance list --detailed --snapshot {snapshot}")
        kept = pathlib.Path(row["Provider Location"]) / "letter.txt"
        self.assertEqual(kept.read_text(), "as it was")

        created = self.admin.json(f"share create NFS 1 --name copy --snapshot-id {snapshot}")
        copy = self.admin.settled(f"share show {created['id']}")
        copied = local_path(copy["export_locations"][0]) / "letter.txt"
        self.assertEqual(copied.read_text(), "as it was")
        copied.write_text("the copy is a share of its own")
        self.assertEqual(kept.read_text(), "as it was")
        self.assertEqual(inside.read_text(), "changed since")

    def test_everything_is_there_after_a_restart(self):
        share = self.make_share("lasting")
        snapshot = self.make_snapshot(share, "lasting")
        query = f"share snapshot instance list --detailed --snapshot {snapshot}"
        before = self.admin.json(query)
        self.admin.text(f"share snapshot instance set {before[0]['ID']} --status error_deleting")

        self.assertEqual(self.service.stop(), 0, self.service.printed())
        self.service.start()

        (after,) = self.admin.json(query)
        self.assertEqual(after["Status"], "error_deleting")
        changed = ("Status", "Updated At")
        self.assertEqual(
            {k: v for k, v in after.items() if k not in changed},
            {k: v for k, v in before[0].items() if k not in changed},
        )
        self.service.kill()
        self.service.start()
        self.assertEqual(self.admin.json(query), [after])

    def test_the_operators_views(self):
        types = self.admin.json("share type list")
        self.assertEqual([(row["Name"], row["Is Default"]) for row in types], [("default", True)])
        services = self.admin.json("share service list")
        self.assertTrue(services)
        self.assertEqual({row["State"] for row in services}, {"up"})
        self.assertTrue(self.admin.json("share availability zone list"))
        self.assertTrue(self.admin.json("share pool list"))
        share = self.make_share("placed")
        instances = self.admin.json("share instance list")
        self.assertIn(share, [row["Share ID"] for row in instances])
