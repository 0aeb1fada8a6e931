# SPDX-License-Identifier: GPL-3.0-or-later
"""What only Linux has; see ``Host`` for what each of these promises."""

from __future__ import annotations

import errno
import fcntl
import grp
import os
import pwd
import select
import signal
import socket
import stat
import struct
import time
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from seatkeeper_agent.host import FileUnusable, HostRefused, Peer, User

if TYPE_CHECKING:
    import subprocess

GROUP_FILE = Path("/etc/group")
SOCKET_MODE = 0o660
SOCKET_PATH_BYTES_MAX = 107
LINKS_MAX = 8

_FIRST_PASSED_DESCRIPTOR = 3
_CREDENTIALS = struct.Struct("3i")
_SO_PEERGROUPS = 59  # asm-generic/socket.h; Python has no name for it
_OPTION_BYTES_MAX = 1024  # what Python's getsockopt can take
_GROUPS_MAX = 65_536  # NGROUPS_MAX of Linux
_TEMPORARY_SUFFIX = ".seatkeeper"
_LOOK_AGAIN_SECONDS = 0.02
_OTHERS = 0o077


def peer_of(connection: socket.socket | None) -> Peer:
    """By SO_PEERCRED and SO_PEERGROUPS of a unix socket."""
    if connection is None or connection.family != socket.AF_UNIX:
        return Peer(None, None)
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _pid, uid, gid = _CREDENTIALS.unpack(raw)
    return Peer(uid, gid, tuple(array("I", _groups(connection))))


def _groups(connection: socket.socket) -> bytes:
    try:
        return connection.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _OPTION_BYTES_MAX)
    except OSError as error:
        if error.errno != errno.ERANGE:
            raise
    # More groups than Python's own call can take, as a directory may give.
    import ctypes

    found = (ctypes.c_uint32 * _GROUPS_MAX)()
    size = ctypes.c_uint32(ctypes.sizeof(found))
    call = ctypes.CDLL(None, use_errno=True).getsockopt
    descriptor, level = connection.fileno(), socket.SOL_SOCKET
    if call(descriptor, level, _SO_PEERGROUPS, found, ctypes.byref(size)) != 0:
        raise OSError(ctypes.get_errno(), "the kernel does not tell the peer's groups")
    return bytes(found)[: size.value]


def is_trusted(uid: int) -> bool:
    """Root, or the effective user."""
    return uid in (0, os.geteuid())


def user_id() -> int:
    """The effective user."""
    return os.geteuid()


def is_administrator() -> bool:
    """Root."""
    return os.geteuid() == 0


def user(name: str) -> User | None:
    """By the name service."""
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return User(entry.pw_name, entry.pw_uid, entry.pw_gid)


def user_name(uid: int) -> str | None:
    """By the name service."""
    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OSError):
        return None


def group_id(name: str) -> int | None:
    """By the name service; None also for a name that cannot be, or that is not told."""
    try:
        return grp.getgrnam(name).gr_gid
    except (KeyError, ValueError, OSError):
        return None


def group_of(path: Path) -> str:
    """By its name, or by its number where nobody tells one."""
    nearest = path.absolute()
    while not nearest.exists():
        nearest = nearest.parent
    gid = nearest.stat().st_gid
    try:
        return grp.getgrgid(gid).gr_name
    except (KeyError, OSError):
        return str(gid)


def groups_stamp() -> object:
    """What tells that the file of groups is another one."""
    try:
        status = GROUP_FILE.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def listener(path: Path, backlog: int) -> tuple[socket.socket, bool]:
    """The socket that systemd passes, or one made here with mode 0660."""
    passed = os.environ.get("LISTEN_FDS")
    if passed and os.environ.get("LISTEN_PID") == str(os.getpid()):
        if passed != "1":
            raise HostRefused(f"systemd passed {passed} sockets, one is expected.")
        return _passed(), False
    return _bound(path, backlog), True


def _passed() -> socket.socket:
    try:
        found = socket.socket(fileno=_FIRST_PASSED_DESCRIPTOR)
    except OSError as error:
        raise HostRefused(f"What systemd passed is no socket: {error.strerror}.") from error
    if (found.family, found.type) != (socket.AF_UNIX, socket.SOCK_STREAM):
        found.close()
        raise HostRefused(
            "systemd passed a socket that is no unix stream socket. Set ListenStream to a path."
        )
    return found


def _bound(path: Path, backlog: int) -> socket.socket:
    if len(os.fsencode(path)) > SOCKET_PATH_BYTES_MAX:
        raise HostRefused(
            f"The socket path {path} is longer than {SOCKET_PATH_BYTES_MAX} bytes."
            " Set agent.socket to a shorter one."
        )
    _remove_stale(path)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o777 & ~SOCKET_MODE)
    try:
        made.bind(str(path))
    except OSError as error:
        made.close()
        raise HostRefused(
            f"The socket {path} cannot be made: {error.strerror}."
            " Set agent.socket to a place in a folder that the agent's user may write."
        ) from error
    finally:
        os.umask(before)
    made.listen(backlog)
    return made


def _remove_stale(path: Path) -> None:
    """Remove what a killed agent left; refuse a socket that somebody answers, or a file."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise HostRefused(f"The socket {path} cannot be used: {error.strerror}.") from error
    if not stat.S_ISSOCK(mode):
        raise HostRefused(f"{path} is no socket. Move it away or set agent.socket.")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(2.0)
        try:
            probe.connect(str(path))
        except OSError:
            path.unlink(missing_ok=True)
            return
    raise HostRefused(f"Another agent answers at {path}. Stop it first.")


def confine() -> None:
    """By prctl and limits; loaded where it is needed, by the agent alone."""
    from seatkeeper_agent.host.linux_confinement import confine as confine_process

    confine_process()


def start(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    stdin: int,
    stderr: int,
    folder: str | None = None,
    user: User | None = None,
) -> subprocess.Popen[bytes]:
    """In a session of its own."""
    import subprocess

    # An argument list of the agent's own, of the operator's settings and of checked texts.
    return subprocess.Popen(  # noqa: S603 - never a shell
        list(command),
        bufsize=0,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=stderr,
        cwd=folder,
        env=dict(environment),
        start_new_session=True,
        user=None if user is None else user.uid,
        group=None if user is None else user.gid,
        extra_groups=None if user is None else [],
    )


def end(process: subprocess.Popen[bytes]) -> None:
    """All of its group."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def end_marked(variable: str, mark: str, seconds_max: float = 5.0) -> bool:
    """They must have been started in a session that their starter is not in.

    A browser starts processes in sessions of their own, and some of them write over their
    environment. So everything counts that has the mark or shares a session with one that has it.
    """
    deadline = time.monotonic() + seconds_max
    wanted = f"{variable}={mark}".encode()
    sessions: set[int] = set()
    while True:
        running = _running()
        sessions |= {session for process_id, session in running.items() if _has(process_id, wanted)}
        left = [process_id for process_id, session in running.items() if session in sessions]
        if not left or time.monotonic() > deadline:
            return not left
        for process_id in left:
            with suppress(OSError):
                os.kill(process_id, signal.SIGKILL)
        time.sleep(_LOOK_AGAIN_SECONDS)


def _running() -> dict[int, int]:
    """All other processes that have not ended, and their sessions."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            # The name before them, in brackets, may hold anything.
            fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue  # ended meanwhile
        state, session = fields[0], int(fields[3])
        if state not in "ZX":
            found[int(entry.name)] = session
    return found


def _has(process_id: int, wanted: bytes) -> bool:
    try:
        environment = Path(f"/proc/{process_id}/environ").read_bytes()
    except OSError:
        return False  # ended meanwhile, or somebody else's
    return wanted in environment.split(b"\0")


def arrivals(connection: socket.socket, starter: int) -> Iterator[None]:
    """By the descriptor of that process, where the kernel has them.

    Its death signal is of no use: it is sent when the *thread* ends that started this process.
    """
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    try:
        poll.register(os.pidfd_open(starter), select.POLLIN)
        interval_milliseconds = None
    except OSError:
        interval_milliseconds = 1000
    while os.getppid() == starter:
        ready = [descriptor for descriptor, _ in poll.poll(interval_milliseconds)]
        if connection.fileno() in ready:
            yield
        elif ready:
            return


def service_command(verb: str, service: str) -> tuple[str, ...]:
    """A unit of systemd; it ends when that is done."""
    return ("systemctl", verb, f"{service}.service")


def are_ports_limited() -> bool:
    """By the record that the role license_server leaves beside the rules."""
    return any(Path("/etc/seatkeeper").glob("license-servers.*"))


def lock_file(path: Path) -> IO[str]:
    """By flock."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    file = os.fdopen(descriptor, "r+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise
    return file


def lock_folder(folder: Path) -> int | None:
    """By flock on the folder itself."""
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with suppress(OSError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Between the two calls somebody may have taken it for one that was left.
        if folder.stat().st_ino == os.fstat(lock).st_ino:
            return lock
    os.close(lock)
    return None


def is_folder_of(folder: Path, uid: int) -> bool:
    """As it is, links not followed."""
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == uid


def unlock(lock: int) -> None:
    """The descriptor's end is the lock's."""
    os.close(lock)


def private_file(path: Path, replace: bool = False) -> int:
    """With mode 0600."""
    one = os.O_TRUNC if replace else os.O_EXCL
    flags = os.O_WRONLY | os.O_CREAT | one | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(path, flags, 0o600)


def give_to(folder: Path, user: User) -> None:
    """With its group."""
    os.chown(folder, user.uid, user.gid)


def opened_to(path: Path) -> str | None:
    """The mode, where it lets anybody else in."""
    mode = stat.S_IMODE(path.stat().st_mode)
    return f"mode {mode:o}" if mode & _OTHERS else None


def read_private(path: Path, bytes_max: int) -> bytes | None:
    """Nor of what is no regular file: a pipe is not waited for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        mode = os.fstat(descriptor).st_mode
        if mode & _OTHERS or not stat.S_ISREG(mode):
            return None
        return file.read(bytes_max + 1)


def read_file(path: Path, bytes_max: int) -> bytes:
    """A link is followed only if root or the agent's own user made it.

    The file's folder may belong to a daemon's user, and a product's daemon once overwrote files
    through a symbolic link.
    """
    path = _behind_links(path)
    with _folder(path) as folder:
        return _read(folder, path, bytes_max)[0]


def replace_file(path: Path, content: bytes, expected: bytes, bytes_max: int) -> None:
    """A link stays, and the file behind it is replaced."""
    path = _behind_links(path)
    with _folder(path) as folder:
        found, status = _read(folder, path, bytes_max)
        if found != expected:
            raise HostRefused(f"{path} was changed by somebody else: read it again.")
        temporary = path.name + _TEMPORARY_SUFFIX
        with suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=folder)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(temporary, flags, 0o600, dir_fd=folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
                    os.fchown(file.fileno(), status.st_uid, status.st_gid)
                os.fchmod(file.fileno(), stat.S_IMODE(status.st_mode))
                os.fsync(file.fileno())
            os.replace(temporary, path.name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary, dir_fd=folder)
            raise
        os.fsync(folder)


def _behind_links(path: Path) -> Path:
    """The file itself; HostRefused for a link of somebody else, and for links without an end."""
    for _link in range(LINKS_MAX):
        try:
            status = path.lstat()
            if not stat.S_ISLNK(status.st_mode):
                return path
            if not is_trusted(status.st_uid):
                raise HostRefused(
                    f"{path} is a symbolic link that belongs to neither root nor the agent's user"
                    f" (its owner is {status.st_uid}), so it is not followed."
                )
            path = path.parent / path.readlink()
        except OSError as error:
            raise _failure(path, error) from error
    raise HostRefused(f"{path} is one of more than {LINKS_MAX} links in a row.")


@contextmanager
def _folder(path: Path) -> Iterator[int]:
    # The folder's own path is the operator's setting, or that of a link that was followed; within
    # it, what became a link since then counts for nothing.
    try:
        descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            yield descriptor
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _failure(path, error) from error


def _read(folder: int, path: Path, bytes_max: int) -> tuple[bytes, os.stat_result]:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with os.fdopen(os.open(path.name, flags, dir_fd=folder), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise HostRefused(f"{path} is not a regular file.")
        content = file.read(bytes_max + 1)
    if len(content) > bytes_max:
        raise HostRefused(f"{path} is larger than {bytes_max} bytes.")
    return content, status


def _failure(path: Path, error: OSError) -> HostRefused | FileUnusable:
    if path.is_symlink():
        return HostRefused(f"{path} became a symbolic link while it was used: look who did that.")
    return FileUnusable(path, error.strerror or str(error))


def sync_folder(folder: Path) -> None:
    """By the folder's own descriptor."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def memory_folders() -> list[Path]:
    """The memory of this service, as systemd names it, and that of this host."""
    runtime = os.environ.get("RUNTIME_DIRECTORY", "").split(":")[0]
    own = [Path(runtime)] if runtime.startswith("/") else []
    return [*own, Path("/dev/shm")]  # noqa: S108 - a private folder is made in it


def read_device(path: Path, bytes_max: int) -> bytes:
    """An attribute of sysfs; a recorded folder may hold anything, such as a pipe."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return os.read(descriptor, bytes_max)
    finally:
        os.close(descriptor)


def write_device(path: Path, content: bytes) -> None:
    """Over the old bytes: nobody can find the file of a recorded bus empty."""
    flags = os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(path, flags)
    try:
        os.write(descriptor, content)
    finally:
        os.close(descriptor)
