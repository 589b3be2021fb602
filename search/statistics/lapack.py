"""LAPACK's two longest computations without Python's lock, so that other threads go on meanwhile.

`scipy.linalg` calls the same functions of the same library with the lock held. They are reached by the addresses that
`scipy.linalg.cython_lapack` publishes; `ctypes` gives the lock free for the time of a call.
"""

import ctypes
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.linalg import LinAlgError, cython_lapack

from search.statistics.observed_scores import Floats


def cholesky_factor(matrix: Floats) -> Floats:
    """Return the lower Cholesky factor of a symmetric matrix, [K, K], column by column in memory.

    Raises:
        LinAlgError: the matrix is not positive definite.
    """
    factor: Floats = np.array(matrix, dtype=np.float64, order="F")
    if _call("dpotrf", b"L", factor):
        raise LinAlgError("the matrix is not positive definite")
    for column in range(1, len(factor)):
        factor[:column, column] = 0
    return factor


def triangular_inverse(factor: Floats) -> Floats:
    """Return the inverse of a lower triangular matrix, [K, K].

    Raises:
        LinAlgError: there is a 0 in the diagonal.
    """
    inverse: Floats = np.array(factor, dtype=np.float64, order="F")
    if _call("dtrtri", b"L", b"N", inverse):
        raise LinAlgError("the matrix is singular")
    return inverse


def _call(name: str, *arguments: bytes | Floats) -> int:
    """Call a function whose arguments are flags, the order of a square matrix, the matrix, its stride, and the outcome,
    which is returned."""
    addresses: Mapping[str, Any] = cython_lapack.__pyx_capi__
    capsule = addresses[name]
    integer = ctypes.c_int64 if b"int64" in _signature(capsule) else ctypes.c_int
    *flags, matrix = arguments
    assert isinstance(matrix, np.ndarray)
    order, outcome = integer(len(matrix)), integer(0)
    function = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * (len(flags) + 4))(_address(capsule))
    texts = [ctypes.create_string_buffer(flag) for flag in flags if isinstance(flag, bytes)]
    function(*texts, ctypes.byref(order), matrix.ctypes.data, ctypes.byref(order), ctypes.byref(outcome))
    return int(outcome.value)


def _signature(capsule: Any) -> bytes:
    name = ctypes.pythonapi.PyCapsule_GetName
    name.restype, name.argtypes = ctypes.c_char_p, [ctypes.py_object]
    signature: bytes = name(capsule)
    return signature


def _address(capsule: Any) -> int:
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    address: int = pointer(capsule, _signature(capsule))
    return address
