"""Measures Kodama beside other servers that do the same long poll; ``make bench`` runs it."""
