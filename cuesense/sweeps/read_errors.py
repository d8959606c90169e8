"""Why a file of a sweep could not be read, in one line for an error sentence."""


def read_error_reason(error: Exception) -> str:
    """Return the reason of an error: what the operating system reports, else the first line of its text.

    Parsers add lines of context (pyarrow, pandas), which do not fit into one sentence.
    """
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return next(iter(str(error).splitlines()), type(error).__name__)
