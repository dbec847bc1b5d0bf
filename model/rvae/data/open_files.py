"""How many files a process may keep open."""

import resource

from rvae.errors import require

__all__ = ["allow_open_files"]

# For whatever else a process opens: libraries, logs, pipes to those that load windows.
OTHER_FILES = 512


def allow_open_files(count: int) -> None:
    """Let this process keep so many files open.

    Raises:
        FieldError: If the machine does not allow for it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        require(
            hard == resource.RLIM_INFINITY or wanted <= hard,
            "data",
            f"{count} files are more than may be open at once: join some, or raise ulimit -n",
        )
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
