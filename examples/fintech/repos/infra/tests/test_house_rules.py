"""House rules on the text of the Terraform files."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
BLOCK = re.compile(r'^resource "(\w+)" "(\w+)" \{\n(.*?)^\}', re.MULTILINE | re.DOTALL)


def resources():
    """Address -> body of every resource."""
    found = {}
    for file in sorted(ROOT.glob("*.tf")):
        for kind, name, body in BLOCK.findall(file.read_text(encoding="utf-8")):
            address = f"{kind}.{name}"
            assert address not in found, f"{address} twice"
            found[address] = body
    return found


def value(body, attribute):
    """The attribute's value as text, or None."""
    match = re.search(rf"^  {attribute}\s*= (.+)$", body, re.MULTILINE)
    return match and match.group(1)


class HouseRules(unittest.TestCase):
    def setUp(self):
        self.resources = resources()

    def of_kind(self, kind):
        return {a: b for a, b in self.resources.items() if a.startswith(kind + ".")}

    def test_braces_are_balanced(self):
        for file in ROOT.glob("*.tf"):
            text = file.read_text(encoding="utf-8")
            self.assertEqual(text.count("{"), text.count("}"), file.name)

    def test_databases_are_protected_and_backed_up(self):
        databases = self.of_kind("aws_db_instance")
        self.assertEqual(len(databases), 2)
        for address, body in databases.items():
            self.assertEqual(value(body, "deletion_protection"), "true", address)
            self.assertGreaterEqual(int(value(body, "backup_retention_period")), 30, address)

    def test_nothing_is_open_to_the_world(self):
        for address, body in self.of_kind("aws_security_group").items():
            self.assertNotIn('"0.0.0.0/0"', body, address)

    def test_payments_logs_are_kept_thirteen_months(self):
        body = self.resources["aws_cloudwatch_log_group.payments"]
        self.assertGreaterEqual(int(value(body, "retention_in_days")), 395)

    def test_every_role_policy_belongs_to_a_role_of_ours(self):
        for address, body in self.of_kind("aws_iam_role_policy").items():
            role = value(body, "role").removesuffix(".id")
            self.assertIn(role, self.resources, address)


if __name__ == "__main__":
    unittest.main()
