"""Keystone killed, deaf and back again while requests come in."""

import collections
import threading
import time
import unittest

import abaca
from case import KeystoneCase


class Load:
    """Threads that send requests with the given tokens, and keep each answer: when it was asked for,
    the token's kind, the status."""

    def __init__(self, service, tokens, threads=6):
        self.service, self.tokens, self.answers = service, tokens, []
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self._run) for _ in range(threads)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def _run(self):
        while not self.stopping.is_set():
            for kind, token in self.tokens:
                asked = time.monotonic()
                self.answers.append((asked, kind, abaca.status(self.service, token)))

    def since(self, moment):
        """Statuses by kind of what was asked from then on."""
        counts = collections.defaultdict(collections.Counter)
        for asked, kind, status in list(self.answers):
            if asked >= moment:
                counts[kind][status] += 1
        return counts

    def wait_for(self, condition, seconds=60):
        """Waits until the answers since now fulfil the condition."""
        began = time.monotonic()
        while not condition(self.since(began)):
            if time.monotonic() > began + seconds:
                raise AssertionError(f"not within {seconds} s: {dict(self.since(began))}")
            time.sleep(0.02)


class Outage(KeystoneCase):
    def tokens(self):
        good = self.identity.log_in("admin", "admin")
        revoked = self.identity.log_in("admin", "admin")
        self.identity.revoke(revoked)
        weak = self.identity.log_in("alice", "proj")
        return [("good", good), ("revoked", revoked), ("weak", weak), ("nonsense", "gAAAAAB" + "x" * 80)]

    def nobody_was_let_in_wrongly(self, load):
        counts = load.since(0)
        self.assertLessEqual(set(counts["good"]), {200, 503})
        self.assertLessEqual(set(counts["revoked"]), {401, 503})
        self.assertLessEqual(set(counts["weak"]), {403, 503})
        self.assertLessEqual(set(counts["nonsense"]), {401, 503})

    def only(self, **expected):
        """A condition: every kind was answered, and each as expected."""
        return lambda counts: all(set(counts[kind]) == {status} for kind, status in expected.items())

    right = {"good": 200, "revoked": 401, "weak": 403, "nonsense": 401}

    def test_killed_and_started_again_under_load(self):
        with Load(self.service, self.tokens()) as load:
            load.wait_for(self.only(**self.right))
            for _ in range(3):
                self.keystone.kill()
                killed = time.monotonic()
                load.wait_for(lambda counts: counts["good"][503] > 3 and counts["revoked"][503] > 3)
                # What the cache believed it believed no longer than it may.
                for asked, kind, status in load.answers:
                    if asked > killed + abaca.CACHE_SECONDS:
                        self.assertEqual(status, 503, f"{kind}, {asked - killed:.2f} s after")
                self.keystone.start()
                load.wait_for(lambda counts: self.only(**self.right)(counts))
        self.nobody_was_let_in_wrongly(load)

    def test_the_cache_serves_on_while_keystone_is_away(self):
        token = self.identity.log_in("admin", "admin")
        self.assertEqual(self.status(token), 200)
        self.keystone.kill()
        self.assertEqual(self.status(token), 200)
        answer = abaca.ask(self.service, "gAAAAAB" + "y" * 80)
        self.assertEqual(answer.status, 503)
        self.assertTrue(answer.headers["Retry-After"])
        self.assertIsNone(answer.headers["WWW-Authenticate"])
        self.assertEqual(list(answer.body), ["serviceUnavailable"])
        deadline = time.monotonic() + abaca.CACHE_SECONDS
        while True:
            before = time.monotonic()
            if self.status(token) == 503:
                break
            self.assertLess(before, deadline, "believed for too long")
        self.keystone.start()
        self.assertEqual(self.status(token), 200)

    def test_deaf(self):
        token = self.identity.log_in("admin", "admin")
        self.keystone.pause()
        try:
            began = time.monotonic()
            self.assertEqual(self.status(token), 503)
            self.assertLess(time.monotonic() - began, abaca.TIMEOUT_SECONDS + 2)
        finally:
            self.keystone.resume()
        self.assertEqual(self.status(token), 200)

    def test_abaca_starts_without_keystone_and_finds_it_later(self):
        token = self.identity.log_in("admin", "admin")
        self.keystone.kill()
        with abaca.service(self.keystone.url) as service:
            service.wait_for_output("Keystone can't be reached")
            self.assertEqual(abaca.status(service, token), 503)
            self.keystone.start()
            self.assertEqual(abaca.status(service, token), 200)


if __name__ == "__main__":
    unittest.main()
