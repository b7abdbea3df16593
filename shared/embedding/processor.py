"""Which precision this processor is fast at."""

from pathlib import Path

from shared.embedding import Exact, Precision

CPUINFO = Path("/proc/cpuinfo")
BYTE_PRODUCTS = {"avx512_vnni", "avx_vnni", "avxvnni"}  # Linux's names for VNNI, the dot products of bytes


def chosen(precision: Precision) -> Exact:
    """What `auto` means here; any other is what it says."""
    return precision if precision in ("fp32", "int8") else best_precision()


def best_precision(cpuinfo: Path = CPUINFO) -> Exact:
    """int8 where the processor multiplies bytes faster than floats; fp32 where it does not, or does not tell."""
    try:
        lines = cpuinfo.read_text(errors="replace").splitlines()
    except OSError:
        return "fp32"
    flags = next((line.partition(":")[2].split() for line in lines if line.startswith("flags")), [])
    return "fp32" if BYTE_PRODUCTS.isdisjoint(flags) else "int8"
