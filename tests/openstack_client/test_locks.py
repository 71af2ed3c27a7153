"""Resource locks through the client: of shares, and of access rules."""

from case import UUID, ServiceCase


class Locks(ServiceCase):
    def refused(self, arguments, *words):
        text = self.admin.refusal(arguments)
        self.assertNotIn("Traceback", text)
        for word in words:
            self.assertIn(word, text)

    def test_a_locked_share_stays(self):
        share = self.admin.make_share("locked")["id"]
        made = self.admin.json("share lock create locked share --lock-reason audit")
        self.assertRegex(made["id"], f"^{UUID}$")
        self.assertEqual((made["resource_id"], made["resource_type"]), (share, "share"))
        self.assertEqual((made["resource_action"], made["lock_reason"]), ("delete", "audit"))
        self.refused("share delete locked", "HTTP 403", made["id"])
        self.refused("share delete locked --soft", "HTTP 403", made["id"])

        (listed,) = self.admin.json(f"share lock list --resource {share}")
        self.assertEqual(listed["ID"], made["id"])
        self.admin.text(f"share lock set {made['id']} --lock-reason 'second audit'")
        self.assertEqual(self.admin.json(f"share lock show {made['id']}")["Lock Reason"], "second audit")
        self.admin.text(f"share lock unset {made['id']} --lock-reason")
        self.assertIsNone(self.admin.json(f"share lock show {made['id']}")["Lock Reason"])
        self.refused(f"share lock set {made['id']} --resource-action nosuch", "nosuch")

        self.admin.text(f"share lock delete {made['id']}")
        self.refused(f"share lock show {made['id']}", made["id"])
        self.admin.text("share delete locked --wait")

    def test_a_locked_rule_stays_and_is_hidden(self):
        share = self.admin.make_share("guarded")["id"]
        rule = self.admin.json("share access create guarded ip 10.0.0.9"
                               " --lock-visibility --lock-deletion --lock-reason audit")["id"]
        self.admin.settled(f"share access show {rule}", "state", "active")
        locks = self.admin.json(f"share lock list --resource {rule}")
        self.assertCountEqual([lock["Resource Action"] for lock in locks], ["delete", "show"])
        # The share of a rule that may not go may not go either.
        self.assertEqual(len(self.admin.json(f"share lock list --resource {share}")), 1)
        self.refused("share delete guarded", "HTTP 403")
        self.refused(f"share access delete guarded {rule}", "HTTP 403", "lock")

        reader = self.caller("bob:admin:reader")
        (seen,) = reader.json("share access list guarded")
        self.assertEqual(seen["Access To"], "******")
        (seen,) = self.admin.json("share access list guarded")
        self.assertEqual(seen["Access To"], "10.0.0.9")

        self.admin.text(f"share access delete guarded {rule} --unrestrict --wait")
        self.assertEqual(self.admin.json("share lock list"), [])
        self.admin.text("share delete guarded --wait")
