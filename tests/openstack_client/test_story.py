"""The lines that `abaca serve` prints, pasted as they stand, and what they print."""

import json

from case import TIME, UUID, ServiceCase
from client import Client, fields, table

DETAIL_COLUMNS = [
    "ID", "Snapshot ID", "Status", "Created At", "Updated At", "Share ID", "Share Instance ID",
    "Progress", "Provider Location",
]
SHOW_FIELDS = [
    "id", "snapshot_id", "created_at", "updated_at", "status", "share_id", "share_instance_id",
    "progress", "provider_location", "export_locations",
]


class Story(ServiceCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shell = Client({})
        cls.addClassCleanup(cls.shell.close)

    def printed_lines(self):
        """The lines to paste, from the service's own greeting."""
        lines = [line.strip() for line in self.service.printed().splitlines()]
        return [line for line in lines if line.startswith(("python3 ", "export ", "openstack "))]

    def paste(self, line):
        """Runs one printed line in a shell that has the printed exports and nothing else."""
        done = self.shell.shell(f"{self.exports}\n{line}")
        self.assertEqual(done.returncode, 0, f"{line}\n{done.stdout}{done.stderr}")
        self.assertEqual(done.stderr, "", line)
        return done.stdout

    def test_printed_lines_work_as_they_stand(self):
        printed = self.service.wait_for_output("--status error\n")
        self.assertIn(self.service.address, printed, "it says where it listens")
        self.assertIn(str(self.service.data), printed, "it says where the data is")
        lines = self.printed_lines()
        self.assertEqual(
            lines,
            [
                "python3 -m venv osc && osc/bin/pip install python-openstackclient python-manilaclient",
                f"export PATH=$PWD/osc/bin:$PATH OS_AUTH_TYPE=none OS_ENDPOINT={self.service.endpoint}",
                "openstack share create NFS 1 --name s1",
                "openstack share snapshot create s1 --name n1",
                "openstack share snapshot instance list --detailed",
                "openstack share snapshot instance show ID",
                "openstack share snapshot instance set ID --status error",
            ],
        )
        # The client is there already.
        _, self.exports, create_share, create_snapshot, list_line, show_line, set_line = lines

        # One after the other without a pause, as they are pasted.
        share = fields(self.paste(create_share))
        snapshot = fields(self.paste(create_snapshot))
        self.check_created(share, snapshot)
        self.admin.settled("share snapshot instance list", "Status")

        instance = self.check_list(list_line, share, snapshot)
        show_line = show_line.replace("ID", instance["ID"])
        set_line = set_line.replace("ID", instance["ID"])
        self.check_show(show_line, instance)
        self.check_reset(set_line, show_line, instance)

    def check_created(self, share, snapshot):
        self.assertRegex(share["id"], f"^{UUID}$")
        self.assertRegex(share["created_at"], f"^{TIME}$")
        self.assertEqual(share["name"], "s1")
        self.assertEqual(share["size"], "1")
        self.assertEqual(share["share_proto"], "NFS")
        self.assertIn(share["status"], ("creating", "available"))
        self.assertEqual(share["share_type_name"], "default")
        for capability in (
            "snapshot_support", "create_share_from_snapshot_support",
            "revert_to_snapshot_support", "mount_snapshot_support",
        ):
            self.assertEqual(share[capability], "True", capability)
        self.assertRegex(snapshot["id"], f"^{UUID}$")
        self.assertEqual(snapshot["name"], "n1")
        self.assertEqual(snapshot["share_id"], share["id"])
        self.assertEqual(snapshot["size"], "1")
        self.assertEqual(snapshot["share_proto"], "NFS")
        self.assertIn(snapshot["status"], ("creating", "available"))

    def check_list(self, line, share, snapshot):
        rows = table(self.paste(line))
        self.assertEqual(len(rows), 1, rows)
        (row,) = rows
        self.assertEqual(list(row), DETAIL_COLUMNS)
        self.assertRegex(row["ID"], f"^{UUID}$")
        self.assertRegex(row["Share Instance ID"], f"^{UUID}$")
        self.assertEqual(row["Snapshot ID"], snapshot["id"])
        self.assertEqual(row["Share ID"], share["id"])
        self.assertEqual(row["Status"], "available")
        self.assertEqual(row["Progress"], "100%")
        self.assertRegex(row["Created At"], f"^{TIME}$")
        self.assertRegex(row["Updated At"], f"^{TIME}$")
        self.assertIn(row["ID"], row["Provider Location"])
        self.assertEqual(json.loads(self.paste(f"{line} -f json")), [row])
        return row

    def check_show(self, line, instance):
        shown = fields(self.paste(line))
        self.assertCountEqual(shown, SHOW_FIELDS)
        as_json = json.loads(self.paste(f"{line} -f json"))
        self.assertCountEqual(as_json, SHOW_FIELDS)
        for column in DETAIL_COLUMNS:
            field = column.lower().replace(" ", "_")
            self.assertEqual(shown[field], instance[column], field)
            self.assertEqual(as_json[field], instance[column], field)
        for location in as_json["export_locations"]:
            self.assertCountEqual(
                location, ["id", "path", "share_snapshot_instance_id", "is_admin_only"]
            )
            self.assertEqual(location["share_snapshot_instance_id"], instance["ID"])
            self.assertIn(f"path = {location['path']}", shown["export_locations"])

    def check_reset(self, set_line, show_line, instance):
        self.assertEqual(self.paste(set_line), "", "an accepted reset prints nothing")
        self.assertEqual(fields(self.paste(show_line))["status"], "error")
        shown = json.loads(self.paste(f"{show_line} -f json"))
        self.assertEqual(shown["status"], "error")
        self.assertEqual(shown["created_at"], instance["Created At"])
        # The tenant's snapshot has the status of its only instance.
        (snapshot,) = self.admin.json("share snapshot list --detail")
        self.assertEqual(snapshot["Status"], "error")
