"""Futures whose result is known at once."""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

T = TypeVar("T")


def done(result: T) -> asyncio.Future[T]:
    """A future with this result."""
    future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
    future.set_result(result)
    return future


def failed(error: Exception) -> asyncio.Future[Any]:
    """A future with this error."""
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    future.set_exception(error)
    return future
