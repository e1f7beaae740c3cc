"""Requests of the page as routes take them, and faults as the page shows them."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from herdbook.errors import HerdbookError

Answer = Callable[[Request], Awaitable[Response]]


def told(answer: Answer) -> Answer:
    """The answer, or the message of a HerdbookError as its `fault`."""

    async def telling(request: Request) -> Response:
        try:
            return await answer(request)
        except HerdbookError as error:
            return JSONResponse({"fault": str(error)}, 422)

    return telling


async def content_of(request: Request) -> dict[str, Any]:
    """The JSON object that a page sent. Raises HerdbookError for anything else."""
    try:
        content = await request.json()
    except ValueError as error:
        raise HerdbookError("the page sent something that is not JSON") from error
    if not isinstance(content, dict):
        raise HerdbookError("the page sent something that is not understood")
    return content


def number_of(request: Request, name: str, default: int) -> int:
    """A whole number in the address of a request. Raises HerdbookError if it is none."""
    text = request.query_params.get(name, str(default))
    try:
        return int(text)
    except ValueError as error:
        raise HerdbookError(f"{text!r} is no number") from error
