"""No secret of the instance file reaches a page, a terminal, a log or an error, whatever it is called and wherever it
stands."""

from __future__ import annotations

import copy
import json
import logging
import tempfile
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psycopg
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from runyard.cli.instance import _described
from runyard.core.clock import SystemClock
from runyard.core.errors import RunyardError
from runyard.core.masking import MASK, public_url
from runyard.settings.instance import InstanceSettings, PostgresSettings
from runyard.settings.loading import load_settings
from runyard.settings.masking import masked
from runyard.storage.open import open_stores

from .test_schema_properties import FULL, Steps, parent, places

HIDDEN = "hunter2"


@pytest.mark.parametrize(
    "text",
    [
        "storage:\n  postgres:\n    postgres_db: {password: hunter2}\n",
        "storage: {postgres: {postgres_db: {username: hunter2, params: {sslpassword: hunter2, hunter2: x}}}}\n",
        "storage: {postgres: {postgres_url: 'postgresql://me:hunter2@db/yard'}}\n",
        "storage: {postgres: {postgres_url: 'postgresql://db/yard?password=hunter2'}}\n",
        "storage: {postgres: {postgres_url: 'https://hunter2@db'}}\n",
        "storage: {postgres: {postgres_url: 'postgresql://me:a/hunter2@db/yard'}}\n",
        "storage: {postgres: {postgres_url: 'postgresql://me:a@hunter2@db/yard'}}\n",
        "storage: {postgres: {postgres_url: 'postgresql://me:5432/hunter2?x@db/yard'}}\n",
        "storage: {postgres: {postgres_url: |\n  postgresql://me:x@hunter2/yard\n}}\n",
        "storage: {sqlite: {base_dir: 'postgresql://me:hunter2@db/yard'}}\n",
        "storage: {custom: {dsn: hunter2}}\n",
        "storage: {postgres: {postgres_url: {env: X, hunter2: hunter2}}}\n",
        "run_monitoring: {enabled: true} # hunter2\n",
        "run_monitoring: # hunter2\n  enabled: true\n# hunter2",
        "python_logs: {dagster_handler_config: {handlers: {web: {class: X, api-key: hunter2, pwd: [hunter2]}}}}\n",
        "instance_class: {module: a, class: b, config: {x: hunter2}}\n",
        "compute_logs: {module: m, class: C, config: {dsn: hunter2}}\n",
        "auto_materialize: {run_tags: {team: hunter2}}\n",
        "unheard_of: hunter2\n",
        "hunter2: 5\n",
        "hunter2\n",
        "- hunter2\n",
        "a: &a hunter2\nstorage: {sqlite: {base_dir: *a}}\n",
        "storage: {sqlite: {base_dir: &a hunter2}, custom: *a}\n",
        "storage: !hunter2 {sqlite: {}}\n",
        "%TAG ! tag:hunter2,2000:\n---\nstorage: {}\n",
        "storage: {sqlite: {base_dir: |\n  hunter2\n}}\n",
        "password: hunter2: broken\n  yaml: [",
        "? hunter2\n: x\n",
        "#" + "x" * 300_000 + "\nhunter2: 1",
    ],
)
def test_secrets_are_hidden(text: str) -> None:
    assert HIDDEN not in masked(text)


def test_what_is_no_secret_stays_as_it_was_written_line_for_line() -> None:
    text = (
        "# our yard, ask bob\n"
        "storage:   # the database\n"
        "  postgres:\n"
        "    postgres_url: postgresql://me:hunter2@db:5432/yard?sslmode=require\n"
        "run_queue: {max_concurrent_runs: 3, tag_concurrency_limits: [{key: 'team', limit: 1}]}\n"
        "python_logs:\n"
        "  dagster_handler_config:\n"
        "    handlers:\n"
        "      web:\n"
        "        note: |\n"
        "          first\n"
        "          second\n"
        "telemetry: {enabled: false}\n"
    )
    shown = masked(text).splitlines()
    assert shown[:5] == [
        "# …",
        "storage:   # …",
        "  postgres:",
        f"    postgres_url: postgresql://{MASK}@db:5432/yard?{MASK}",
        "run_queue: {max_concurrent_runs: 3, tag_concurrency_limits: [{key: 'team', limit: 1}]}",
    ]
    assert len(shown) == len(text.splitlines())
    assert shown[-1] == "telemetry: {enabled: false}"


def test_names_of_environment_variables_are_no_secrets() -> None:
    text = "storage:\n  postgres:\n    postgres_url:\n      env: DATABASE_URL\n"
    assert masked(text) == text


def test_an_empty_file_is_empty() -> None:
    assert masked("") == ""


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:hunter2@db:5432/yard", f"postgresql://{MASK}@db:5432/yard"),
        ("postgresql+psycopg://db/yard", "postgresql+psycopg://db/yard"),
        ("postgresql://me@[::1]:5432/yard#x", f"postgresql://{MASK}@[::1]:5432/yard#{MASK}"),
        ("postgresql://me@a:1,b:2/yard", f"postgresql://{MASK}@a:1,b:2/yard"),
        ("https://token@host", f"https://{MASK}@host"),
        ("postgresql:///yard?host=/tmp/x&password=y", f"postgresql:///yard?{MASK}"),
        ("postgresql://me:p@ss@db/yard", f"postgresql://{MASK}"),
        ("postgresql://me:p/ss@db/yard", f"postgresql://{MASK}"),
        ("hunter2", MASK),
    ],
)
def test_of_a_url_only_scheme_host_port_and_database_are_shown(url: str, shown: str) -> None:
    assert public_url(url) == shown


#: Long enough to be no part of what is written for other reasons, and with all that a URL or YAML takes for a sign.
SECRETS = st.text(st.sampled_from("abcXYZ019@/:?#&%='\"!*-_ ,{}[]|>"), min_size=1, max_size=12).map("s3cr3t".__add__)


@given(secret=SECRETS, other=SECRETS)
@settings(max_examples=200, deadline=None)
def test_no_part_of_a_url_but_the_place_is_ever_shown(secret: str, other: str) -> None:
    for url in (
        f"postgresql://me:{secret}@db:5432/yard",
        f"postgresql://{secret}@db/yard?x={other}",
        f"https://{secret}:{other}@db",
        f"postgresql://db/yard?password={secret}&user={other}",
        f"postgresql://me@db/yard#{secret}",
        f"postgresql://:{secret}@/yard?host=/tmp/x&options={other}",
    ):
        assert "s3cr3t" not in public_url(url)


#: Kinds of text that the schema declares to be no secrets: names, places of files, classes.
PUBLIC = frozenset(
    [
        "hostname",
        "db_name",
        "schema",
        "base_dir",
        "module",
        "class",
        "key",
        "value",
        "job",
        "location",
        "env",
        "weights",
        "limits",
        "managed_python_loggers",
    ]
)
DOCUMENTS = [
    *FULL,
    {"storage": {"postgres": {"postgres_url": "postgresql://me:x@db/yard", "schema": "yard"}}},
    {
        "storage": {
            "postgres": {
                "postgres_db": {
                    "username": "u",
                    "hostname": "h",
                    "db_name": "d",
                    "params": {"sslmode": "x", "a": ["b"]},
                }
            }
        },
        "instance_class": {"module": "m", "class": "C", "config": {"a": {"b": "c"}}},
        "secrets": {"custom": {"module": "m", "class": "C", "config": {"a": "b"}}},
        "python_logs": {
            "dagster_handler_config": {
                "handlers": {"web": {"class": "logging.StreamHandler", "formatter": "plain", "url": "x"}},
                "formatters": {"plain": {"format": "x"}},
            }
        },
        "auto_materialize": {"run_tags": {"a": "b"}},
    },
]
PLACES = [
    (index, steps)
    for index, document in enumerate(DOCUMENTS)
    for steps, _ in places(document)
    if not PUBLIC.intersection(str(step) for step in steps[-2:])
]


def outputs_of(document: Any) -> str:
    """All that anybody gets to see of a home with this file: errors, pages, terminals, notices, the log."""
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=10_000)
    seen = [masked(text)]
    with tempfile.TemporaryDirectory() as home:
        (Path(home) / "runyard.yaml").write_text(text)
        try:
            found = load_settings(home, env={})
        except RunyardError as error:
            return "\n".join([*seen, str(error)])
        seen += [str(_described(found, {})), *found.notices, *(str(why) for why in found.why_off.values())]
        if isinstance(found.storage, PostgresSettings):
            seen.append(_connecting(found, home))
    return "\n".join(seen)


def _connecting(found: InstanceSettings, home: str) -> str:
    """What is said when the database refuses, in the driver's own words with all of the address in them."""

    def refuse(conninfo: str, **_: Any) -> None:
        raise psycopg.OperationalError(f'connection failed: "{conninfo}" for user {conninfo}')

    with patch.object(psycopg, "connect", refuse):
        try:
            open_stores(found.storage, SystemClock(), runtime_dir=home)
        except RunyardError as error:
            return str(error)
    raise AssertionError


@given(place=st.sampled_from(PLACES), secret=SECRETS)
@settings(max_examples=150, deadline=None)
def test_a_secret_in_any_place_is_shown_nowhere(place: tuple[int, Steps], secret: str) -> None:
    document = copy.deepcopy(DOCUMENTS[place[0]])
    for value in (secret, f"postgresql://me:{secret}@db/yard", f"postgresql://db/yard?password={secret}", [secret]):
        parent(document, place[1])[place[1][-1]] = value
        seen = outputs_of(document)
        assert "s3cr3t" not in seen, json.dumps(seen)


@pytest.mark.parametrize(
    "text",
    [
        "storage:\n  postgres: postgresql://me:hunter2@db/yard\n",
        "storage: postgresql://me:hunter2@db/yard\n",
        "storage: {postgres: {postgres_url:postgresql://me:hunter2@db/yard}}\n",
        "storage: {postgres: {postgres_url: mysql://me:hunter2@db/yard}}\n",
        "storage: {postgres: {postgres_url: ['postgresql://me:hunter2@db/yard']}}\n",
        "storage: {postgres: {postgres_db: {port: hunter2, username: u, hostname: h, db_name: d}}}\n",
        "storage: {postgres: {postgres_db: {password: 123, params: hunter2}}}\n",
        "storage: {postgres: {postgres_db: {username: u, hostname: 'me:hunter2@db', db_name: d}}}\n",
        "storage: {postgres: {postgres_db: {username: u, hostname: 'hunter2@h/x', db_name: d}}}\n",
        "storage: {postgres: {postgres_db: {username: u, hostname: 'db?password=hunter2', db_name: d}}}\n",
        "storage: {postgres: {postgres_url: *hunter2}}\n",
        "storage: {postgres: {postgres_url: !hunter2 x}}\n",
        "storage: {postgres: {postgres_url: !!int hunter2}}\n",
        'storage: {postgres: {postgres_url: "hunter2 \\q"}}\n',
        "run_coordinator: {module: 'postgresql://me:hunter2@db', class: x}\n",
        "python_logs: {python_log_level: hunter2}\n",
    ],
)
def test_errors_repeat_no_value_of_the_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "runyard.yaml").write_text(text)
    with pytest.raises(RunyardError) as caught:
        load_settings(str(tmp_path), env={})
    assert HIDDEN not in str(caught.value)
    assert "runyard.yaml:1" in str(caught.value) or "runyard.yaml:2" in str(caught.value)


def test_a_refused_log_in_names_nobody(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    # Nobody listens there; the driver's words are those of a real attempt.
    url = "postgresql://hunter2:s3cr3tword@127.0.0.1:1/yard?options=-cx%3Dhunter2"
    with caplog.at_level(logging.DEBUG), pytest.raises(RunyardError) as caught:
        open_stores(PostgresSettings(url), SystemClock(), runtime_dir=str(tmp_path))
    for said in (str(caught.value), caplog.text):
        assert HIDDEN not in said
        assert "s3cr3tword" not in said
    assert "127.0.0.1:1/yard" in str(caught.value)
