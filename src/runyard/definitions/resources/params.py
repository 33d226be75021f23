"""Marking a parameter as a resource."""

from __future__ import annotations

from typing import Annotated, TypeVar

from ..signature import RESOURCE_PARAM

T = TypeVar("T")

#: ``def my_op(client: ResourceParam[Client])``: the parameter is the resource called ``client``.
ResourceParam = Annotated[T, RESOURCE_PARAM]
#: A field of a ConfigurableResource that is another resource of any class.
ResourceDependency = Annotated[T, RESOURCE_PARAM]
