"""Describes the machine of a measurement, without names of hosts, people or folders."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("numpy", "onnxruntime", "tensorflow-cpu", "soundfile", "soxr", "pydantic", "boto3", "pesq")


def describe() -> dict:
    """Processor, cores, memory, load, and the versions of the packages that decide the speed."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    processor = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": processor,
        "cores": os.cpu_count(),
        "memory_gb": round(memory / 2**30),
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
    }
