"""What the client prints when the service refuses: one readable line that names the fault."""

from case import UUID, ServiceCase

REQUEST_ID = rf"\(Request-ID: req-{UUID}\)"


class Refusals(ServiceCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        created = cls.admin.json("share create NFS 1 --name kept")
        cls.share = cls.admin.settled(f"share show {created['id']}")["id"]
        created = cls.admin.json("share snapshot create kept --name kept")
        cls.snapshot = cls.admin.settled(f"share snapshot show {created['id']}")["id"]
        (row,) = cls.admin.json(f"share snapshot instance list --snapshot {cls.snapshot}")
        cls.instance = row["ID"]

    def check(self, client, arguments, code, *words):
        text = client.refusal(arguments)
        self.assertNotIn("Traceback", text)
        self.assertRegex(text, rf"\(HTTP {code}\) {REQUEST_ID}")
        for word in words:
            self.assertIn(word, text)

    def test_bad_values_are_named(self):
        check = self.check
        check(self.admin, "share create NFS 0 --name s0", 400, "0", "size")
        check(self.admin, "share create NOPE 1 --name s0", 400, "NOPE", "NFS")
        check(self.admin, "share create NFS 1 --share-type nosuch", 404, "nosuch")
        check(self.admin, f"share resize {self.share} 1", 400, "size")

    def test_what_is_not_there(self):
        missing = "00000000-0000-4000-8000-000000000000"
        for arguments in (
            f"share snapshot instance show {missing}",
            f"share snapshot instance set {missing} --status error",
        ):
            self.check(self.admin, arguments, 404, f"Snapshot instance {missing} not found")
        text = self.admin.refusal(f"share snapshot show {missing}")
        self.assertIn(missing, text)

    def test_a_share_with_snapshots_stays(self):
        self.check(self.admin, "share delete kept", 403, "snapshot")
        self.assertEqual(self.admin.json("share show kept")["status"], "available")

    def test_only_an_administrator_sees_snapshot_instances(self):
        member = self.caller("alice:other:member")
        show = f"share snapshot instance show {self.instance}"
        for arguments in (
            "share snapshot instance list",
            "share snapshot instance list --detailed",
            show,
            f"share snapshot instance set {self.instance} --status error",
        ):
            self.check(member, arguments, 403, "Access was denied to this resource.")
        self.assertEqual(self.admin.json(show)["status"], "available")

    def test_another_project_sees_nothing(self):
        other = self.caller("bob:other:member")
        self.assertEqual(other.json("share list"), [])
        self.assertEqual(other.json("share snapshot list"), [])
        for arguments in (f"share show {self.share}", f"share delete {self.share}"):
            self.assertIn(self.share, other.refusal(arguments))
        self.assertEqual(self.admin.json("share show kept")["status"], "available")

    def test_a_project_works_with_its_own(self):
        mine = self.caller("carol:hers:member")
        created = mine.json("share create NFS 1 --name hers")
        self.assertEqual(created["project_id"], "hers")
        mine.settled(f"share show {created['id']}")
        self.assertEqual([row["Name"] for row in mine.json("share list")], ["hers"])
        mine.text("share delete hers --wait")
