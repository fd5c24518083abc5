"""Connections to Odoo."""

from sync_worker.config import Settings
from sync_worker.transport.base import GROUP, MODEL, Transport

__all__ = ["GROUP", "MODEL", "Transport", "connect"]


def connect(settings: Settings) -> Transport:
    """The transport the settings name. Nothing is sent before its first call."""
    if settings.transport == "odoorpc":
        from sync_worker.transport.odoorpc import OdooRpcTransport  # noqa: PLC0415  loads only where it is used

        return OdooRpcTransport(settings)
    from sync_worker.transport.json2 import Json2Transport  # noqa: PLC0415  as above

    return Json2Transport(settings)
