"""No secret of the instance file reaches a page."""

from __future__ import annotations

import pytest

from runyard.web.masking import mask_url, mask_yaml

HIDDEN = "hunter2"


@pytest.mark.parametrize(
    "text",
    [
        "storage:\n  postgres:\n    password: hunter2\n",
        "storage: {postgres: {password: 'hunter2', user: me}}\n",
        "password: |\n  hunter2\nafter: seen\n",
        "api_token: hunter2 # note\n",
        "AWS_SECRET_ACCESS_KEY: hunter2\n",
        "secrets:\n  - hunter2\n  - name: hunter2\n",
        "storage:\n  postgres:\n    postgres_url: postgresql://me:hunter2@db/yard\n",
        "# password: hunter2\nuser: me\n",
        "password: hunter2: broken\n  yaml: [",
    ],
)
def test_secrets_are_hidden(text: str) -> None:
    assert HIDDEN not in mask_yaml(text)


def test_the_rest_stays_as_it_was_written() -> None:
    text = "# our yard\nstorage:\n  postgres:\n    user: me\n    password: hunter2\n    port: 5432\n"
    assert mask_yaml(text) == text.replace(HIDDEN, "********")


def test_a_block_scalar_keeps_the_line_after_it() -> None:
    assert mask_yaml("password: |\n  hunter2\nafter: seen\n") == "password: ********\nafter: seen\n"


def test_names_of_environment_variables_are_no_secrets() -> None:
    text = "password:\n  env: PG_PASSWORD\n"
    assert mask_yaml(text) == text


def test_urls_lose_only_their_password() -> None:
    assert mask_url("postgresql://me:hunter2@db:5432/yard") == "postgresql://me:********@db:5432/yard"
    assert mask_url("http://localhost:3000/runs") == "http://localhost:3000/runs"
