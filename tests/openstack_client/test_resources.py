"""Shares and snapshots through the client: list, show, delete, real bytes, a restart."""

import pathlib

from case import UUID, ServiceCase


class Resources(ServiceCase):
    def test_share_list_show_delete(self):
        share = self.admin.make_share("listed")["id"]
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
        (location,) = self.admin.json("share export location list listed")
        self.assertIn(location["Path"], shown["export_locations"])

        self.assertEqual(self.admin.text("share delete listed --wait"), "")
        self.assertIn("No share with a name or ID of 'listed' exists.", self.admin.refusal("share show listed"))
        self.assertNotIn(share, [row["ID"] for row in self.admin.json("share list")])

    def test_a_share_is_extended_and_shrunk(self):
        share = self.admin.make_share("growing")["id"]
        self.admin.text(f"share resize {share} 3 --wait")
        self.assertEqual(self.admin.json(f"share show {share}")["size"], 3)
        self.admin.text(f"share resize {share} 2 --wait")
        self.assertEqual(self.admin.json(f"share show {share}")["size"], 2)

    def test_snapshot_list_delete(self):
        self.admin.make_share("parent")
        snapshot, instance = self.admin.make_snapshot("parent", "child")
        self.assertIn({"ID": snapshot, "Name": "child"}, self.admin.json("share snapshot list"))
        self.assertEqual(instance["Snapshot ID"], snapshot)

        self.assertEqual(self.admin.text("share snapshot delete child --wait"), "")
        self.assertNotIn(snapshot, [row["ID"] for row in self.admin.json("share snapshot list")])
        gone = self.admin.refusal(f"share snapshot instance show {instance['ID']}")
        self.assertRegex(gone, f"Snapshot instance {UUID} not found.*HTTP 404")
        self.admin.text("share delete parent --wait")

    def test_a_snapshot_instance_holds_the_bytes_of_its_moment(self):
        share = self.admin.make_share("bytes")["id"]
        original = self.letter(share)
        original.write_text("as it was")
        snapshot, instance = self.admin.make_snapshot(share, "moment")
        original.write_text("changed since")
        kept = pathlib.Path(instance["Provider Location"]) / "letter.txt"
        self.assertEqual(kept.read_text(), "as it was")

        copied = self.letter(self.admin.make_share("copy", f"--snapshot-id {snapshot}")["id"])
        self.assertEqual(copied.read_text(), "as it was")
        copied.write_text("the copy is a share of its own")
        self.assertEqual(kept.read_text(), "as it was")
        self.assertEqual(original.read_text(), "changed since")

    def test_everything_is_there_after_a_restart(self):
        self.admin.make_share("lasting")
        snapshot, before = self.admin.make_snapshot("lasting", "lasting")
        query = f"share snapshot instance list --detailed --snapshot {snapshot}"
        self.admin.text(f"share snapshot instance set {before['ID']} --status error_deleting")

        self.assertEqual(self.service.stop(), 0, self.service.printed())
        self.service.start()

        (after,) = self.admin.json(query)
        self.assertEqual(after["Status"], "error_deleting")
        changed = ("Status", "Updated At")
        self.assertEqual(
            {k: v for k, v in after.items() if k not in changed},
            {k: v for k, v in before.items() if k not in changed},
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
        share = self.admin.make_share("placed")["id"]
        instances = self.admin.json("share instance list")
        self.assertIn(share, [row["Share ID"] for row in instances])
