"""Whom Abaca lets in, as a real Keystone says it."""

import time
import unittest

import abaca
import tls
from case import KeystoneCase
from keystone_server import PASSWORD


class Tokens(KeystoneCase):
    def test_who_is_let_in_and_as_whom(self):
        admin, alice = self.identity.log_in("admin", "admin"), self.identity.log_in("alice", "proj")
        self.assertEqual(self.status(admin), 200)
        self.assertEqual(self.status(alice), 403, "for administrators only")
        self.assertEqual(self.status(alice, path="/shares"), 200)
        project = self.identity.project("proj")
        self.assertEqual(self.status(alice, path=f"/{project}/shares"), 200)
        other = self.identity.project("admin")
        self.assertEqual(self.status(alice, path=f"/{other}/shares"), 400, "not his project")

    def test_who_is_not(self):
        for token in (None, "", "nonsense", "a" * 300, "gAAAAA" + "b" * 200, self.identity.token[:-1]):
            answer = abaca.ask(self.service, token)
            self.assertEqual(answer.status, 401, token)
            self.assertEqual(answer.headers["WWW-Authenticate"], f'Keystone uri="{self.keystone.url}"')
            self.assertEqual(answer.body["error"]["title"], "Unauthorized")
        self.assertEqual(self.status("admin:admin:admin"), 401, "no token of noauth's")

    def test_system_and_domain_scope_are_the_policys_business(self):
        self.identity.grant("admin", "admin", domain="default")
        for scope in ({"system": {"all": True}}, {"domain": {"id": "default"}}):
            token = self.identity.log_in("admin", scope=scope)
            self.assertEqual(self.status(token), 403, scope)
        unscoped = self.identity.log_in("alice", scope="unscoped")
        self.assertEqual(self.status(unscoped, path="/shares"), 403)

    def test_a_system_scoped_token_is_let_in_where_the_rule_takes_that_scope(self):
        backend = {"DRIVER": "directory", "REPLICATION_DOMAIN": "one", "REPLICATION_TYPE": "readable"}
        service = abaca.service(self.keystone.url)
        service.variables.update({f"ABACA__BACKEND__FAKE__{key}": value for key, value in backend.items()})
        admin = self.identity.log_in("admin", "admin")
        self.identity.grant("admin", "admin", system=True)
        system = self.identity.log_in("admin", scope={"system": {"all": True}})

        def ask(token, path, method="GET", **body):
            return abaca.ask(service, token, path, method=method, body=body or None)

        with service:
            specs = {"driver_handles_share_servers": "False", "replication_type": "readable"}
            kind = ask(admin, "/types", "POST", share_type={"name": "replicated", "extra_specs": specs})
            wanted = {"share_proto": "NFS", "size": 1, "share_type": kind.body["share_type"]["id"]}
            alice = self.identity.log_in("alice", "proj")
            share = ask(alice, "/shares", "POST", share=wanted).body["share"]["id"]
            replica = ask(admin, f"/share-replicas?share_id={share}").body["share_replicas"][0]["id"]
            path = f"/share-replicas/{replica}"
            answer = ask(system, f"{path}/metadata", "POST", metadata={"color": "blue"})
            self.assertEqual((answer.status, answer.body), (200, {"metadata": {"color": "blue"}}))
            self.assertEqual(ask(system, f"{path}/metadata").body, {"metadata": {"color": "blue"}})
            self.assertEqual(ask(system, f"{path}/metadata/color", "DELETE").status, 200)
            self.assertEqual(ask(system, path).status, 403, "its rule takes project scope")
            # The scope alone is no right.
            self.identity.grant("alice", "member", system=True)
            system = self.identity.log_in("alice", scope={"system": {"all": True}})
            self.assertEqual(ask(system, f"{path}/metadata").status, 403, "no administrator")

    def test_a_revoked_token_is_refused_within_the_cache_time(self):
        token = self.identity.log_in("admin", "admin")
        self.assertEqual(self.status(token), 200)
        believed_until = time.monotonic() + abaca.CACHE_SECONDS
        self.identity.revoke(token)
        while True:
            before = time.monotonic()
            if self.status(token) == 401:
                break
            self.assertLess(before, believed_until, "still accepted")
        self.assertEqual(self.status(token), 401)

    def test_a_role_taken_away_counts_within_the_cache_time(self):
        self.identity.user("bob")
        self.identity.grant("bob", "admin", "proj")
        token = self.identity.log_in("bob", "proj")
        self.assertEqual(self.status(token), 200)
        path = f"/projects/{self.identity.project('proj')}/users/{self.identity.user('bob')}"
        self.identity.request("DELETE", f"{path}/roles/{self.identity.role('admin')}")
        deadline = time.monotonic() + abaca.CACHE_SECONDS
        while True:
            before = time.monotonic()
            if self.status(token) != 200:
                break
            self.assertLess(before, deadline, "still an administrator")

    def test_access_rules_of_an_application_credential(self):
        user = self.identity.user("alice")
        token = self.identity.log_in("alice", "proj")
        rule = {"service": "shared-file-system", "method": "GET", "path": "/v2/shares"}
        body = {"application_credential": {"name": "c", "access_rules": [rule]}}
        headers = {"X-Auth-Token": token}
        _, made = self.identity.request(
            "POST", f"/users/{user}/application_credentials", body, headers)
        credential = made["application_credential"]
        limited = self.identity.application_token(credential["id"], credential["secret"])
        self.assertEqual(self.status(limited, path="/shares"), 200)
        self.assertEqual(self.status(limited, path="/snapshots"), 401)

    def test_the_service_itself_may_use_an_application_credential(self):
        user = self.identity.user("abaca")
        headers = {"X-Auth-Token": self.identity.log_in("abaca", "service")}
        body = {"application_credential": {"name": "abaca"}}
        _, made = self.identity.request(
            "POST", f"/users/{user}/application_credentials", body, headers)
        credential = made["application_credential"]
        keys = {"application_credential_id": credential["id"],
                "application_credential_secret": credential["secret"]}
        with abaca.service(self.keystone.url, password=None, **keys) as service:
            self.assertEqual(abaca.status(service, self.identity.log_in("admin", "admin")), 200)
            service.wait_for_output("Keystone knows this service")

    def test_an_operators_mistakes_are_503_and_in_the_log(self):
        self.identity.user("powerless")
        self.identity.grant("powerless", "reader", "service")
        token = self.identity.log_in("admin", "admin")
        for keys, reason in (
            ({"password": "wrong"}, "Keystone does not let Abaca's own user in"),
            ({"username": "powerless"}, 'the role "service"'),
            ({"auth_url": self.keystone.root + "/nowhere"}, "Keystone"),
        ):
            with abaca.service(self.keystone.url, **keys) as service:
                answer = abaca.ask(service, token)
                self.assertEqual(answer.status, 503, keys)
                self.assertTrue(answer.headers["Retry-After"])
                self.assertNotIn("wrong", str(answer.body))
                log = service.wait_for_output(reason)
                self.assertNotIn(token, log)

    def test_no_token_is_logged(self):
        token = self.identity.log_in("admin", "admin")
        variables = {"ABACA__LOG__LEVEL": "trace"}
        service = abaca.service(self.keystone.url)
        service.variables.update(variables)
        with service:
            self.assertEqual(abaca.status(service, token), 200)
            self.assertEqual(abaca.status(service, "gAAAnonsense"), 401)
            log = service.wait_for_output("status=401")
            for secret in (token, token[-40:], "gAAAnonsense", f'"{PASSWORD}"', f"={PASSWORD}"):
                self.assertNotIn(secret, log)

    def test_tls_with_a_file_of_certificates(self):
        with tls.Terminator(self.directory, self.keystone.port) as terminator:
            token = self.identity.log_in("admin", "admin")
            url = f"https://localhost:{terminator.port}/v3"
            with abaca.service(url, cafile=terminator.certificate) as service:
                self.assertEqual(abaca.status(service, token), 200)
            stranger = self.directory / "stranger.pem"
            tls.make_certificate(stranger, self.directory / "stranger.key")
            for cafile in ({"cafile": stranger}, {}):
                with abaca.service(url, **cafile) as service:
                    self.assertEqual(abaca.status(service, token), 503, cafile)


class Expiry(KeystoneCase):
    """With tokens of a few seconds."""

    token_seconds = 6

    def test_an_expired_token_is_refused_and_accepted_beside_a_services(self):
        token = self.identity.log_in("admin", "admin")
        self.assertEqual(self.status(token), 200)
        began = time.monotonic()
        while self.status(token) == 200:
            self.assertLess(time.monotonic() - began, self.token_seconds + 1, "beyond its end")
        self.assertEqual(self.status(token), 401)
        # Abaca's own token has ended too by now, and was renewed.
        fresh = self.identity.log_in("admin", "admin")
        self.assertEqual(self.status(fresh), 200)
        glue = self.identity.log_in("glue", "service")
        self.assertEqual(self.status(token, service_token=glue), 200)
        alice = self.identity.log_in("alice", "proj")
        self.assertEqual(self.status(token, service_token=alice), 401, "no service")
        self.assertEqual(self.status(token, service_token="nonsense"), 401)
        self.assertEqual(self.status(token), 401)
        self.assertEqual(self.status(None, service_token=glue), 401, "nobody's request")


if __name__ == "__main__":
    unittest.main()
