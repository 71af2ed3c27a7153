"""What the client prints when the service refuses: one readable line that names the fault."""

from case import UUID, ServiceCase

REQUEST_ID = rf"\(Request-ID: req-{UUID}\)"


class Refusals(ServiceCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.share = cls.admin.make_share("kept")["id"]
        cls.snapshot, instance = cls.admin.make_snapshot("kept", "kept")
        cls.instance = instance["ID"]

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

    def test_what_is_not_there(self):
        missing = "00000000-0000-4000-8000-000000000000"
        self.check(self.admin, f"share snapshot instance show {missing}", 404,
                   f"Snapshot instance {missing} not found")
        self.check(self.admin, f"share snapshot instance set {missing} --status error", 404)
        # These are looked up by the client before it asks for anything.
        self.assertIn("'nosuch'", self.admin.refusal("share create NFS 1 --share-type nosuch"))
        self.assertIn(f"'{missing}'", self.admin.refusal(f"share snapshot show {missing}"))

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
        self.assertEqual(mine.make_share("hers")["project_id"], "hers")
        self.assertEqual([row["Name"] for row in mine.json("share list")], ["hers"])
        mine.text("share delete hers --wait")
