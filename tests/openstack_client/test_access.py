"""Access rules through the client: of shares, and of snapshots that can be mounted."""

import json
import pathlib
import time

from case import TIME, UUID, ServiceCase

SHOWN = ["id", "share_id", "access_level", "access_to", "access_type", "state", "access_key",
         "created_at", "updated_at", "properties"]


class Access(ServiceCase):
    def until(self, what, ask):
        """Asks until the answer is a true one."""
        deadline = time.monotonic() + 60
        while not (found := ask()):
            self.assertLess(time.monotonic(), deadline, what)
        return found

    def active(self, rule):
        return self.admin.settled(f"share access show {rule}", "state", "active")

    def in_force(self, location):
        """Whom the backend lets in, and how: it keeps the list beside the bytes."""
        kept = json.loads(pathlib.Path(location).with_name("access.json").read_text())
        return sorted((rule["to"], rule["level"]) for rule in kept["rules"])

    def test_share_access(self):
        share = self.admin.make_share("opened")["id"]
        (location,) = self.admin.json(f"share export location list {share}")
        made = self.admin.json(
            "share access create opened ip 10.0.0.0/24 --access-level ro --properties team=a --wait"
        )
        self.assertCountEqual(made, SHOWN)
        self.assertRegex(made["id"], f"^{UUID}$")
        self.assertRegex(made["created_at"], f"^{TIME}$")
        self.assertEqual((made["share_id"], made["access_level"]), (share, "ro"))
        other = self.admin.json("share access create opened ip fd00::1")
        self.active(made["id"])
        self.active(other["id"])
        self.assertEqual(self.admin.json("share show opened")["access_rules_status"], "active")
        self.assertEqual(self.in_force(location["Path"]), [("10.0.0.0/24", "ro"), ("fd00::1", "rw")])

        listed = self.admin.json("share access list opened")
        self.assertEqual([row["Access To"] for row in listed], ["10.0.0.0/24", "fd00::1"])
        found = self.admin.json("share access list opened --access-type ip --access-to fd00::1")
        self.assertEqual([row["ID"] for row in found], [other["id"]])
        found = self.admin.json("share access list opened --properties team=a")
        self.assertEqual([row["ID"] for row in found], [made["id"]])

        self.admin.text(f"share access set {made['id']} --access-level rw --property team=b --property room=1")
        shown = self.active(made["id"])
        self.assertEqual(shown["access_level"], "rw")
        self.assertIn("room", str(shown["properties"]))
        self.admin.text(f"share access unset {made['id']} --property room")
        self.assertNotIn("room", str(self.admin.json(f"share access show {made['id']}")["properties"]))
        self.assertEqual(self.in_force(location["Path"]), [("10.0.0.0/24", "rw"), ("fd00::1", "rw")])

        self.admin.text(f"share access delete opened {made['id']} --wait")
        rest = self.admin.json("share access list opened")
        self.assertEqual([row["ID"] for row in rest], [other["id"]])
        self.assertEqual(self.in_force(location["Path"]), [("fd00::1", "rw")])
        self.admin.text("share delete opened --wait")

    def test_what_a_backend_can_not_do_is_told(self):
        share = self.admin.make_share("told")["id"]
        rule = self.admin.json("share access create told cephx alice")
        state = lambda: self.admin.json(f"share access show {rule['id']}")["state"] == "error"
        self.until("the rule in error", state)
        self.assertEqual(self.admin.json("share show told")["access_rules_status"], "error")
        messages = self.admin.json(f"share message list --resource-id {share}")
        self.assertEqual(len(messages), 1, messages)
        self.admin.text(f"share access delete told {rule['id']} --wait")
        self.until("at rest",
                   lambda: self.admin.json("share show told")["access_rules_status"] == "active")

    def test_refusals(self):
        self.admin.make_share("closed")
        self.admin.json("share access create closed ip 10.0.0.1")
        for arguments, said in (
            ("ip 10.0.0.1/32", "exists"),
            ("ip 10.0.0.7/24", "host bits"),
            ("user x", "user or group name"),
            ("ip 10.0.0.2 --lock-reason audit", "lock"),
        ):
            text = self.admin.refusal(f"share access create closed {arguments}")
            self.assertIn(said, text)
            self.assertNotIn("Traceback", text)

    def test_snapshot_access(self):
        self.admin.make_share("kept")
        snapshot, instance = self.admin.make_snapshot("kept", "kept")
        made = self.admin.json("share snapshot access create kept ip 10.0.0.0/24")
        self.assertEqual((made["access_type"], made["access_to"]), ("ip", "10.0.0.0/24"))
        row = self.admin.settled(f"share snapshot access list {snapshot}", "State", "active")
        self.assertEqual(row["ID"], made["id"])
        self.assertEqual(self.in_force(instance["Provider Location"]), [("10.0.0.0/24", "ro")])
        (location,) = self.admin.json("share snapshot export location list kept")
        self.assertEqual(location["Path"], instance["Provider Location"])
        self.assertIn("exists", self.admin.refusal("share snapshot access create kept ip 10.0.0.0/24"))
        self.admin.text(f"share snapshot access delete kept {made['id']}")
        self.until("no rule", lambda: not self.admin.json("share snapshot access list kept"))
        self.admin.text("share snapshot delete kept --wait")
