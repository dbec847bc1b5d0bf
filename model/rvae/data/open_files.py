"""The limit of open files of a process."""

import resource

from rvae.errors import require

__all__ = ["allow_open_files"]

# Reserve for libraries, logs, and pipes to the processes that load windows.
OTHER_FILES = 512


def allow_open_files(count: int) -> None:
    """Raise the limit of open files of this process to at least `count`, plus a reserve.

    Raises:
        FieldError: If the machine does not allow it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        require(
            hard == resource.RLIM_INFINITY or wanted <= hard,
            "data",
            f"{count} files are more than can be open at once: merge some, or raise ulimit -n",
        )
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
