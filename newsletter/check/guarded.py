"""HTTP to an address that anybody may have written: never into this machine's own network, never for long.

An author can link to anything, and a website can send visitors on to anything. So every address of a name has to be
public, and the connection goes to an address that was checked, without a second look-up, which could say something
else. No redirect is followed here; nothing is sent that says who asks: no cookies, no credentials, and no proxy of the
environment, which would do its own look-up.
"""

from __future__ import annotations

import functools
import io
import ipaddress
import socket
import ssl
import threading
import time
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

_NETWORKS = """
    0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24
    192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/3 2001::/23 2001:db8::/32 3fff::/20
"""
_NOT_PUBLIC = [ipaddress.ip_network(network) for network in _NETWORKS.split()]
"""What IANA sets aside. A table of our own, as what `ipaddress` calls global differs from Python to Python."""
_UNICAST = ipaddress.ip_network("2000::/3")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

_AS_IT_IS = "/%:@!$&'()*+,;=~?"
"""What keeps its meaning in a path or query only when it isn't encoded."""
_WEB_PORTS = {80, 443}
_FIRST_FREE_PORT = 1024
_HEADERS = {"User-Agent": "newsletter-link-check", "Accept": "*/*", "Connection": "close"}
_TOO_MANY_REQUESTS = 429
_NOT_NOW = {socket.EAI_AGAIN, socket.EAI_FAIL}
_CERTIFICATES = {
    9: "isn't valid yet",
    10: "has expired",
    62: "was made for another website",
    64: "was made for another address",
}
"""What is wrong with a certificate, by OpenSSL's number for it."""

LATER = "open it in a browser, and check again before you send"
_NAME = "is the name spelt right, and this machine online?"
_SPELLING = "look for a slip of the pen in the address"

Resolve = Callable[[str], Sequence[str]]
"""Gives the IP addresses of a host by its name. Raises OSError when they can't be found out."""


class NoAnswer(Exception):
    """Why an address gave no answer: `words` go on after it, as in `… can't be reached`."""

    def __init__(self, words: str, hint: str, code: str = "unreachable-link") -> None:
        super().__init__(words)
        self.words, self.hint, self.code = words, hint, code


@dataclass(frozen=True, slots=True)
class Target:
    """A web address taken apart, in ASCII: whom to connect to, and what to ask for. `path` has the query, too."""

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def of(cls, url: str) -> Target:
        """Read `url`; its fragment and what it may hold of a password are left out.

        Raises NoAnswer when it isn't http(s), or leads to a port that is another service's. A link's own port is asked
        like a reader's browser would do it: its address is public. But mail servers and the like, which stand below
        1024, are spared as browsers spare them.
        """
        try:
            parts = urlsplit(url)
            scheme, port, host = parts.scheme, parts.port, _ascii(parts.hostname or "")
        except ValueError:
            raise NoAnswer("is no address that can be asked", _SPELLING) from None
        if scheme not in ("http", "https") or not host:
            raise NoAnswer("is no address of a website", _SPELLING)
        port = (443 if scheme == "https" else 80) if port is None else port
        if port not in _WEB_PORTS and port < _FIRST_FREE_PORT:
            raise NoAnswer(f"names port {port}, which no website has", _SPELLING)
        query = f"?{quote(parts.query, safe=_AS_IT_IS)}" if parts.query else ""
        return cls(scheme, host, port, quote(parts.path or "/", safe=_AS_IT_IS) + query)

    def onward(self, location: str) -> Target:
        """Where a redirect's `Location` leads from here. Raises NoAnswer, as `of`."""
        written = location.encode("latin-1", "replace").decode("utf-8", "replace")  # headers come as Latin-1
        try:
            url = urljoin(self.url, written)
        except ValueError:
            url = ""
        try:
            return Target.of(url)
        except NoAnswer as fault:
            raise NoAnswer(f"sends visitors on to something that {fault.words}", LATER) from None

    @property
    def url(self) -> str:
        """The address again."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == (443 if self.scheme == "https" else 80) else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}"


def _ascii(host: str) -> str:
    """`host` as it is looked up: other scripts in Punycode, each letter as it is written (unlike IDNA 2003)."""
    labels = unicodedata.normalize("NFKC", host).lower().rstrip(".").split(".")
    return ".".join(label if label.isascii() else "xn--" + label.encode("punycode").decode() for label in labels)


def is_public(address: str) -> bool:
    """Whether the IP `address` is one of the internet at large; of an address that wraps another, that counts."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        translated = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None
        if wrapped := [each for each in (ip.ipv4_mapped, ip.sixtofour, translated, *(ip.teredo or ())) if each]:
            return all(is_public(str(each)) for each in wrapped)
        if ip not in _UNICAST:
            return False
    return not any(ip in network for network in _NOT_PUBLIC)


def addresses_of(host: str) -> list[str]:
    """The addresses of `host`, as the system finds them out."""
    return list(dict.fromkeys(str(each[4][0]) for each in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)))


class Guarded:
    """Asks websites, each for one thing at a time, with a `gap` of some seconds. Threads may share it.

    `timeout` is in seconds, for all that one `status_of` takes. `allow_private` is for tests, whose server is near.
    """

    def __init__(self, *, timeout: float, gap: float, allow_private: bool, resolve: Resolve) -> None:
        self._timeout, self._gap, self._allow_private, self._resolve = timeout, gap, allow_private, resolve
        self._turns: dict[str, threading.Lock] = {}
        self._free_at: dict[str, float] = {}

    @functools.cached_property
    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context()

    def status_of(self, target: Target) -> tuple[int, str | None]:
        """The status that `target` answers with, and its `Location` as it came. Raises NoAnswer.

        Only the head of the answer is read.
        """
        with self._turn(target.host):
            begun = time.monotonic()
            try:
                addresses = self._addresses(target.host, begun + self._timeout)
                # Some servers refuse HEAD with one status or another, some hang up on it, some let it wait: unless it
                # went well, GET decides.
                try:
                    status, location = self._exchange("HEAD", target, addresses, begun + self._timeout / 2)
                    well = status < 400 or status == _TOO_MANY_REQUESTS
                except (OSError, HTTPException):
                    well = False
                if not well:
                    status, location = self._exchange("GET", target, addresses, begun + self._timeout)
            except (OSError, HTTPException) as error:
                raise self._no_answer(error) from error
            return status, location

    @contextmanager
    def _turn(self, host: str) -> Iterator[None]:
        with self._turns.setdefault(host, threading.Lock()):
            time.sleep(max(0.0, self._free_at.get(host, 0.0) - time.monotonic()))
            try:
                yield
            finally:
                self._free_at[host] = time.monotonic() + self._gap

    def _addresses(self, host: str, deadline: float) -> Sequence[str]:
        """The addresses of `host`, all of them public. A thread looks them up, as the system knows no deadline."""
        found: Future[Sequence[str]] = Future()

        def resolve() -> None:
            try:
                found.set_result([host] if _is_address(host) else self._resolve(host))
            except Exception as error:
                found.set_exception(error)

        threading.Thread(target=resolve, daemon=True).start()
        try:
            addresses = found.result(_left(deadline))
        except (socket.gaierror, ValueError) as error:
            if isinstance(error, socket.gaierror) and error.errno in _NOT_NOW:
                raise NoAnswer(f"can't be found at the moment: nobody tells where `{host}` is", _NAME) from error
            addresses = ()
        if not addresses:
            raise NoAnswer(f"leads nowhere: there is no website `{host}`", _NAME)
        if not self._allow_private and not all(map(is_public, addresses)):
            hint = "readers elsewhere can't open it; it was not asked"
            raise NoAnswer("leads to a private address", hint, "private-link")
        return addresses

    def _exchange(
        self, method: str, target: Target, addresses: Sequence[str], deadline: float
    ) -> tuple[int, str | None]:
        sock = _connected(addresses, target.port, deadline)
        connection = (HTTPSConnection if target.scheme == "https" else HTTPConnection)(target.host, target.port)
        try:
            if target.scheme == "https":
                sock.settimeout(_left(deadline))
                sock = self._tls.wrap_socket(sock, server_hostname=target.host)
            connection.sock = _Timed(sock, deadline)  # it has one, so that it looks up and connects nothing by itself
            connection.request(method, target.path, headers=_HEADERS)
            with connection.getresponse() as response:
                return response.status, response.headers.get("Location")
        finally:
            connection.close()
            sock.close()

    def _no_answer(self, error: Exception) -> NoAnswer:
        if isinstance(error, TimeoutError):
            return NoAnswer(f"gave no answer within {self._timeout:g} seconds", LATER)
        if isinstance(error, ssl.SSLCertVerificationError):
            fault = _CERTIFICATES.get(error.verify_code, "comes from nobody who is trusted here")
            return NoAnswer(f"has a certificate that {fault}, so browsers warn of it", "tell those whose website it is")
        if isinstance(error, ssl.SSLError):
            return NoAnswer("offers no secure connection", "open it in a browser; perhaps it only has `http://`")
        if isinstance(error, ConnectionRefusedError) or not isinstance(error, ConnectionError | HTTPException):
            return NoAnswer("can't be reached", LATER)
        return NoAnswer("broke off, or gave no proper answer", LATER)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _connected(addresses: Sequence[str], port: int, deadline: float) -> socket.socket:
    """A connection to the first of `addresses` that takes one; each gets its share of the time."""
    failed: OSError | None = None
    for number, address in enumerate(addresses):
        try:
            return socket.create_connection((address, port), _left(deadline) / (len(addresses) - number))
        except OSError as error:
            failed = error
    assert failed is not None
    raise failed


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


class _Timed:
    """A socket for `http.client` whose every wait ends at `deadline`, however slowly bytes drip."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock, self._deadline = sock, deadline

    def sendall(self, data: bytes) -> None:
        self._sock.settimeout(_left(self._deadline))
        self._sock.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Incoming(self._sock, self._deadline))

    def close(self) -> None:
        """Nothing: who opened the socket closes it."""


class _Incoming(io.RawIOBase):
    """What a `_Timed` receives."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock, self._deadline = sock, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(_left(self._deadline))
        return self._sock.recv_into(buffer)
