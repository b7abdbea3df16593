"""OpenAI's errors, with the bodies that its clients read."""

from collections.abc import Mapping
from typing import Any


class ApiError(Exception):
    """What the endpoint answers instead: `status` and the body's `error`."""

    def __init__(
        self,
        status: int,
        message: str,
        kind: str = "invalid_request_error",
        *,
        code: str | None = None,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.body: dict[str, Any] = {"error": {"message": message, "type": kind, "param": param, "code": code}}


def wrong_key() -> ApiError:
    return ApiError(401, "Incorrect API key provided. Use the one that --key names.", code="invalid_api_key")


def no_model(model: str) -> ApiError:
    message = f"The model `{model[:100]}` does not exist or you do not have access to it."
    return ApiError(404, message, code="model_not_found")


def no_quota() -> ApiError:
    message = "You exceeded your current quota, please check your plan and billing details."
    return ApiError(429, message, "insufficient_quota", code="insufficient_quota")


def too_many(retry_after: float | None) -> ApiError:
    headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
    message = "Rate limit reached. Please try again later."
    return ApiError(429, message, "requests", code="rate_limit_exceeded", headers=headers)


def broken(status: int) -> ApiError:
    message = {500: "The server had an error while processing your request.", 503: "The engine is overloaded."}[status]
    return ApiError(status, message, "server_error")


def filtered() -> ApiError:
    message = "The response was filtered due to the prompt triggering the content management policy."
    return ApiError(400, message, code="content_filter", param="prompt")


def too_long(tokens: int, limit: int) -> ApiError:
    message = (
        f"This model's maximum context length is {limit} tokens. However, your messages resulted in {tokens} tokens."
    )
    return ApiError(400, message, code="context_length_exceeded", param="messages")


def unsupported(param: str) -> ApiError:
    message = f"Unsupported parameter: '{param}' is not supported with this model."
    return ApiError(400, message, code="unsupported_parameter", param=param)


def bad_request(message: str, param: str | None = None) -> ApiError:
    return ApiError(400, message, param=param)
