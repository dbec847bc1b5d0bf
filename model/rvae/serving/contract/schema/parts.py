"""What several parts of the OpenAPI document need."""

__all__ = ["FAULTS", "FAULTS_OF_BODIES", "JSON", "REFERENCES", "faults", "reference"]

REFERENCES = "#/components/schemas/{model}"

JSON = "application/json"

# Errors at the port of predictions, whoever finds them.
FAULTS = {
    400: "The request is not HTTP, or its body cannot be decoded.",
    401: "A proxy in front asks for a key, and this is none.",
    404: "There is no such path, model or version.",
    405: "The method is not allowed.",
    406: "No media type that the request accepts is available.",
    410: "The version, or the model, was served before and is no more.",
    408: "The headers or the body did not arrive in time.",
    413: "The body is larger than the server takes.",
    415: "The media type or the encoding of the body is not supported.",
    417: "The request expects something else than 100-continue.",
    422: "The request does not fit the model, or exceeds a limit.",
    429: "A proxy in front bounds the requests of each key: try again.",
    431: "The headers are too large or too many.",
    500: "The model failed on this request, or every worker that had it ended.",
    501: "The body has another transfer coding than chunked.",
    502: "The server behind the port ended while it had this request, again and again.",
    503: "Too much was requested at once, or there is no worker: try again.",
    505: "The version of HTTP is neither 1.0 nor 1.1.",
}
# Those that only what a client asks for, or its body, can have.
FAULTS_OF_BODIES = {406, 415, 422}


def reference(name: str, kind: str = "schemas") -> dict[str, str]:
    """A component that is described elsewhere."""
    return {"$ref": f"#/components/{kind}/{name}"}


def faults(of_bodies: bool) -> dict[str, dict[str, str]]:
    """Responses with errors.

    Args:
        of_bodies: Whether a request has a body.
    """
    statuses = [one for one in FAULTS if of_bodies or one not in FAULTS_OF_BODIES]
    return {str(status): reference(str(status), "responses") for status in statuses}
