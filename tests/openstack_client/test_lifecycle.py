"""Messages, reverting to a snapshot, and what an administrator does to a service."""

import pathlib
import shutil

from case import TIME, UUID, ServiceCase


class Messages(ServiceCase):
    def test_a_share_that_finds_no_place_tells_why(self):
        self.admin.text("share type create nowhere False --extra-specs share_backend_name=nope")
        share = self.admin.json("share create NFS 1 --name lost --share-type nowhere")["id"]
        self.admin.settled(f"share show {share}", "status", "error")
        (row,) = self.admin.json(f"share message list --resource-id {share}")
        message = row["ID"]
        self.assertRegex(row.pop("Created At"), TIME)
        self.assertRegex(row.pop("ID"), UUID)
        text = row.pop("User Message")
        self.assertIn("allocate host: No storage could be allocated for this share request", text)
        self.assertEqual(
            row,
            {"Resource Type": "SHARE", "Resource ID": share, "Action ID": "001", "Detail ID": "008"},
        )
        shown = self.admin.json(f"share message show {message}")
        self.assertEqual((shown["user_message"], shown["message_level"]), (text, "ERROR"))
        self.assertGreater(shown["expires_at"], shown["created_at"])

        day = shown["created_at"][:10]
        self.assertEqual(self.admin.json(f"share message list --before {day}"), [])
        query = f"--since {day} --action-id 001 --detail-id 008 --resource-type SHARE"
        (same,) = self.admin.json(f"share message list {query}")
        self.assertEqual(same["ID"], message)

        # Nobody else's.
        mallory = self.caller("mallory:other:member")
        self.assertEqual(mallory.json("share message list"), [])
        self.assertIn("No message with", mallory.refusal(f"share message show {message}"))
        self.admin.text(f"share message delete {message}")
        self.assertEqual(self.admin.json("share message list"), [])


class Reverting(ServiceCase):
    def test_a_share_goes_back_to_its_latest_snapshot(self):
        share = self.admin.make_share("changing")["id"]
        letter = self.letter(share)
        letter.write_text("first")
        self.admin.make_snapshot(share, "first")
        letter.write_text("second")
        self.admin.make_snapshot(share, "second")
        self.admin.text(f"share resize {share} 2 --wait")
        letter.write_text("third")
        (letter.parent / "more.txt").write_text("newer than any snapshot")

        self.assertIn("HTTP 409", self.admin.refusal("share revert first"))
        self.assertEqual(letter.read_text(), "third")
        self.admin.text("share revert second --wait")
        self.assertEqual(letter.read_text(), "second")
        self.assertFalse((letter.parent / "more.txt").exists())
        self.assertEqual(self.admin.json(f"share show {share}")["size"], 1)
        self.assertEqual(self.admin.json("share snapshot show second")["status"], "available")
        self.admin.text("share snapshot delete second --wait")
        self.admin.text("share revert first --wait")
        self.assertEqual(letter.read_text(), "first")


class Services(ServiceCase):
    def test_a_backend_ensures_its_shares(self):
        kept = self.admin.make_share("kept")["id"]
        lost = self.admin.make_share("lost")
        (before,) = self.admin.json(f"share export location list {kept}")
        self.admin.text(f"share export location set {kept} {before['ID']} --property rack=7")
        (gone,) = self.admin.json("share export location list lost")
        shutil.rmtree(pathlib.Path(gone["Path"]).parent)

        host = lost["host"].split("#")[0]
        self.assertEqual(self.admin.text(f"share service ensure shares {host}"), "")
        self.admin.settled(f"share show {lost['id']}", "status", "error")
        self.admin.settled(f"share show {kept}", "status")
        self.assertEqual(self.admin.json("share service list --ensuring True"), [])
        (after,) = self.admin.json(f"share export location list {kept}")
        self.assertEqual(after, before)
        location = self.admin.json(f"share export location show {kept} {before['ID']}")
        self.assertEqual(location["properties"], {"rack": "7"})
        (message,) = self.admin.json(f"share message list --resource-id {lost['id']}")
        self.assertIn("no longer holds", message["User Message"])
        self.assertIn("HTTP 404", self.admin.refusal("share service ensure shares no@where"))

    def test_a_service_is_disabled_and_enabled(self):
        (row,) = self.admin.json("share service list --binary manila-share")
        service = f"share service set {row['Host']} manila-share"
        self.admin.text(f"{service} --disable --disable-reason repair")
        (row,) = self.admin.json("share service list --binary manila-share")
        self.assertEqual((row["Status"], row["Disabled Reason"]), ("disabled", "repair"))
        self.admin.text(f"{service} --enable")
        (row,) = self.admin.json("share service list --binary manila-share")
        self.assertEqual(row["Status"], "enabled")
