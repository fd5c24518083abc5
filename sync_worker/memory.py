"""How much memory the worker keeps from the operating system once it is done with it."""

import ctypes
import sys

import pyarrow as pa

#: glibc's M_MMAP_THRESHOLD (malloc.h), and the size from which an array goes back as soon as nobody looks at it: the
#: least, and the greatest that glibc takes.
_MMAP_THRESHOLD, _LARGE, _LARGEST = -3, 1 << 20, 32 << 20
#: M_TRIM_THRESHOLD, and how much of smaller things may stay: else their end is given back and asked for all the time.
_TRIM_THRESHOLD, _SMALL = -1, 32 << 20


def give_back_large_arrays(customers: int = 0) -> None:
    """Lets large arrays go back to the system when they are freed.

    By itself glibc raises the size from which it does so to that of the largest array freed, and then keeps the
    columns of a history between smaller things: a run would hold twice what it looks at. Elsewhere nothing changes.

    Args:
        customers: columns of so many customers are not large. Where there are a million, fresh pages for each column
            take a third of a scoring's time; then Arrow, which keeps what it freed for itself, asks glibc too.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries have none
        if mallopt:
            large = min(max(_LARGE, 8 * customers), _LARGEST)
            mallopt(_MMAP_THRESHOLD, large)
            mallopt(_TRIM_THRESHOLD, _SMALL)
            if large > _LARGE:
                pa.set_memory_pool(pa.system_memory_pool())


def give_back_free() -> None:
    """Gives back what is free between things that are still held: smaller arrays by the thousand."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim:
            trim(0)
