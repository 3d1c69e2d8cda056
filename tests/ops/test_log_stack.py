"""What ships and shows logs agrees with what is written: fields, names, and each other."""

import json
import re
import subprocess
from fnmatch import fnmatch
from typing import Any, Final

import pytest
import yaml

from ecommerce.core.logs.fields import ACCESS, APPLICATION, FIELDS, SLOW_OPERATIONS
from tests.ops.compose import GIVEN, read
from tests.ops.elasticsearch import types_of
from tests.ops.logstash import Branch, Parser, Plugin
from tests.queries import ROOT

pytestmark = pytest.mark.ops

DOCKER: Final = ROOT / "docker"
TEMPLATE: Final = json.loads((DOCKER / "elasticsearch" / "index-template.json").read_text("utf-8"))
POLICY: Final = json.loads((DOCKER / "elasticsearch" / "lifecycle-policy.json").read_text("utf-8"))
MAPPED: Final = dict(types_of(TEMPLATE["template"]["mappings"]["properties"]))
PIPELINE: Final = (DOCKER / "logstash" / "pipeline" / "shop.conf").read_text("utf-8")
OBJECTS: Final = [
    json.loads(line)
    for line in (DOCKER / "kibana" / "saved-objects.ndjson").read_text("utf-8").splitlines()
]
SHIPPING: Final = {
    "data_stream.type", "data_stream.dataset", "data_stream.namespace", "host.name", "container.id",
}  # fmt: skip
"""What Filebeat and Logstash add."""


def balancer_fields() -> set[str]:
    """What HAProxy's log line holds."""
    (said,) = re.findall(
        r"log-format '(\{.*\})'", (DOCKER / "haproxy" / "haproxy.cfg").read_text("utf-8")
    )
    return set(re.findall(r'"([@\w.]+)":', said))


def test_the_template_maps_each_field_that_is_written_with_its_ecs_type() -> None:
    assert {field: MAPPED.get(field) for field in FIELDS} == dict(FIELDS)


def test_the_template_maps_nothing_that_nobody_writes() -> None:
    assert MAPPED.keys() == FIELDS.keys() | SHIPPING | (balancer_fields() - {"event.duration_ms"})


def test_what_is_not_mapped_is_kept_and_not_indexed() -> None:
    assert TEMPLATE["template"]["mappings"]["dynamic"] is False
    keywords = [field for field, kind in MAPPED.items() if kind == "keyword"]
    for field in keywords:  # a longer value would make Lucene refuse the document
        assert _field(field)["ignore_above"] <= 8191, field


def _field(name: str) -> dict[str, Any]:
    place = TEMPLATE["template"]["mappings"]
    for part in name.split("."):
        place = place["properties"][part]
    found: dict[str, Any] = place
    return found


def test_the_template_is_for_our_data_streams_and_names_our_policy() -> None:
    (pattern,) = TEMPLATE["index_patterns"]
    for dataset in (ACCESS, APPLICATION, SLOW_OPERATIONS, "shop.balancer"):
        assert fnmatch(f"logs-{dataset}-default", pattern)
        assert re.fullmatch(r"[a-z._]+", dataset), "no dash: it ends a part of the stream's name"
    assert TEMPLATE["data_stream"] == {}
    assert TEMPLATE["priority"] > 100, "Elasticsearch has one of its own for logs-*-*"
    setup = (DOCKER / "elasticsearch" / "setup.sh").read_text("utf-8")
    policy = TEMPLATE["template"]["settings"]["index"]["lifecycle"]["name"]
    assert f"/_ilm/policy/{policy}" in setup


def test_lines_are_deleted_after_30_days() -> None:
    phases = POLICY["policy"]["phases"]
    assert phases["delete"] == {"min_age": "30d", "actions": {"delete": {}}}
    assert phases["hot"]["actions"]["rollover"]["max_age"] == "1d"
    assert "after 30 days" in (ROOT / "docs" / "logs.md").read_text("utf-8")


def test_the_pipeline_is_one_and_names_the_data_stream_by_the_dataset() -> None:
    sections = Parser(PIPELINE).sections()
    (beats,) = sections["input"]
    assert beats == Plugin("beats", {"port": "5044"})
    balancer, others, naming = sections["filter"]
    assert isinstance(balancer, Branch)
    assert balancer.condition == ["!", "[event][dataset]"]
    dropped = Branch(["[event][dataset]", "!~", "/^shop\\./"], [Plugin("drop", {})])
    assert others == dropped, "what the user may not write would be tried for ever"
    assert isinstance(naming, Plugin)
    assert naming.settings["add_field"]["[data_stream][dataset]"] == "%{[event][dataset]}"
    (output,) = sections["output"]
    assert isinstance(output, Plugin)
    assert output.settings["data_stream"] == output.settings["data_stream_auto_routing"] == "true"


@pytest.mark.parametrize(
    "broken",
    [PIPELINE.replace("=>", "=", 1), PIPELINE.rstrip()[:-1], PIPELINE.replace("filter", "filters")],
)
def test_a_broken_pipeline_is_noticed(broken: str) -> None:
    with pytest.raises(ValueError):
        Parser(broken).sections()


def test_each_field_of_the_pipeline_is_mapped() -> None:
    named = {
        ".".join(re.findall(r"\[(\w+)\]", field)) for field in re.findall(r"(?:\[\w+\])+", PIPELINE)
    }
    assert named <= MAPPED.keys() | {"event.duration_ms", "event.duration_s"}


def test_each_balancer_s_duration_becomes_nanoseconds() -> None:
    """Searches and dashboards ask for event.duration, whoever wrote the line."""
    formats = [
        (DOCKER / name).read_text("utf-8")
        for name in ("haproxy/haproxy.cfg", "nginx/nginx.conf.template")
    ]
    written = [re.findall(r'"event\.(duration_\w+)":', text) for text in formats]
    assert written == [["duration_ms"], ["duration_s"]]
    balancer = Parser(PIPELINE).sections()["filter"][0]
    assert isinstance(balancer, Branch)
    ruby = balancer.steps[0]
    assert isinstance(ruby, Plugin)
    lines = [line.strip() for line in ruby.settings["code"].strip().splitlines()]
    assert lines == [
        "milliseconds = event.remove('[event][duration_ms]')",
        "seconds = event.remove('[event][duration_s]')",
        "event.set('[event][duration]', milliseconds.to_i * 1000000) if milliseconds",
        "event.set('[event][duration]', (seconds.to_f * 1000000000).round) if seconds",
    ]


def test_filebeat_reaches_logstash_where_it_listens() -> None:
    config = yaml.safe_load((DOCKER / "filebeat" / "filebeat.yml").read_text("utf-8"))
    assert config["output.logstash"]["hosts"] == ["${LOGSTASH_HOST:logstash:5044}"]
    assert [name for name in config if name.startswith("output.")] == ["output.logstash"]


def test_settings_hold_no_password() -> None:
    texts = [PIPELINE]
    for path in ("filebeat/filebeat.yml", "logstash/logstash.yml", "kibana/kibana.yml"):
        texts.append((DOCKER / path).read_text("utf-8"))
        assert yaml.safe_load(texts[-1])
    passwords = re.findall(r"password\s*(?:=>|:)\s*(\S+)", "\n".join(texts))
    assert passwords == ['"${ELASTICSEARCH_PASSWORD:}"', "${KIBANA_PASSWORD}"]


def test_kibana_replaces_every_variable_of_its_settings() -> None:
    """By its own rule, of its package `kbn-config`: a default is a word, or the text stays."""
    text = (DOCKER / "kibana" / "kibana.yml").read_text("utf-8")
    composed = read("elk", {**GIVEN, "ELASTICSEARCH_PASSWORD": "sesame-77"}).stdout
    given = json.loads(composed)["services"]["kibana"]["environment"]

    def value(found: re.Match[str]) -> str:
        return str(given.get(found[1], found[3]) if found[3] else given[found[1]])

    replaced = yaml.safe_load(re.sub(r"\$\{(\w+)(:(\w+))?\}", value, text))
    assert replaced == {
        "server.host": "0.0.0.0",
        "server.publicBaseUrl": "http://localhost:5601",
        "elasticsearch.hosts": ["http://elasticsearch:9200"],
        "elasticsearch.username": "kibana_system",
        "elasticsearch.password": "sesame-77",
        "telemetry.enabled": False,
    }


def test_the_setup_script_is_one() -> None:
    script = str(DOCKER / "elasticsearch" / "setup.sh")
    assert subprocess.run(["sh", "-n", script], check=False).returncode == 0


class TestSavedObjects:
    """What Kibana is told to show."""

    objects = {(one["type"], one["id"]): one for one in OBJECTS[:-1]}

    def test_the_last_line_says_how_many_there_are(self) -> None:
        assert OBJECTS[-1]["exportedCount"] == len(OBJECTS) - 1 == len(self.objects)
        assert OBJECTS[-1]["missingRefCount"] == 0

    def test_each_reference_is_there_and_used(self) -> None:
        for one in self.objects.values():
            for reference in one["references"]:
                assert (reference["type"], reference["id"]) in self.objects
                name = reference["name"].partition(":")[2] or reference["name"]
                assert name in json.dumps(one["attributes"])

    def test_each_column_and_each_field_of_a_query_is_mapped(self) -> None:
        searches = [one for (kind, _), one in self.objects.items() if kind == "search"]
        assert len(searches) == 5
        for one in searches:
            source = json.loads(one["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])
            asked = re.findall(r"([a-z_.]+)\s*(?::|>=)", source["query"]["query"])
            assert asked
            assert {*asked, *one["attributes"]["columns"]} <= MAPPED.keys()

    def test_the_dashboard_shows_each_search_in_a_place_of_its_own(self) -> None:
        board = self.objects["dashboard", "shop-on-call"]
        panels = json.loads(board["attributes"]["panelsJSON"])
        referred = {one["name"]: one["id"] for one in board["references"]}
        shown = [referred[f"{panel['panelIndex']}:{panel['panelRefName']}"] for panel in panels]
        assert sorted(shown) == sorted(one for kind, one in self.objects if kind == "search")
        cells = [
            (x, y)
            for grid in (panel["gridData"] for panel in panels)
            for x in range(grid["x"], grid["x"] + grid["w"])
            for y in range(grid["y"], grid["y"] + grid["h"])
        ]
        assert len(cells) == len(set(cells))
        assert max(x for x, _ in cells) < 48

    def test_the_view_is_of_our_data_streams(self) -> None:
        view = self.objects["index-pattern", "shop-logs"]["attributes"]
        assert fnmatch(f"logs-{ACCESS}-default", view["title"])
        assert view["timeFieldName"] == "@timestamp"
        assert json.loads(view["fieldFormatMap"]).keys() <= MAPPED.keys()
