"""The way of a client to the service: TLS, a key, and the proxy."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from rvae.client import Client
from tests.support.exchanges import JSON, Address, Answer, ask, speak
from tests.support.fault_models import NAME, PATH

__all__ = ["Proxied"]


@dataclass(frozen=True)
class Proxied:
    """A service behind the proxy, as a client with a key reaches it.

    Attributes:
        address: Of the proxy.
        certificate: That it is trusted by.
        key: The client's.
    """

    address: Address
    certificate: Path
    key: str

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """Trusts that certificate and no other."""
        return ssl.create_default_context(cafile=self.certificate)

    @property
    def credentials(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    @property
    def url(self) -> str:
        host, port = self.address
        return f"https://{host}:{port}"

    def ask(
        self,
        path: str = PATH,
        body: bytes | None = None,
        headers: Mapping[str, str] = JSON,
        method: str = "POST",
    ) -> Answer:
        """Send one request with the key."""
        return ask(self.address, path, body, {**headers, **self.credentials}, method, tls=self.tls)

    def speak(self, said: bytes, quiet: float = 1.0) -> tuple[bytes, bool]:
        """Send bytes as they are; see `exchanges.speak`."""
        return speak(self.address, said, quiet, self.tls)

    def client(self, timeout: float = 60.0) -> Client:
        """A client of the library, which asks again."""
        return Client(
            self.url,
            NAME,
            timeout=timeout,
            headers=self.credentials,
            verify=str(self.certificate),
        )

    def is_ready(self) -> bool:
        """Whether the service says so to anybody."""
        return ask(self.address, "/ping", method="GET", headers={}, tls=self.tls).status == 200
