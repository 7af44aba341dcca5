"""TLS that ends here: which certificate a new connection is shown.

Decided here: nothing below TLS 1.2, HTTP/1.1 in ALPN, and that a renewed certificate is taken from
its file without a restart; one that makes no sense is logged, and the old one shown on.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, cast

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator, IProtocolFactory, IReactorTime
from twisted.internet.ssl import CertificateOptions, TLSVersion
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOFactory
from zope.interface import implementer

from kodama.app.settings import BadSetting

LOOK_SECONDS: Final = 60.0
_log: Final = Logger()


@implementer(IOpenSSLServerConnectionCreator)
class Certificate:
    """A certificate with its chain, and its key, from PEM files. Raises `BadSetting`."""

    def __init__(self, chain: Path, key: Path, *, clock: IReactorTime) -> None:
        self._chain = chain
        self._key = key
        self._clock = clock
        self._looked = clock.seconds()
        self._age = self._written()
        self._context = self._read()

    def before(self, factory: IProtocolFactory) -> IProtocolFactory:
        """Return a factory whose connections speak TLS and hand on what it protects."""
        wrapped: Any = TLSMemoryBIOFactory(self, isClient=False, wrappedFactory=factory, clock=self._clock)
        wrapped.noisy = False
        return cast("IProtocolFactory", wrapped)

    def serverConnectionForTLS(self, protocol: Any) -> SSL.Connection:
        """Twisted: a client has connected."""
        if self._clock.seconds() - self._looked >= LOOK_SECONDS:
            self._look_again()
        return SSL.Connection(self._context, None)

    def _look_again(self) -> None:
        self._looked = self._clock.seconds()
        try:
            age = self._written()
            if age != self._age:
                self._age, self._context = age, self._read()
        except BadSetting as problem:
            _log.error("The certificate was not renewed: {problem}", problem=problem)

    def _written(self) -> tuple[int, int]:
        try:
            return self._chain.stat().st_mtime_ns, self._key.stat().st_mtime_ns
        except OSError as error:
            raise BadSetting(f"{error.filename} cannot be read: {error.strerror}.") from None

    def _read(self) -> SSL.Context:
        context: SSL.Context = _options().getContext()
        _bytes_of(self._chain)  # OpenSSL would not say why it cannot
        key = _bytes_of(self._key)
        try:
            context.use_certificate_chain_file(self._chain)
        except SSL.Error:
            raise BadSetting(f"KODAMA_TLS_CERT: {self._chain} holds no certificate in PEM.") from None
        try:
            context.use_privatekey(load_pem_private_key(key, password=None))  # type: ignore[arg-type]  # of any kind
            context.check_privatekey()
        except (SSL.Error, ValueError, TypeError):
            raise BadSetting(
                f"KODAMA_TLS_KEY: {self._key} is not the key of the certificate, or has a passphrase."
            ) from None
        return context


def _options() -> Any:
    return CertificateOptions(raiseMinimumTo=TLSVersion.TLSv1_2, acceptableProtocols=[b"http/1.1"])


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadSetting(f"{path} cannot be read: {error.strerror}.") from None
