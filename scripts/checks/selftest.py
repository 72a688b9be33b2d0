"""Proof that each rule catches what it forbids: one little tree with one violation at a time."""

import os
import shutil
import subprocess
import tempfile
from typing import List

from .tree import Files, Finding, Rule, Tree


def _findings(rule: Rule, files: Files, configuration: str) -> List[Finding]:
    with tempfile.TemporaryDirectory(prefix="storaged-check-") as root:
        shutil.copy(configuration, os.path.join(root, ".swift-format"))
        for path, text in files.items():
            place = os.path.join(root, path)
            os.makedirs(os.path.dirname(place), exist_ok=True)
            with open(place, "w", encoding="utf-8") as file:
                file.write(text)
        if rule.needs_git:
            for command in (["init", "--quiet"], ["add", "--force", "--all"]):
                subprocess.run(["git", "-C", root, *command], check=True, capture_output=True)
        return [finding for finding in rule.check(Tree(root)) if not finding.is_warning]


def run(rules: List[Rule], root: str) -> List[str]:
    """What is wrong with the rules themselves; empty when each catches and passes what it should."""
    configuration = os.path.join(root, ".swift-format")
    wrong = []
    for rule in rules:
        if not rule.caught:
            wrong.append(f"rule {rule.name}: has no sample that it must catch")
        for files in rule.caught:
            if not _findings(rule, files, configuration):
                wrong.append(f"rule {rule.name}: let pass {files}")
        for files in rule.passed:
            for finding in _findings(rule, files, configuration):
                wrong.append(f"rule {rule.name}: refused {files}: {finding}")
    return wrong
