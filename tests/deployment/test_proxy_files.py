"""The proxy's keys and certificates: what is taken, what is refused and in which words."""

import ssl
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.support.proxy import KEY, Proxy, key_line, proxy, require_nginx
from tests.support.upstream import Upstream
from tests.support.waiting import wait_for

HASH = sha256(b"other").hexdigest()


@pytest.fixture
def stopped(tmp_path: Path) -> Proxy:
    require_nginx()
    return Proxy(tmp_path, "127.0.0.1:1")


def certificate(folder: Path, days: float = 90) -> None:
    """Put a certificate and its key where the proxy looks for them."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    end = datetime.now(UTC) + timedelta(days=days)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(end - timedelta(days=100))
        .not_valid_after(end)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, SHA256())
    )
    encoded = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "server.key").write_bytes(encoded)
    (folder / "server.crt").write_bytes(made.public_bytes(Encoding.PEM))


def serial(front: Proxy, context: ssl.SSLContext | None = None) -> object:
    """Of the certificate that a client is shown."""
    with front.connect(context) as connection:
        shown = connection.getpeercert()
    assert shown
    return shown["serialNumber"]


def test_keys_are_taken_and_revoked(front: Proxy) -> None:
    assert front.ask(key="other").status == 401
    front.keys.write_text(f"# ours\n\nalice {sha256(KEY.encode()).hexdigest()}\nbob {HASH} # 1\n")
    assert front.ask(key="other").status == 401
    assert "reloaded" in front.reload()
    assert [front.ask(key=key).status for key in (KEY, "other")] == [200, 200]
    front.keys.write_text(f"  bob\t{HASH}\r\n")
    front.reload()
    assert [front.ask(key=key).status for key in (KEY, "other")] == [401, 200]
    wait_for(lambda: front.logged()[-1]["client"] == "bob")


WRONG = {
    "alice": "line 2: must be NAME SHA256",
    f"alice {HASH} x": "line 2: must be NAME SHA256",
    f"alice {HASH[1:]}": "line 2: what follows alice is no SHA-256",
    f"alice {HASH.upper()}": "line 2: what follows alice is no SHA-256",
    f"alice {KEY}": "line 2: what follows alice is no SHA-256",
    f'al"ice {HASH}': "line 2: a name has up to 64 letters, digits",
    f"{'a' * 65} {HASH}": "line 2: a name has up to 64 letters, digits",
    f"a;b {HASH}": "line 2: a name has up to 64 letters, digits",
    f"bob {HASH}\nbob {HASH[::-1]}": "line 3: there is bob in line 2 already",
    f"bob {HASH}\neve {HASH}": "line 3: it is the same key as in line 2",
}


def test_a_wrong_line_is_named_and_changes_nothing(front: Proxy) -> None:
    for content, words in WRONG.items():
        front.keys.write_text(f"# ours\n{content}\n")
        said = front.refuse_to_reload()
        assert f"{front.keys}, {words}" in said and KEY not in said
    assert front.ask().status == 200 and front.ask(key="other").status == 401
    front.stop()
    assert words in front.refuse_to_start()


def test_every_wrong_line_is_named(stopped: Proxy) -> None:
    certificate(stopped.certificates)
    stopped.keys.write_text("alice\nbob\n")
    words = stopped.refuse_to_start()
    assert "line 1: " in words and "line 2: " in words


def test_without_keys_nobody_is_let_in_and_without_their_file_it_does_not_start(
    front: Proxy,
) -> None:
    front.keys.write_text("")
    assert "nobody is let in" in front.reload()
    assert front.ask().status == 401
    front.keys.unlink()
    assert f"{front.keys}: is missing" in front.refuse_to_reload()
    front.keys.mkdir()  # as an engine makes it, where it is to mount a file that is missing
    assert f"{front.keys}: is no file" in front.refuse_to_reload()


def test_a_certificate_is_made_once(stopped: Proxy) -> None:
    stopped.environment["RVAE_HOST"] = "anomaly.example,10.0.0.5 fd00::5"
    try:
        stopped.start()
        shown = stopped.trusted.read_bytes()
        with stopped.connect() as connection:
            content = connection.getpeercert()
        assert content
        names: Any = content["subjectAltName"]
        assert {value for _, value in names} == {
            *("localhost", "127.0.0.1", "0:0:0:0:0:0:0:1"),
            *("anomaly.example", "10.0.0.5", "FD00:0:0:0:0:0:0:5"),
        }
        assert (stopped.certificates / "server.key").stat().st_mode & 0o777 == 0o600
        strict = stopped.tls()
        strict.verify_flags |= ssl.VERIFY_X509_STRICT  # as newer versions of Python do
        with stopped.connect(strict):
            pass
        stopped.reload()
        found = requests.get(f"{stopped.url}/ping", verify=str(stopped.trusted), timeout=20)
        assert found.status_code == 503
    finally:
        stopped.stop()
    stopped.start()
    stopped.stop()
    assert stopped.trusted.read_bytes() == shown
    assert sorted(one.name for one in stopped.certificates.iterdir()) == [
        "server.crt",
        "server.key",
    ]


@pytest.mark.parametrize("host", ["a b;c", "a,DNS:b", "x/y", "host name,$(id)"])
def test_a_host_that_is_none_is_named(stopped: Proxy, host: str) -> None:
    stopped.environment["RVAE_HOST"] = host
    assert f"RVAE_HOST={host}" in stopped.refuse_to_start()
    assert list(stopped.certificates.iterdir()) == []


def test_another_certificate_is_taken(front: Proxy) -> None:
    before = serial(front)
    certificate(front.certificates)
    front.reload()
    assert serial(front) != before


def test_one_that_ends_soon_is_taken_with_a_word(front: Proxy) -> None:
    certificate(front.certificates, days=3)
    assert "expires soon, on " in front.reload()


def expired(folder: Path) -> None:
    certificate(folder, days=-1)


def of_another_key(folder: Path) -> None:
    kept = (folder / "server.key").read_bytes()
    certificate(folder)
    (folder / "server.key").write_bytes(kept)


def with_a_password(folder: Path) -> None:
    key = folder / "server.key"
    subprocess.run(
        ["openssl", "ec", "-in", key, "-out", key, "-aes128", "-passout", "pass:word"],
        check=True,
        capture_output=True,
    )


BAD: dict[str, Callable[[Path], object]] = {
    "expired on ": expired,
    "server.key: is not the key of the first certificate in ": of_another_key,
    "server.key: is no private key in PEM without a password": with_a_password,
    "server.crt: is no certificate in PEM": lambda folder: (folder / "server.crt").write_text("x"),
    "server.key: is no private key": lambda folder: (folder / "server.key").write_text("x"),
    "server.key: is missing": lambda folder: (folder / "server.key").unlink(),
}


@pytest.mark.parametrize("words", BAD)
def test_a_bad_certificate_is_refused_and_changes_nothing(front: Proxy, words: str) -> None:
    context, before = front.tls(), serial(front)
    BAD[words](front.certificates)
    assert words in front.refuse_to_reload()
    assert serial(front, context) == before
    front.stop()
    assert words in front.refuse_to_start()


def test_a_chain_is_sent_whole(front: Proxy) -> None:
    certificate(front.certificates)
    leaf = front.trusted.read_text()
    front.trusted.write_text(leaf + leaf)
    front.reload()
    assert front.ask().status == 200


def test_a_server_that_is_none_is_named(stopped: Proxy) -> None:
    for server in ("server", "server:", ":8080", "a b:1", "a:b:1", "server:http", "x;y:1"):
        stopped.environment["SERVER"] = server
        assert f"SERVER={server}: must be HOST:PORT" in stopped.refuse_to_start()


def test_nothing_is_lost_when_it_reloads(front: Proxy, backend: Upstream) -> None:
    over = threading.Event()

    def work() -> list[int]:
        found = []
        while not over.is_set():
            found.append(front.ask(body=b"x" * 100_000).status)
        return found

    with ThreadPoolExecutor(4) as pool:
        working = [pool.submit(work) for _ in range(4)]
        for number in range(6):
            front.keys.write_text(key_line("alice", KEY) + key_line("bob", f"key-{number}"))
            front.reload()
            assert front.ask(key=f"key-{number}").status == 200
        over.set()
        found = [status for one in working for status in one.result()]
    assert set(found) == {200} and len(found) > 6
    assert len(list(Path(front.environment["RUN"]).glob("configuration.*"))) == 1


def test_it_takes_changes_by_itself(backend: Upstream, tmp_path: Path) -> None:
    with proxy(tmp_path, backend.address, WATCH_SECONDS=0.2) as front:
        (watcher,) = watchers(front)
        waits: set[int] = set()  # one before each look at the files

        def has_looked() -> bool:
            waits.update(one.pid for one in watcher.children())
            return len(waits) > 5

        wait_for(has_looked)
        assert reloads(front) == 0, "nothing has changed"
        front.keys.write_text(key_line("alice", KEY) + "bob\n")
        words = f"{front.keys}, line 2: must be NAME SHA256"
        wait_for(lambda: front.text().count(words) > 1)
        assert front.ask().status == 200 and reloads(front) == 0
        front.keys.write_text(key_line("bob", "other"))
        wait_for(lambda: front.ask().status == 401)
        assert front.ask(key="other").status == 200
        first = serial(front)
        certificate(front.certificates)
        wait_for(lambda: reloads(front) > 1)
        assert serial(front) != first
        for name in ("server.crt", "server.key"):
            (front.certificates / name).unlink()
        wait_for(lambda: reloads(front) > 2)
        front.keys.unlink()
        wait_for(lambda: f"{front.keys}: is missing" in front.text())
    wait_for(lambda: not watcher.is_running())


def reloads(front: Proxy) -> int:
    return front.text().count("proxy: reloaded\n")


def watchers(front: Proxy) -> list[psutil.Process]:
    """Those processes of a proxy that stay, but are not nginx."""
    pid = int((Path(front.environment["RUN"]) / "nginx.pid").read_text())
    return [one for one in psutil.Process(pid).children() if "watch" in " ".join(one.cmdline())]


def test_it_does_not_reload_when_it_does_not_run(stopped: Proxy) -> None:
    assert "is not running" in stopped.refuse_to_reload()
