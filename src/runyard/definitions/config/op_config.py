"""How an op takes its config: a typed ``config`` parameter, a ``config_schema``, or freely through its context."""

from __future__ import annotations

import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ...core.errors import InvalidDefinition
from ..signature import Signature, is_config
from ..slots import NO_VALUE

if TYPE_CHECKING:
    from .schema import ConfigType


class OpConfig:
    """``model`` is the Config class of the parameter; ``schema`` an older schema or the parameter's plain type."""

    def __init__(self, *, model: Any = None, schema: Any = None, default: Any = NO_VALUE, free: bool = False) -> None:
        self.model, self.schema, self.default = model, schema, default
        #: Without a schema: whether the function can be given any config.
        self.free = free

    @classmethod
    def of(cls, owner: str, signature: Signature, config_schema: Any) -> OpConfig:
        """Raises InvalidDefinition when the op says twice what config it takes."""
        parameter = signature.config
        if parameter is None:
            return cls(schema=config_schema, free=signature.context is not None)
        if config_schema is not None:
            raise InvalidDefinition(f"{owner}: has a config parameter and a config_schema; keep one.")
        if is_config(parameter.annotation) or _is_pydantic(parameter.annotation):
            return cls(model=parameter.annotation, default=parameter.default)
        schema = None if parameter.annotation is NO_VALUE else parameter.annotation
        return cls(schema=schema, default=parameter.default, free=schema is None)

    @cached_property
    def type(self) -> ConfigType:
        """What the op takes; pydantic is imported only for a Config class, which has imported it itself."""
        from .schema import Anything, Fields, WithDefault  # noqa: PLC0415 - needed once a job is looked into

        if self.model is not None:
            from .models import ModelType  # noqa: PLC0415 - imports pydantic

            return ModelType(self.model, default=self.default)
        if self.schema is None:
            return Anything() if self.free else Fields({}, noun="config of this op")
        from .legacy import config_type  # noqa: PLC0415 - older code only

        inner = config_type(self.schema)
        return inner if self.default is NO_VALUE else WithDefault(inner, self.default)


def _is_pydantic(annotation: Any) -> bool:
    pydantic = sys.modules.get("pydantic")
    return pydantic is not None and isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel)
