"""Looks at a server through whatever proxies stand before it, and says what to write where."""

from __future__ import annotations

from kodama.doctor.findings import Facts, Finding, Verdict, diagnose
from kodama.doctor.probes import Patient

__all__ = ["Facts", "Finding", "Patient", "Verdict", "diagnose"]
