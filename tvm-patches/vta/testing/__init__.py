"""Running kernels on the simulator of this process, or on a remote one."""

from vta.testing import simulator
from vta.testing.utils import run

__all__ = ["run", "simulator"]
