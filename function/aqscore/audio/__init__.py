"""Recordings, files or arrays, to blocks of mono samples at 16 kHz."""
