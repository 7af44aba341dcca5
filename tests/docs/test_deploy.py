"""What deploy/ says is so: it can be read, and names settings, metrics, commands and paths that exist."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.core import Metric

from kodama.app.main import main
from kodama.app.settings import SETTINGS, Settings
from kodama.metrics import Metrics
from kodama.store.memory import MemoryStore
from kodama.web.operations import Operations

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
HOW_TO = [ROOT / "docs" / "how-to" / f"{name}.md" for name in ("docker", "kubernetes", "monitoring")]
WRITTEN = [path for path in sorted(DEPLOY.rglob("*")) if path.is_file()]
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
DRAIN = float(str(next(one.default for one in SETTINGS if one.name == "drain")))


def _documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((DEPLOY / name).read_text("utf-8")))


def _kind(kind: str, name: str = "kodama") -> dict[str, Any]:
    """Return the Kubernetes object of this kind and name."""
    found = [
        one for path in sorted((DEPLOY / "kubernetes").glob("*.yaml")) for one in _documents(f"kubernetes/{path.name}")
        if one["kind"] == kind and one["metadata"]["name"] == name
    ]  # fmt: skip
    assert len(found) == 1
    return found[0]


def _pod() -> dict[str, Any]:
    return _kind("Deployment")["spec"]["template"]["spec"]


def _families() -> list[Metric]:
    metrics = Metrics()
    metrics.limit("read", "coalesced")
    metrics.refused["rate_limited"] = 1
    bus = dict.fromkeys(("received", "missed", "dropped", "breaks", "unread"), 0)
    return list(Operations(
        metrics, MemoryStore(lambda: 0), waiting=lambda: {"longpoll": 1}, connections=lambda: 0,
        present=lambda: (0, 0), bus=lambda: bus,
    ).collect())  # fmt: skip


def _expressions() -> Iterator[str]:
    board = json.loads((DEPLOY / "monitoring" / "grafana-dashboard.json").read_text("utf-8"))
    for panel in board["panels"]:
        yield from (target["expr"] for target in panel["targets"])
    yield from (one["query"] for one in board["templating"]["list"] if one["type"] == "query")
    for group in _documents("monitoring/alerts.yaml")[0]["groups"]:
        yield from (rule["expr"] for rule in group["rules"])


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: str(path.relative_to(DEPLOY)))
def test_every_file_can_be_read(path: Path) -> None:
    text = path.read_text("utf-8")
    if path.suffix == ".yaml":
        assert all(isinstance(one, dict) for one in yaml.safe_load_all(text))
    if path.suffix == ".json":
        assert json.loads(text)


@pytest.mark.parametrize("path", [*WRITTEN, *HOW_TO], ids=lambda path: path.name)
def test_every_setting_that_is_named_exists(path: Path) -> None:
    named = set(re.findall(r"\bKODAMA_[A-Z_]+", path.read_text("utf-8")))
    assert named <= {setting.env for setting in SETTINGS} | {"KODAMA_URL"}


def test_the_settings_that_are_given_are_taken() -> None:
    composed = _documents("compose/compose.yaml")[0]["services"]["kodama-1"]["environment"]
    for given in (composed, _kind("ConfigMap")["data"]):
        settings = Settings.load({name: value for name, value in given.items() if name.startswith("KODAMA_")})
        assert settings.store.startswith("postgresql://")
        assert settings.bus.startswith("nats://")


def test_every_metric_that_is_watched_exists_and_every_metric_can_be_seen() -> None:
    known = {family.name + suffix: family.name for family in _families() for suffix in SUFFIXES[family.type]}
    named = {name for expression in _expressions() for name in re.findall(r"\bkodama_\w+", expression)}
    assert named <= known.keys()
    assert {known[name] for name in named} == set(known.values())


def test_every_label_that_is_asked_for_exists() -> None:
    added = {"instance", "job", "le"}  # by Prometheus, and by every histogram
    labels = {family.name: {name for one in family.samples for name in one.labels} for family in _families()}
    for expression in _expressions():
        names = [name for name in labels if re.search(rf"\b{name}(_total|_bucket)?\b", expression)]
        asked = set(re.findall(r"(\w+)=~?\"", expression))
        for by in re.findall(r"by \(([^)]*)\)", expression):
            asked |= {one.strip() for one in by.split(",")}
        assert asked <= added.union(*(labels[name] for name in names)), expression


def test_the_how_to_explains_every_alert() -> None:
    explained = HOW_TO[2].read_text("utf-8")
    for group in _documents("monitoring/alerts.yaml")[0]["groups"]:
        for rule in group["rules"]:
            assert f"`{rule['alert']}`" in explained


def _command_lines() -> Iterator[list[str]]:
    dockerfile = (DEPLOY / "Dockerfile").read_text("utf-8")
    command = re.search(r"^CMD (\[.*\])$", dockerfile, re.MULTILINE)
    assert command is not None
    yield json.loads(command[1])
    yield [str(word) for word in _pod()["containers"][0]["args"]]
    unit = re.search(
        r"^ExecStart=/opt/kodama/bin/kodama (.*)$", (DEPLOY / "kodama.service").read_text(), re.MULTILINE
    )
    assert unit is not None
    yield shlex.split(unit[1])
    for path in HOW_TO:
        for line in re.findall(
            r"\bkodama (?=(?:serve|owner|verify|doctor)\b)([^`\n]*)", path.read_text("utf-8")
        ):
            yield shlex.split(line)


def test_every_command_that_is_named_exists() -> None:
    lines = list(_command_lines())
    assert len(lines) > 5
    for words in lines:
        main.commands[words[0]].make_context(words[0], words[1:])  # raises where the line is wrong


def test_a_stop_is_given_longer_than_a_drain_takes() -> None:
    pod, given = _pod(), _kind("ConfigMap")["data"]
    before = float(pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod["terminationGracePeriodSeconds"] > before + float(given.get("KODAMA_DRAIN", DRAIN))
    service = _documents("compose/compose.yaml")[0]["services"]["kodama-1"]
    assert float(service["stop_grace_period"].removesuffix("s")) > DRAIN
    unit = (DEPLOY / "kodama.service").read_text("utf-8")
    assert float(unit.split("TimeoutStopSec=")[1].split()[0]) > DRAIN


def test_a_pod_gets_visitors_while_it_is_ready_and_is_ended_only_if_it_is_not_up() -> None:
    node = _pod()["containers"][0]
    assert node["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}
    assert node["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "http"}
    assert {"name": "http", "containerPort": 8080} in node["ports"]


def test_services_and_budgets_are_about_the_pods_that_there_are() -> None:
    for name in ("kodama", "nats"):
        labels = _kind("Deployment", name)["spec"]["template"]["metadata"]["labels"]
        assert _kind("Deployment", name)["spec"]["selector"]["matchLabels"] == labels
        assert _kind("Service", name)["spec"]["selector"] == labels
    budget = _kind("PodDisruptionBudget")["spec"]
    assert budget["selector"]["matchLabels"] == {"app": "kodama"}
    assert budget["maxUnavailable"] < _kind("Deployment")["spec"]["replicas"]


def test_nobody_runs_as_root_and_no_password_is_written_down() -> None:
    assert re.search(r"^USER 10001", (DEPLOY / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    assert _pod()["securityContext"]["runAsNonRoot"] is True
    for path in WRITTEN:
        assert not re.search(r"://\w+:[^@/\s]+@", path.read_text("utf-8")), path.name


def test_the_manifests_are_one_whole_for_kustomize() -> None:
    listed = _documents("kubernetes/kustomization.yaml")[0]["resources"]
    there = {path.name for path in (DEPLOY / "kubernetes").glob("*.yaml")} - {"kustomization.yaml"}
    assert set(listed) == there
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed; the list of resources was compared")
    done = subprocess.run(
        ["kubectl", "kustomize", str(DEPLOY / "kubernetes")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "image: registry.example.org/kodama:1" in done.stdout


def test_systemd_understands_its_units(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    for name in ("kodama.service", "kodama.socket"):
        text = (DEPLOY / name).read_text("utf-8").replace("/opt/kodama/bin/kodama", "/bin/true")
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", str(tmp_path / "kodama.service"), str(tmp_path / "kodama.socket")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "kodama" not in done.stderr, done.stderr
