"""docs/operations.md knows every alert, and names nothing that is not there."""

import re
from typing import Any, Final

import yaml

from deploy.prometheus_rules import manifest
from tests.ops.kubernetes import of_kind
from tests.queries import ROOT

PAGE: Final = (ROOT / "docs" / "operations.md").read_text("utf-8")
RULES: Final = ROOT / "docker" / "prometheus" / "rules"
TABLE: Final = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.split("## What was tried")[1].splitlines()
    if line.startswith("| ") and "---" not in line
][1:]
TARGETS: Final = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load((RULES / "alerts.yml").read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"] if "alert" in rule]


def test_every_alert_has_its_part_and_every_part_its_alert() -> None:
    headings = re.findall(r"^### (\w+)$", section("Alerts"), re.MULTILINE)
    assert headings == [rule["alert"] for rule in alerts()]


def test_every_alert_leads_to_its_part_by_an_address_that_can_be_opened() -> None:
    pages = set()
    for rule in alerts():
        page, _, part = rule["annotations"]["runbook_url"].partition("#")
        assert part == rule["alert"].lower()
        pages.add(page)
    (page,) = pages
    assert re.fullmatch(r"https://\S+/docs/operations\.md", page)


def test_the_address_of_the_runbook_is_put_in_by_what_the_page_says() -> None:
    deploy = (ROOT / "docs" / "deploy.md").read_text("utf-8")
    page = alerts()[0]["annotations"]["runbook_url"].partition("/docs/")[0]
    (line,) = re.findall(r"^grep -rl (\S+) (.*) \| xargs sed -i \"s,([^,]+),", deploy, re.MULTILINE)
    assert line[0] == line[2] == page
    assert line[1].split() == ["docker/prometheus", "tests/ops/rules"]
    assert "python -m deploy.prometheus_rules" in deploy


def test_what_only_compose_has_says_so_and_is_left_out_on_kubernetes() -> None:
    """There nothing of ours gives these series, and what gives them is somebody else's."""
    given = "".join(
        path.read_text("utf-8") for path in (ROOT / "deploy" / "kubernetes").rglob("*.yaml")
        if path.name != "rules.yaml"
    )  # fmt: skip
    assert not re.search(r"kind: Probe\b|redis_exporter|haproxy", given)
    marked = re.findall(r"^### (\w+)\nCompose only", section("Alerts"), re.MULTILINE)
    groups = manifest("shop")["spec"]["groups"]
    there = {rule.get("alert") for group in groups for rule in group["rules"]}
    assert marked == [rule["alert"] for rule in alerts() if rule["alert"] not in there]
    assert marked == [
        "NoServerReady", "SiteUnreachable", "CertificateEndsSoon", "RedisDown", "RedisMemoryFull",
        "RulesFail",
    ]  # fmt: skip


def test_it_is_said_that_no_pod_is_asked_while_mongodb_is_away() -> None:
    """Readiness asks MongoDB, so what clients see on Kubernetes is not what HAProxy makes of it."""
    (api,) = (
        one for one in of_kind("production", "Deployment") if one["metadata"]["name"] == "api"
    )
    probe = api["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]
    assert probe["httpGet"]["path"] == "/readyz"
    leave = probe["periodSeconds"] * probe["failureThreshold"]
    away = PAGE.split("### MongoDBAway\n")[1].split("\n### ")[0]
    assert f"On Kubernetes all pods leave the Service within {leave} s" in away
    assert "are back within 10 s of MongoDB's return" in away
    assert probe["periodSeconds"] + 3 <= 10, "3 s until the API is well, then the next probe"
    pages = {
        name: (ROOT / "docs" / name).read_text("utf-8") for name in ("architecture.md", "deploy.md")
    }
    assert (
        f"| the same on Kubernetes | so for {leave} s; then no pod is ready"
        in pages["architecture.md"]
    )
    assert f"within {leave} s all leave the Service" in pages["deploy.md"]
    (alert,) = (one for one in alerts() if one["alert"] == "MongoDBAway")
    assert "the edge of Kubernetes answers 503 by itself" in alert["annotations"]["description"]


def test_alertmanager_runs_here_and_grafana_is_held_against_prometheus_alone() -> None:
    where = {what: (how, place) for what, how, place in TABLE}
    how, place = where["Alertmanager: who is woken, who gets a mail, what is kept back"]
    assert place == "here"
    assert "`tests/ops/test_alertmanager.py`" in how
    assert where["Grafana"][1] == "offline"


def test_every_alert_has_something_to_do() -> None:
    for part in section("Alerts").split("\n### ")[1:]:
        name, _, text = part.partition("\n")
        assert len(text.split()) >= 15, name


def test_every_row_says_where_it_was_tried_and_names_a_file() -> None:
    assert len(TABLE) > 25
    assert {row[2] for row in TABLE} == {"here", "Actions", "offline"}
    for row in TABLE:
        assert re.search(r"`[\w./-]+/[\w.-]+`", row[1]), row


def test_what_is_tried_here_is_a_test_or_what_ci_runs() -> None:
    for what, how, where in TABLE:
        if where != "Actions":
            assert "`tests/" in how, what


def test_every_file_that_the_page_names_is_there() -> None:
    named = re.findall(r"`((?:tests|docs|docker|deploy|\.ci|\.github)/[\w./-]+)`", PAGE)
    links = [link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", PAGE) if "://" not in link]
    assert len(named) > 30
    assert [path for path in named if not (ROOT / path).exists()] == []
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []


def test_every_part_that_the_page_leads_to_is_there() -> None:
    headings = re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([\w-]+)\)", PAGE)) <= anchors


def test_every_make_target_that_the_page_names_is_there() -> None:
    assert set(re.findall(r"`make ([a-z-]+)", PAGE)) <= TARGETS
