"""Column types and defaults that differ between the two databases."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

#: Identifiers and keys: compared byte by byte on both databases, so that ranges and order agree.
NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
#: SQLite numbers rows by itself only in an INTEGER column.
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


class TransactionId(FunctionElement[int]):
    """Default of ``txn``: the 64-bit id of the inserting transaction on PostgreSQL, 0 on SQLite."""

    type = sa.BigInteger()
    name = "transaction_id"
    inherit_cache = True


@compiles(TransactionId, "postgresql")
def _postgres_transaction_id(element: TransactionId, compiler: Any, **kw: Any) -> str:  # noqa: ARG001  hook signature
    return "(pg_current_xact_id()::text::bigint)"


@compiles(TransactionId, "sqlite")
def _sqlite_transaction_id(element: TransactionId, compiler: Any, **kw: Any) -> str:  # noqa: ARG001  hook signature
    return "0"
