"""What `record` and `check` share: the example's repos as plain git working trees."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

try:
    import yaml
except ImportError:
    sys.exit("python3-yaml is missing: install Debian's `python3-yaml`")

ROOT = pathlib.Path(__file__).resolve().parent
ESTATE = ROOT / "estate"
PACKAGES = ROOT / "packages"
LEFTOVERS = shutil.ignore_patterns("target", ".deps", "dist", "__pycache__")


def read_yaml(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def git(folder, *arguments, **rest):
    """Runs git with nobody's settings and hooks but ours."""
    settings = ["-c", "core.hooksPath=/dev/null", "-c", "commit.gpgSign=false", "-c", "core.autocrlf=false"]
    return subprocess.run(["git", *settings, *arguments], cwd=folder, check=True, capture_output=True, text=True, **rest)


def materialise(name, folder):
    """Replays the repo's history into `folder`; leaves `main` checked out."""
    history = read_yaml(ROOT / "history.yaml")["repos"][name]
    shutil.copytree(ROOT / "repos" / name, folder, ignore=LEFTOVERS)
    git(folder, "init", "-q", "-b", "main")
    commits = []
    for number, commit in enumerate(history["commits"]):
        if number:
            git(folder, "apply", "--index", str(ROOT / "history" / commit["patch"]))
        git(folder, "add", "-A")
        person = {
            "GIT_AUTHOR_NAME": commit["author"],
            "GIT_AUTHOR_EMAIL": commit["email"],
            "GIT_AUTHOR_DATE": commit["at"],
            "GIT_COMMITTER_NAME": commit["author"],
            "GIT_COMMITTER_EMAIL": commit["email"],
            "GIT_COMMITTER_DATE": commit["at"],
        }
        git(folder, "commit", "-q", "-m", commit["message"], env={**os.environ, **person})
        commits.append(git(folder, "rev-parse", "HEAD").stdout.strip())
    for branch, index in history.get("branches", {}).items():
        git(folder, "branch", branch, commits[index])
    return folder


def estate():
    return read_yaml(ESTATE / "holdpoint.yaml")


def scan(scanner, folder, report):
    """Runs a scanner of `holdpoint.yaml` as a re-scan would; returns its normalised report."""
    config = estate()["scanners"][scanner]
    environment = dict(os.environ, HOLDPOINT_REPORT=str(report), PATH=tool_path())
    if "rules" in config:
        environment["HOLDPOINT_RULES"] = str(ESTATE / config["rules"])
    done = subprocess.run(["sh", "-c", config["run"]], cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode not in config.get("ok_exit", [0]):
        raise SystemExit(f"{scanner} in {folder} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return normalise(scanner, json.loads(pathlib.Path(report).read_text(encoding="utf-8")))


def normalise(scanner, report):
    """Drops what differs from run to run and from machine to machine."""
    if scanner == "bandit":
        report["generated_at"] = "2026-03-17T00:00:00Z"
        report["results"].sort(key=lambda r: (r["filename"], r["line_number"], r["test_id"]))
    if scanner == "semgrep":
        for name in ("paths", "time", "skipped_rules", "interfile_languages_used", "engine_requested", "profiling_results"):
            report.pop(name, None)
        for result in report["results"]:
            result["extra"].pop("engine_kind", None)
        report["results"].sort(key=lambda r: (r["path"], r["start"]["line"], r["check_id"]))
    return report


def names(scanner, report):
    """What a report found, as (rule, path) pairs."""
    if scanner == "bandit":
        return sorted((r["test_id"], r["filename"].removeprefix("./")) for r in report["results"])
    return sorted((r["check_id"], r["path"].removeprefix("./")) for r in report["results"])


def tool_path():
    """PATH with a folder first that has the pinned scanners, where the machine hasn't them."""
    commands = ["holdpoint-bandit", "holdpoint-semgrep"]
    if all(map(shutil.which, commands)):
        return os.environ["PATH"]
    # One place says which versions: another one finds other things than the recorded reports say.
    setup = (ROOT.parents[1] / "ci" / "setup").read_text(encoding="utf-8")
    pins = [f"{name}=={version}" for name, version in re.findall(r"^(bandit|semgrep)_version=(\S+)$", setup, re.MULTILINE)]
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "holdpoint-example"
    cache /= "-".join(pins).replace("==", "-")
    binaries = cache / "bin"
    if not all((binaries / command).exists() for command in commands):
        print("installing", *pins, "into", cache, file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(cache / "venv")], check=True)
        subprocess.run([str(cache / "venv/bin/pip"), "install", "--quiet", *pins], check=True)
        binaries.mkdir(parents=True, exist_ok=True)
        for command in commands:
            name = command.removeprefix("holdpoint-")
            script = f'#!/bin/sh\nPATH="{cache}/venv/bin:$PATH" exec {name} "$@"\n'
            (binaries / command).write_text(script, encoding="utf-8")
            (binaries / command).chmod(0o755)
    return f"{binaries}:{os.environ['PATH']}"
