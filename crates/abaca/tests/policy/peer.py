"""Decides policy cases with the oslo.policy package: a line of JSON in, a line of JSON out.

The first line is the built-in rules: [{"name", "check", "scopes"}, ...]. Each further line is a case:
{"rules": {name: rule}, "rule": name, "credentials": {...}, "target": {...}}. The answer is
{"allowed": bool}, {"failed": exception} for a decision that raises, or {"refused": exception} for
rules that can't be loaded. {"yaml": text} instead asks what a policy file says: {"rules": {...}} or
{"refused": exception}.
"""

import json
import logging
import sys
import warnings

from oslo_config import cfg
from oslo_policy import opts, policy


def answer(enforcer, case):
    if "yaml" in case:
        try:
            return {"rules": policy.parse_file_contents(case["yaml"])}
        except Exception as error:
            return {"refused": repr(error)}
    try:
        # Only with use_conf are the defaults put under the rules; there is no file to find.
        enforcer.set_rules(policy.Rules.from_dict(case["rules"], "default"), use_conf=True)
        enforcer.load_rules()
    except Exception as error:
        return {"refused": repr(error)}
    credentials = case["credentials"]
    # As manila.policy.authorize does.
    target = case["target"] or {key: credentials.get(key) for key in ("project_id", "user_id")}
    try:
        return {"allowed": bool(enforcer.enforce(case["rule"], target, credentials))}
    except Exception as error:
        return {"failed": repr(error)}


def main():
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    cfg.CONF([], default_config_files=[], default_config_dirs=[])
    opts.set_defaults(cfg.CONF, policy_dirs=[])
    enforcer = policy.Enforcer(cfg.CONF, policy_file="/nonexistent/policy.yaml")
    for rule in json.loads(sys.stdin.readline()):
        scopes = rule["scopes"] or None
        enforcer.register_default(
            policy.RuleDefault(rule["name"], rule["check"], scope_types=scopes)
        )
    # It only writes warnings, and takes most of the time.
    enforcer.check_rules = lambda: True
    for line in sys.stdin:
        print(json.dumps(answer(enforcer, json.loads(line)), default=lambda _: None), flush=True)


main()
